"""Model folders to scorers: checked against the row's hash, loaded once per process."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from apps.institutions.queries import get_institution
from apps.registry.errors import NoApprovedModel
from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from apps.engine.scorer import Scorer

logger = logging.getLogger(__name__)
KEPT_IN_MEMORY = 32
_not_loaded: set[str] = set()


def load_scorer(version: ModelVersion) -> "Scorer":
    """Return the scorer of a version.

    Raises ``NoApprovedModel``, after a log line that says why, when the folder is missing, altered or
    does not reproduce its own golden figures; nothing else of the site depends on it.
    """
    from apps.engine.artifacts import ArtefactRefused

    folder = model_folder(version)
    try:
        scorer = _load(folder, version.sha256)
    except (ArtefactRefused, OSError) as error:
        logger.error("Model %s (%s) refused at load: %s", version, version.sha256[:12], error)  # noqa: TRY400  the reason is the message
        _not_loaded.add(_label(version))
        raise NoApprovedModel(_("No approved model: no score can be given for the moment.")) from error
    _not_loaded.discard(_label(version))
    return scorer


def loads(version: ModelVersion) -> bool:
    """Say whether a version loads in this process; the reason why it does not is a log line."""
    try:
        load_scorer(version)
    except NoApprovedModel:
        return False
    return True


def not_loaded() -> list[str]:
    """Return the models that this process tried to load and could not; institutions are not named."""
    return sorted(_not_loaded)


def model_folder(version: ModelVersion) -> Path:
    """Return where the folder of a version stands: the platform's tree or the institution's own files."""
    if version.platform_model_id is not None:
        return _platform_folder(settings.PLATFORM_MODELS_DIR, version.name, version.version)
    assert version.institution_id is not None  # the table does not allow it
    return _own_folder(settings.INSTITUTION_FILES_DIR, version.institution_id, version.sha256)


def _label(version: ModelVersion) -> str:
    return f"{version.name} {version.version} ({version.sha256[:12]})"


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _platform_folder(root: Path, name: str, version: str) -> Path:
    return Path(root) / name / version


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _own_folder(root: Path, institution_id: int, sha256: str) -> Path:
    """Keep the answer: an institution never changes its identifier."""
    return Path(root) / str(get_institution(institution_id).uid) / "models" / sha256


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _load(folder: Path, sha256: str) -> "Scorer":
    from apps.engine.artifacts import read
    from apps.engine.scorer import Scorer

    return Scorer(read(folder, expected_sha256=sha256))
