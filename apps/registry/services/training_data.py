"""What a training run learns from: whole cohorts of matured credits, as they were known on their day.

Every credit disbursed at least H months before the observation date enters, whatever became of it; what does
not enter is counted with its reason. Values come from ``credits.features``, as scores do.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import QuerySet

from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.features import application_values
from apps.credits.models import Client, Credit, CreditApplication
from apps.credits.queries.dictionary import training_variables
from apps.credits.queries.ledger import terms_of
from apps.engine.contracts import Value
from apps.engine.ledger import add_months, horizon_end
from apps.engine.variables import Variable
from apps.files.enums import FileKind, FilePurpose
from apps.files.models import StoredFile
from apps.files.services import keep_written, part_path
from apps.institutions.models import Agency
from apps.institutions.queries import setting_on
from apps.registry.enums import HistoryLevel
from apps.registry.models import TrainingRun
from apps.registry.queries import level_of
from apps.tenancy.actor import Actor
from apps.tenancy.context import current_institution_id
from apps.tenancy.encryption import blind_index

if TYPE_CHECKING:
    from apps.engine.training.dataset import TrainingSet
    from apps.engine.training.runs import RunData

CHUNK = 2_000
#: Days that a snapshot is kept, by the dated setting ``training_kept_days``.
KEPT_DAYS = 730
#: Applications so recent are compared with what was learnt from.
RECENT_MONTHS = 3
#: Fewer defaults than this: every figure of the run is uncertain, and says so.
FEW_DEFAULTS = 150
#: What refused and lent applications are compared on.
COMPARED = (
    *("age", "revenu_mensuel", "anciennete_travail_mois", "montant_credit", "duree_mois"),
    *("taux_endettement", "nb_retards_30j"),
)
AGES = ((18, 25), (26, 35), (36, 45), (46, 55), (56, 80))


class Cohorts(Protocol):
    """Which credits are matured: those whose horizon was over on a day; a training run says it."""

    @property
    def observed_on(self) -> dt.date: ...

    @property
    def horizon_months(self) -> int: ...


@dataclass(slots=True)
class Mean:
    """A mean of the values that are known numbers."""

    total: float = 0.0
    count: int = 0

    def add(self, value: Value) -> None:
        number = _number(value)
        if number is not None:
            self.total, self.count = self.total + number, self.count + 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class TrainingRows:
    """Matured credits as columns, in the order of their identifiers, and what was left out of them.

    ``people`` are keys of files, the kept one where two were merged; ``groups`` serve fairness and figures by
    type, never as inputs. ``refused`` and ``recent`` hold the inputs of applications that were declined and
    of the latest ones.
    """

    variables: tuple[Variable, ...]
    columns: dict[str, list[Value]]
    outcomes: list[int] = field(default_factory=list)
    days: list[dt.date] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    in_fine: list[bool] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    excluded: Counter[str] = field(default_factory=Counter)
    merged: int = 0
    refused: dict[str, "Mean"] = field(default_factory=lambda: {name: Mean() for name in COMPARED})
    recent: dict[str, list[Value]] = field(default_factory=dict)
    recent_rows: int = 0

    @property
    def rows(self) -> int:
        return len(self.outcomes)

    @property
    def defaults(self) -> int:
        return sum(self.outcomes)

    def amounts(self) -> list[float]:
        return [_number(value) or 0.0 for value in self.columns["montant_credit"]]


def empty_rows(variables: tuple[Variable, ...]) -> TrainingRows:
    """Return rows to be filled, with a column for each variable and each group."""
    names = [variable.name for variable in variables]
    rows = TrainingRows(variables, {name: [] for name in names}, recent={name: [] for name in names})
    rows.groups = {name: [] for name in GROUPS}
    return rows


def read_rows(
    cohorts: Cohorts,
    *,
    chunk: Callable[[], Any],
    tell: Callable[[float], None],
    since: dt.date = dt.date.min,
) -> TrainingRows:
    """Read the history of the institution, ``chunk()`` by chunk; ``tell`` hears the share that is done.

    Applications from before ``since`` are left alone.
    """
    with chunk():
        rows = empty_rows(training_variables())
        total = _applications(since, cohorts.observed_on).count()
        merged = dict(Client.objects.exclude(merged_into=None).values_list("pk", "merged_into_id"))
        agencies = dict(Agency.objects.values_list("pk", "name"))
    seen, last = 0, 0
    while True:
        with chunk():
            found = list(_applications(since, cohorts.observed_on).filter(pk__gt=last).order_by("pk")[:CHUNK])
            lent = {each.application_id: each for each in Credit.objects.filter(application__in=found)}
            for application in found:
                _sort(rows, cohorts, application, lent.get(application.pk), merged, agencies)
        if not found:
            return rows
        seen, last = seen + len(found), found[-1].pk
        tell(seen / max(total, 1))


def _applications(since: dt.date, until: dt.date) -> QuerySet[CreditApplication]:
    return CreditApplication.objects.filter(applied_on__range=(since, until))


def _sort(
    rows: TrainingRows,
    cohorts: Cohorts,
    application: CreditApplication,
    credit: Credit | None,
    merged: Mapping[int, int | None],
    agencies: Mapping[int, str],
) -> None:
    """Put one application where it belongs: learnt from, refused, recent, or left out with a reason."""
    values: Mapping[str, Value] | None = None
    if application.applied_on > add_months(cohorts.observed_on, -RECENT_MONTHS) and _asked_for(application):
        values = application_values(application)[0]
        rows.recent_rows += 1
        for name, column in rows.recent.items():
            column.append(values.get(name))
    reason = _left_out(application, credit, cohorts)
    if reason == "refused":
        refused = application_values(application)[0]
        for name, mean in rows.refused.items():
            mean.add(refused.get(name))
    if reason:
        rows.excluded[reason] += 1
        return
    values = values or application_values(application)[0]
    for name, column in rows.columns.items():
        column.append(values.get(name))
    rows.outcomes.append(int(application.outcome == Outcome.DEFAULT))
    rows.days.append(application.applied_on)
    person = _person(application.client_id, merged)
    rows.merged += person != application.client_id
    rows.people.append(person)
    rows.secured.append(application.real_security)
    rows.in_fine.append(credit is not None and credit.repayment_kind == "in_fine")
    for name, read in GROUPS.items():
        rows.groups[name].append(read(application, agencies))


def _asked_for(application: CreditApplication) -> bool:
    return application.status not in {ApplicationStatus.DRAFT, ApplicationStatus.CANCELLED}


def _left_out(application: CreditApplication, credit: Credit | None, cohorts: Cohorts) -> str:
    """Return why an application teaches nothing, or nothing to say so; the order is that of the reasons."""
    if credit is None:
        return _left_out_without_credit(application, cohorts)
    if credit.exclusion:
        return credit.exclusion
    if credit.disbursed_on > cohorts.observed_on:
        return "young"
    if horizon_end(terms_of(credit), horizon_months=cohorts.horizon_months) > cohorts.observed_on:
        return "young"
    return "" if application.outcome else "no_outcome"


def _left_out_without_credit(application: CreditApplication, cohorts: Cohorts) -> str:
    """Tell what an outcome that was imported without its credit is worth: its day is the application's."""
    by_status = {ApplicationStatus.CANCELLED: "cancelled", ApplicationStatus.DECLINED: "refused"}
    if not application.outcome:
        return by_status.get(ApplicationStatus(application.status), "not_disbursed")
    if add_months(application.applied_on, cohorts.horizon_months) > cohorts.observed_on:
        return "young"
    return ""


def _person(client_id: int, merged: Mapping[int, int | None]) -> int:
    while (kept := merged.get(client_id)) is not None:
        client_id = kept
    return client_id


def age_band(age: float | None) -> str:
    """Return the band of an age, in years."""
    return next((f"{low}-{high}" for low, high in AGES if age is not None and low <= age <= high), "")


#: Group -> how it is read of an application and the names of the agencies; none is an input of a model.
GROUPS: Mapping[str, Callable[[CreditApplication, Mapping[int, str]], str]] = {
    "type_credit": lambda application, _agencies: application.type_credit,
    "agency": lambda application, agencies: agencies.get(application.agency_id, ""),
    "sexe": lambda application, _agencies: application.sexe,
    "situation_familiale": lambda application, _agencies: application.situation_familiale,
    "age_band": lambda application, _agencies: age_band(application.age),
}


def _number(value: Value) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def facts_of(rows: TrainingRows) -> dict[str, Any]:
    """Return what people are told of the data: counts, what was left out, how refused ones differ."""
    level = level_of(rows.defaults)
    facts: dict[str, Any] = {
        "rows": rows.rows,
        "defaults": rows.defaults,
        "excluded": dict(rows.excluded),
        "merged": rows.merged,
        "recent": rows.recent_rows,
        "level": str(level),
        "warnings": [],
        "variables": [variable.name for variable in rows.variables],
        "refused": _refused(rows),
        "cohorts": _cohorts(rows),
    }
    if rows.days:
        facts["from"], facts["to"] = min(rows.days).isoformat(), max(rows.days).isoformat()
    if level in {HistoryLevel.EXPERT, HistoryLevel.RECALIBRATED}:
        facts["warnings"].append("few_defaults")
    if rows.excluded["no_outcome"] > rows.rows:
        facts["warnings"].append("few_outcomes")
    return facts


def _refused(rows: TrainingRows) -> dict[str, Any]:
    """Compare the refused with those who got a credit: a model knows the second ones only."""
    refused_rows = rows.excluded["refused"]
    asked = rows.rows + refused_rows
    lines = []
    for name in COMPARED:
        lent = _mean(rows.columns.get(name, ()))
        refused = rows.refused[name].value
        if lent is not None and refused is not None:
            lines.append({"name": name, "lent": lent, "refused": refused})
    return {"rows": refused_rows, "share": refused_rows / asked if asked else 0.0, "means": lines}


def _mean(values: Sequence[Value]) -> float | None:
    mean = Mean()
    for value in values:
        mean.add(value)
    return mean.value


def _cohorts(rows: TrainingRows) -> list[list[Any]]:
    """Count credits and defaults by month of the application."""
    counts: Counter[str] = Counter()
    defaults: Counter[str] = Counter()
    for day, outcome in zip(rows.days, rows.outcomes, strict=False):  # a file may have no days
        counts[f"{day:%Y-%m}"] += 1
        defaults[f"{day:%Y-%m}"] += outcome
    return [[month, counts[month], defaults[month]] for month in sorted(counts)]


def run_data(rows: TrainingRows) -> "RunData":
    """Return the rows as the engine takes them; raise ``ValueError`` unless both outcomes are there."""
    import numpy as np

    from apps.engine.training.dataset import training_set
    from apps.engine.training.runs import RunData

    return RunData(
        training=training_set(rows.variables, rows.columns, rows.outcomes),
        days=np.array(rows.days, dtype="datetime64[D]") if rows.days else None,
        groups={name: np.array(values, dtype=object) for name, values in rows.groups.items()},
        amounts=np.array(rows.amounts(), dtype=np.float64),
        origins=np.array(rows.people, dtype=np.int64),
    )


def recent_set(rows: TrainingRows) -> "TrainingSet | None":
    """Return the inputs of the latest applications, whose outcomes nobody knows (zeros stand for them)."""
    import numpy as np

    from apps.engine.encoding import encode
    from apps.engine.training.dataset import TrainingSet

    if not rows.recent_rows:
        return None
    variables = rows.variables
    inputs = encode(variables, rows.recent, rows.recent_rows)
    return TrainingSet(variables, inputs, np.zeros(rows.recent_rows, dtype=np.int8))


def keep_snapshot(run: TrainingRun, rows: TrainingRows, *, by: Actor) -> StoredFile:
    """Write what is learnt from as Parquet: no name, no document, people as keys that only this run knows."""
    import polars as pl

    institution = current_institution_id()
    purpose = f"training:{run.uid}"
    people = {
        key: blind_index(str(key), institution_id=institution, purpose=purpose) for key in set(rows.people)
    }
    columns: dict[str, Any] = {
        "personne": pl.Series([people[key] for key in rows.people], dtype=pl.String),
        "date_demande": pl.Series(rows.days or [None] * rows.rows, dtype=pl.Date),
    }
    columns |= {each.name: _series(each, rows.columns[each.name]) for each in rows.variables}
    columns |= {f"groupe_{name}": pl.Series(each, dtype=pl.String) for name, each in rows.groups.items()}
    columns["defaut"] = pl.Series(rows.outcomes, dtype=pl.Int8)
    part = part_path(run.uid)
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    pl.DataFrame(columns).write_parquet(part)
    return keep_written(
        part=part,
        name=f"entrainement-{run.number}",
        purpose=FilePurpose.TRAINING,
        kind=FileKind.PARQUET,
        by=by,
        kept_days=int(setting_on("training_kept_days", default=KEPT_DAYS)),
    )


def _series(variable: Variable, values: Sequence[Value]) -> Any:
    import polars as pl

    if variable.type == "category":
        return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    return pl.Series([_number(value) for value in values], dtype=pl.Float64)
