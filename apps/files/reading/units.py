"""Units that look wrong: a question to the person, never a correction."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.files.reading.mapping import Conversion, Match
from apps.files.reading.values import Typed


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Values of ``header`` that another unit would explain better; ``evidence`` has the figures seen."""

    header: str
    field: str
    conversion: Conversion
    evidence: dict[str, float]


def suspicions(sample: Typed, matches: Sequence[Match]) -> list[Suspicion]:
    """Return the questions to ask about units: annual or monthly, years or months, fraction or percent."""
    raise NotImplementedError
