"""Agencies of the demonstration: weight in the portfolio, local risk, and where their clients live."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class City:
    """``risk`` is in log-odds before the spread; ``urban`` runs from 0 to 1; ``opens`` is a month of history.

    ``families`` weighs the groups of family names heard there (see ``names.FAMILY_NAMES``).
    """

    name: str
    prefix: str
    region: str
    weight: float
    risk: float
    urban: float
    families: dict[str, float]
    towns: tuple[str, ...]
    north: bool = False
    english: bool = False
    opens: int | None = None


LITTORAL = {"littoral": 0.35, "ouest": 0.40, "centre": 0.13, "nord": 0.04, "anglophone": 0.08}
CENTRE = {"centre": 0.55, "ouest": 0.27, "littoral": 0.07, "nord": 0.06, "anglophone": 0.05}
OUEST = {"ouest": 0.90, "littoral": 0.03, "centre": 0.03, "nord": 0.04}
NORD = {"nord": 0.84, "centre": 0.06, "ouest": 0.10}
NORD_OUEST = {"anglophone": 0.93, "ouest": 0.05, "nord": 0.02}
SUD_OUEST = {"anglophone": 0.80, "ouest": 0.11, "littoral": 0.09}
EST = {"centre": 0.62, "nord": 0.20, "ouest": 0.18}

CITIES = (
    City("Douala", "DLA", "Littoral", 0.24, 0.10, 1.0, LITTORAL, ("Edéa", "Dibombari", "Souza")),
    City("Yaoundé", "YDE", "Centre", 0.21, 0.05, 1.0, CENTRE, ("Obala", "Mbalmayo", "Mfou", "Soa")),
    City("Bafoussam", "BFS", "Ouest", 0.10, -0.25, 0.6, OUEST, ("Mbouda", "Bandjoun", "Foumbot")),
    City("Garoua", "GRA", "Nord", 0.06, 0.20, 0.4, NORD, ("Pitoa", "Guider", "Lagdo"), north=True),
    City("Maroua", "MRA", "Extrême-Nord", 0.06, 0.30, 0.3, NORD, ("Mokolo", "Kaélé", "Mora"), north=True),
    City(
        "Bamenda",
        "BDA",
        "Nord-Ouest",
        0.05,
        0.45,
        0.5,
        NORD_OUEST,
        ("Bambili", "Bali", "Mbengwi"),
        english=True,
    ),
    City("Ngaoundéré", "NGE", "Adamaoua", 0.05, 0.0, 0.4, NORD, ("Meiganga", "Dang"), north=True),
    City("Bertoua", "BTA", "Est", 0.04, 0.0, 0.3, EST, ("Batouri", "Abong-Mbang")),
    City("Buea", "BUE", "Sud-Ouest", 0.04, 0.30, 0.5, SUD_OUEST, ("Muea", "Mutengene", "Tiko"), english=True),
    City("Dschang", "DSG", "Ouest", 0.04, -0.30, 0.3, OUEST, ("Santchou", "Fongo-Tongo")),
    City("Limbé", "LBE", "Sud-Ouest", 0.03, 0.0, 0.5, SUD_OUEST, ("Idenau", "Batoke"), english=True),
    City("Ebolowa", "EBW", "Sud", 0.03, 0.0, 0.2, CENTRE, ("Sangmélima", "Mengong")),
    City("Kribi", "KBI", "Sud", 0.03, 0.0, 0.3, CENTRE, ("Londji", "Campo"), opens=20),
    City("Nkongsamba", "NKG", "Littoral", 0.02, 0.0, 0.3, LITTORAL, ("Loum", "Melong")),
)


def cities_named(names: Sequence[str] | None) -> tuple[City, ...]:
    """Find an institution's cities, all of them by default; ``ValueError`` for a name without agency."""
    if names is None:
        return CITIES
    unknown = sorted(set(names) - {city.name for city in CITIES})
    if unknown or not names:
        raise ValueError(f"no agency in: {', '.join(unknown) or 'an empty list'}")
    return tuple(city for city in CITIES if city.name in names)


def attribute(name: str) -> NDArray[Any]:
    """One attribute of every city, indexed as ``CITIES``."""
    return np.array([getattr(city, name) for city in CITIES])
