"""Model folders: ``write`` a trained model, ``read`` one back or refuse it; never a pickle."""

from apps.engine.folders import ArtefactRefused, read
from apps.engine.model import Artefact
from apps.engine.training.writing import write_model as write

__all__ = ["Artefact", "ArtefactRefused", "read", "write"]
