"""A version as a zip of its declarative folder: the same files, the same hash."""

import io
import json
import zipfile

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.engine.dictionary import Dictionary
from apps.engine.expert import ExpertCard, ScorecardRefused, card_from
from apps.registry.enums import ModelOrigin, ModelSignature
from apps.registry.errors import ModelNotAllowed, NoApprovedModel
from apps.registry.loader import load_scorer, model_folder
from apps.registry.models import ModelVersion
from apps.registry.services.importing import MANIFEST
from apps.registry.services.signing import sign
from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError, NotAllowed
from apps.tenancy.roles import Verb

#: The same folder gives the same bytes.
_MOMENT = (1980, 1, 1, 0, 0, 0)


@transaction.atomic
def export_model(*, version: ModelVersion, by: Actor) -> tuple[str, bytes]:
    """Return the name and the bytes of a zip with every file of the version's folder.

    The manifest is signed for what was made here or came back as this platform's; a model from elsewhere
    leaves as it came.

    Raises ``NotAllowed``, or ``NoApprovedModel`` when the folder is not what the row says.
    """
    if not by.may(Verb.REPLAY):
        raise NotAllowed(_("Your role does not allow this."))
    load_scorer(version)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(model_folder(version).iterdir()):
            content = path.read_bytes()
            if path.name == MANIFEST and _is_ours(version):
                content = sign(content)
            archive.writestr(zipfile.ZipInfo(path.name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    record(by=by, action="model.export", target=version, after={"sha256": version.sha256})
    return file_name(version, "zip"), packed.getvalue()


def _is_ours(version: ModelVersion) -> bool:
    return version.origin != ModelOrigin.IMPORTED or version.signature == ModelSignature.PLATFORM


def file_name(version: ModelVersion, kind: str) -> str:
    """Return the name of a file about a version, plain enough for any system."""
    return f"{slugify(version.name) or 'modele'}-{slugify(version.version) or '0'}.{kind}"


def scorecard_of(version: ModelVersion) -> dict[str, object]:
    """Return the declaration of a scorecard written by people; raise ``ModelNotAllowed`` for others."""
    declared = load_scorer(version).artefact.manifest.get("scorecard") if version.is_expert else None
    if not isinstance(declared, dict):
        raise ModelNotAllowed(_("Only a scorecard written by people has a JSON of points."))
    return declared


def expert_card_of(version: ModelVersion) -> ExpertCard | None:
    """Return the scorecard that people wrote; ``None`` for another model, or one that does not load."""
    try:
        return card_from(scorecard_of(version), Dictionary(load_scorer(version).parts.variables))
    except (DomainError, ScorecardRefused):
        return None


def card_of(version: ModelVersion) -> str:
    """Return the text of the model card; empty for a model that does not load."""
    try:
        load_scorer(version)
    except NoApprovedModel:
        return ""
    return (model_folder(version) / "card.md").read_text(encoding="utf-8")


def scorecard_bytes(version: ModelVersion) -> bytes:
    """Return the declaration as a JSON text that can be changed by hand and imported."""
    return (json.dumps(scorecard_of(version), ensure_ascii=False, indent=2) + "\n").encode()
