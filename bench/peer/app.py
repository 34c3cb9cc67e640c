"""The peer: `uvicorn app:app --app-dir bench/peer --workers 2`, told by PEER_MODEL, _DATABASE and _SECRET."""

import datetime as dt
import os
from typing import Annotated, Any, Literal

import joblib
import jwt
import numpy as np
import pandas as pd
import shap
from fastapi import Depends, FastAPI, HTTPException, Response, UploadFile
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from sqlalchemy import JSON, Boolean, DateTime, Float, Integer, String, create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SECRET = os.environ["PEER_SECRET"]
THRESHOLD = 0.15
FACTORS = 6
#: Rows of one INSERT: what SQLAlchemy and psycopg are quickest with.
INSERTED = 1_000

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


def sent_back(frame: pd.DataFrame, name: str) -> Response:
    """Return a frame as the attachment that the caller asked for."""
    headers = {"Content-Disposition": f'attachment; filename="scoring_{name}"'}
    return Response(frame.to_csv(index=False), media_type="text/csv", headers=headers)


@app.post("/predict_file_download")
def predict_file_download(file: UploadFile) -> Response:
    """Score a file only: pandas in, one call for all rows, CSV out."""
    frame = pd.read_csv(file.file)
    probability = pipeline.predict_proba(frame)[:, 1]
    frame["probabilite_defaut"] = probability
    frame["prediction_defaut"] = (probability >= THRESHOLD).astype(int)
    return sent_back(frame, file.filename or "")


@app.post("/predict_file_download_full")
def predict_file_download_full(file: UploadFile, user_id: Annotated[int, Depends(current_user)]) -> Response:
    """Check, score, explain, store and log every row of a file, then give it back."""
    frame = pd.read_csv(file.file)
    bad = checked(frame)
    good = frame[~bad]
    rows = columns.transform(good)
    probability = model.predict_proba(rows)[:, 1]
    contributions = explainer.shap_values(rows)
    strongest = np.argsort(-np.abs(contributions), axis=1)[:, :FACTORS]
    prediction = (probability >= THRESHOLD).astype(int)
    now = dt.datetime.now(dt.UTC)
    stored = [
        {
            "user_id": user_id,
            "inputs": inputs,
            "probability": float(chance),
            "prediction": int(answer),
            "factors": [{"variable": names[place], "contribution": float(parts[place])} for place in places],
            "created_at": now,
        }
        for inputs, chance, answer, parts, places in zip(
            good.to_dict("records"), probability, prediction, contributions, strongest, strict=True
        )
    ]
    with engine.begin() as connection:
        for start in range(0, len(stored), INSERTED):
            connection.execute(insert(Prediction), stored[start : start + INSERTED])
        connection.execute(
            insert(Log).values(user_id=user_id, action="predict_file", object_id=len(stored), created_at=now)
        )
    frame.loc[~bad, "probabilite_defaut"] = probability
    frame.loc[~bad, "prediction_defaut"] = prediction
    for rank in range(3):
        frame.loc[~bad, f"facteur_{rank + 1}"] = np.array(names)[strongest[:, rank]]
    return sent_back(frame, file.filename or "")


def checked(frame: pd.DataFrame) -> pd.Series:
    """Say which rows hold a value that `Application` would refuse, column by column."""
    bad = pd.Series(data=False, index=frame.index)
    for name, field in Application.model_fields.items():
        limits = {type(each).__name__: each for each in field.metadata}
        if limits:
            bad |= ~frame[name].between(limits["Ge"].ge, limits["Le"].le)
        else:
            bad |= ~frame[name].isin(field.annotation.__args__)
    return bad
