"""The peer: `uvicorn app:app --app-dir bench/peer --workers 2`, told by PEER_MODEL, _DATABASE and _SECRET."""

import datetime as dt
import os
from typing import Annotated, Any, Literal

import joblib
import jwt
import pandas as pd
import shap
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from sqlalchemy import JSON, Boolean, DateTime, Float, Integer, String, create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SECRET = os.environ["PEER_SECRET"]
THRESHOLD = 0.15
FACTORS = 6

pipeline = joblib.load(os.environ["PEER_MODEL"])
columns, model = pipeline.named_steps["columns"], pipeline.named_steps["model"]
names = list(columns.get_feature_names_out())
explainer = shap.TreeExplainer(model)
engine = create_engine(os.environ["PEER_DATABASE"], pool_size=20, max_overflow=20)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[str] = mapped_column(String(24))
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class Prediction(Base):
    __tablename__ = "predictions"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[int] = mapped_column(Integer, index=True)
    inputs: Mapped[Any] = mapped_column(JSON)
    probability: Mapped[float] = mapped_column(Float)
    prediction: Mapped[int] = mapped_column(Integer)
    factors: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), index=True)


class Log(Base):
    __tablename__ = "logs"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[int] = mapped_column(Integer, index=True)
    action: Mapped[str] = mapped_column(String(60))
    object_id: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), index=True)


class Application(BaseModel):
    age: int = Field(ge=18, le=80)
    sexe: Literal["F", "M"]
    situation_familiale: Literal["celibataire", "marie", "union_libre", "divorce", "veuf"]
    revenu_mensuel: int = Field(ge=0, le=100_000_000)
    type_contrat_travail: Literal["CDI", "CDD", "Informel", "Indépendant"]
    anciennete_travail_mois: int = Field(ge=0, le=720)
    montant_credit: int = Field(ge=10_000, le=500_000_000)
    duree_mois: int = Field(ge=1, le=120)
    taux_interet: float = Field(ge=0, le=120)
    type_credit: Literal[
        "fonds_de_roulement", "consommation", "scolaire", "agricole", "equipement", "habitat"
    ]
    nb_retards_30j: int = Field(ge=0, le=200)
    nb_retards_60j: int = Field(ge=0, le=200)
    nb_retards_90j: int = Field(ge=0, le=200)
    taux_endettement: float = Field(ge=0, le=300)
    ratio_dette_revenu: float = Field(ge=0, le=20)


class Score(BaseModel):
    prediction: int
    probabilite_defaut: float


class Factor(BaseModel):
    variable: str
    contribution: float


class FullScore(Score):
    id: int
    facteurs: list[Factor]


app = FastAPI()
bearer = HTTPBearer()


def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> int:
    """Return the key of the token's user, who must still be active."""
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    with engine.connect() as connection:
        active = connection.execute(select(User.active).where(User.id == int(claims["sub"]))).scalar()
    if not active:
        raise HTTPException(401)
    return int(claims["sub"])


@app.post("/predict")
async def predict(application: Application) -> Score:
    """Score only; it waits for nothing, so a thread would be overhead."""
    probability = float(pipeline.predict_proba(pd.DataFrame([application.model_dump()]))[0, 1])
    return Score(prediction=int(probability >= THRESHOLD), probabilite_defaut=probability)


@app.post("/predict_full")
def predict_full(application: Application, user_id: Annotated[int, Depends(current_user)]) -> FullScore:
    """Score, explain, store and log; in a thread, because the database is waited for."""
    values = application.model_dump()
    row = columns.transform(pd.DataFrame([values]))
    probability = float(model.predict_proba(row)[0, 1])
    contributions = explainer.shap_values(row)[0]
    strongest = sorted(range(len(names)), key=lambda place: -abs(contributions[place]))[:FACTORS]
    factors = [Factor(variable=names[place], contribution=float(contributions[place])) for place in strongest]
    now = dt.datetime.now(dt.UTC)
    prediction = int(probability >= THRESHOLD)
    with engine.begin() as connection:
        stored = insert(Prediction).values(
            user_id=user_id,
            inputs=values,
            probability=probability,
            prediction=prediction,
            factors=[factor.model_dump() for factor in factors],
            created_at=now,
        )
        key = connection.execute(stored.returning(Prediction.id)).scalar_one()
        connection.execute(
            insert(Log).values(user_id=user_id, action="predict", object_id=key, created_at=now)
        )
    return FullScore(prediction=prediction, probabilite_defaut=probability, id=key, facteurs=factors)
