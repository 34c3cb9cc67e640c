"""Which model is in production, since when, and which was before; what was trained, and what may be."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from apps.credits.enums import Outcome
from apps.credits.models import CreditApplication
from apps.institutions.queries import get_institution
from apps.registry.enums import (
    GENERAL_SEGMENT,
    HistoryLevel,
    ModelOrigin,
    ModelStatus,
    StartOrigin,
    TrainingData,
)
from apps.registry.errors import NoApprovedModel
from apps.registry.models import Championship, ModelVersion, PlatformModel, Promotion, TrainingRun
from apps.tenancy.context import current_institution_id
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.prepared import Prepared
from apps.tenancy.roles import Verb, roles_with
from apps.users.models import User
from apps.users.queries import active_memberships


def _champions(*, credit_type: str) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(
        status=ModelStatus.CHAMPION, segment__in=[credit_type, GENERAL_SEGMENT]
    )


_CHAMPIONS = Prepared(_champions, tenant=True, credit_type=str)


def champion_for(credit_type: str = GENERAL_SEGMENT) -> ModelVersion:
    """Return the champion of a credit type: its own, else the institution's general one.

    Raises ``NoApprovedModel`` when there is none. A model trained on synthetic data counts in
    demonstration mode only, whatever its row says.
    """
    return champion_among(_CHAMPIONS.rows(credit_type=credit_type), credit_type)


def champion_among(versions: Iterable[ModelVersion], credit_type: str = GENERAL_SEGMENT) -> ModelVersion:
    """Choose as ``champion_for`` does among the champions of an institution; raise ``NoApprovedModel``."""
    champions = {
        version.segment: version
        for version in versions
        if settings.DEMO_MODE or version.training_data != TrainingData.SYNTHETIC
    }
    champion = champions.get(credit_type) or champions.get(GENERAL_SEGMENT)
    if champion is None:
        raise NoApprovedModel(_("No approved model: no score can be given for the moment."))
    return champion


def model_versions(*, status: str = "") -> QuerySet[ModelVersion]:
    """Return the versions of the institution, all or those of one status."""
    versions = ModelVersion.objects.select_related("created_by")
    return versions.filter(status=status) if status else versions


def get_model_version(uid: UUID) -> ModelVersion:
    """Return one version of the open scope; raise ``ObjectNotFound`` when unknown or elsewhere, alike."""
    version = ModelVersion.objects.select_related("created_by").filter(uid=uid).first()
    if version is None:
        raise ObjectNotFound(_("Not found"))
    return version


def offered_models() -> list[PlatformModel]:
    """Return the platform's models that the institution does not hold, the latest first.

    Those trained on fictional data are offered in demonstration mode only.
    """
    held = ModelVersion.objects.filter(name=OuterRef("name"), version=OuterRef("version"))
    rows = PlatformModel.objects.exclude(Exists(held)).order_by("-trained_at", "-pk")
    return [row for row in rows if settings.DEMO_MODE or not row.is_synthetic]


def get_offered_model(uid: UUID | None) -> PlatformModel:
    """Return one model of the platform that may be installed; raise ``ObjectNotFound`` for any other."""
    found = next((row for row in offered_models() if row.uid == uid), None)
    if found is None:
        raise ObjectNotFound(_("The platform offers no such model, or you hold it already."))
    return found


def times_in_production(version: ModelVersion | None = None) -> QuerySet[Championship]:
    """Return the times in production, the latest first; those of one version when it is given.

    Each has the one that follows it, if any, as ``next.first()`` without a further query.
    """
    times = Championship.objects.select_related("model_version", "proposed_by", "started_by", "promotion")
    times = times.prefetch_related("next").order_by("-started_at", "-pk")
    return times if version is None else times.filter(model_version=version)


def in_production_at(moment: dt.datetime) -> list[Championship]:
    """Return what was in production at an instant, one a segment, the general one first."""
    begun = Championship.objects.filter(started_at__lte=moment)
    latest = begun.order_by("segment", "-started_at").distinct("segment").values("pk")
    found = times_in_production().filter(pk__in=latest)
    return sorted(found, key=lambda time: (time.segment != GENERAL_SEGMENT, time.segment))


def version_before(version: ModelVersion) -> ModelVersion | None:
    """Return the version that a rollback of the champion ``version`` brings back.

    A rollback undoes the promotion before it: going back twice goes back further, never forth.
    """
    stack: list[ModelVersion] = []
    times = Championship.objects.filter(segment=version.segment).select_related("model_version")
    for time in times.order_by("started_at", "pk"):
        if time.origin == StartOrigin.ROLLBACK:
            stack = stack[:-1] or stack
        else:
            stack.append(time.model_version)
    earlier = [each for each in stack[:-1] if each.pk != version.pk]
    return earlier[-1] if earlier else None


def open_promotions() -> QuerySet[Promotion]:
    """Return the promotions that wait for somebody or for their hour."""
    return Promotion.objects.open().select_related("model_version", "proposed_by", "decided_by")


def promotions_of(version: ModelVersion) -> QuerySet[Promotion]:
    """Return the promotions of a version, the latest first."""
    rows = Promotion.objects.filter(model_version=version).select_related("proposed_by", "decided_by")
    return rows.order_by("-proposed_at", "-pk")


def approvers(*, institution_id: int, beside: int | None = None) -> list[User]:
    """Return who may approve a model now, the person ``beside`` left out."""
    roles = [str(role) for role in roles_with(Verb.APPROVE_MODEL)]
    members = active_memberships().filter(institution_id=institution_id, role__in=roles).order_by("pk")
    return [member.user for member in members if member.user_id != beside]


#: Matured defaults from which an institution's own history allows more (MODELS.md).
LADDER = (
    (0, HistoryLevel.EXPERT),
    (50, HistoryLevel.RECALIBRATED),
    (150, HistoryLevel.SCORECARD),
    (400, HistoryLevel.EVERY),
)
#: Level -> the candidates that may be trained; ``None`` is all of them.
ALLOWED: Mapping[HistoryLevel, tuple[str, ...] | None] = {
    HistoryLevel.EXPERT: (),
    HistoryLevel.RECALIBRATED: (),
    HistoryLevel.SCORECARD: ("scorecard", "logistic", "dummy"),
    HistoryLevel.EVERY: None,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an institution's history stands: matured credits, defaults among them, what they allow.

    ``next_at`` is how many defaults the next level needs, ``None`` at the last. ``fictional`` is the
    history of a demonstration: every candidate may be tried on it, and none serves outside.
    """

    rows: int
    defaults: int
    level: HistoryLevel
    next_at: int | None
    fictional: bool

    def allows(self, kind: str) -> bool:
        allowed = ALLOWED[self.level]
        return self.fictional or allowed is None or kind in allowed


def level_of(defaults: int) -> HistoryLevel:
    """Return what so many matured defaults allow."""
    return next(level for least, level in reversed(LADDER) if defaults >= least)


def standing_with(*, rows: int, defaults: int) -> Standing:
    """Return the standing of a history of so many credits and defaults, in the open scope."""
    return Standing(
        rows=rows,
        defaults=defaults,
        level=level_of(defaults),
        next_at=next((least for least, _level in LADDER if least > defaults), None),
        fictional=get_institution(current_institution_id()).is_demo,
    )


def history_standing() -> Standing:
    """Return where the history of the open scope stands today, by the outcomes that are known."""
    known = CreditApplication.objects.matured().exclude(credits__exclusion__gt="")
    counts: dict[str, int] = known.aggregate(
        rows=Count("pk"), defaults=Count("pk", filter=Q(outcome=Outcome.DEFAULT))
    )
    return standing_with(rows=counts["rows"], defaults=counts["defaults"])


def training_runs() -> QuerySet[TrainingRun]:
    """Return the training runs of the institution, without their results, which are long."""
    return TrainingRun.objects.select_related("job", "asked_by").defer("result")


def get_training_run(uid: UUID) -> TrainingRun:
    """Return one run with its result; raise ``ObjectNotFound`` when unknown or elsewhere, alike."""
    runs = TrainingRun.objects.select_related("job", "asked_by", "source", "snapshot")
    run = runs.filter(uid=uid).first()
    if run is None:
        raise ObjectNotFound(_("Not found"))
    return run


def versions_of_run(run: TrainingRun) -> dict[str, ModelVersion]:
    """Return the versions that were kept of a run, by the kind of candidate."""
    kinds = {told["sha256"]: kind for kind, told in run.written.items()}
    kept = ModelVersion.objects.filter(sha256__in=list(kinds), origin=ModelOrigin.TRAINED)
    return {kinds[version.sha256]: version for version in kept}
