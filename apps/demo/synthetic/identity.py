"""Names, phones and documents of people who do not exist."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic import lists, names, places

Objects = NDArray[np.object_]

GROUPS = tuple(names.FAMILY_NAMES)
TWO_GIVEN_NAMES, TWO_FAMILY_NAMES = 0.40, 0.15
NEAR_AGENCY = 0.88  # the others live in a town around it
UNALLOCATED_PREFIX = "+23760"  # no operator serves 60: nobody is called by mistake
PHONES, DOCUMENTS = 10**7, 10**9
ID_TYPES = ("cni", "recepisse", "passeport", None)
ID_SHARES = (0.76, 0.15, 0.03, 0.06)


def describe(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Identity columns of each client, texts as plain objects, ``None`` where a person has no document."""
    city, woman = people["city"].to_numpy(), people["woman"].to_numpy()
    last, first = _names(rng, city, woman)
    id_type, id_number = _documents(rng, len(people))
    sector = lists.objects(lists.SECTORS)[people["sector"].to_numpy()]
    jobs = np.array([lists.JOBS[code] for code in lists.SECTORS], dtype=object)
    english = places.attribute("english")[city]
    return pd.DataFrame(
        {
            "reference": _references(city),
            "last_name": last,
            "first_names": first,
            "phone": _numbers(rng, len(people), UNALLOCATED_PREFIX, PHONES),
            "city": _homes(rng, city),
            "agency_city": lists.objects(places.attribute("name").tolist())[city],
            "region": lists.objects(places.attribute("region").tolist())[city],
            "id_type": id_type,
            "id_number": id_number,
            "job": jobs[people["sector"].to_numpy(), np.where(woman, 0, 1)],
            "secteur": sector,
            "preferred_language": np.where(
                rng.random(len(people)) < np.where(english, 0.9, 0.06),
                lists.objects(["en"]),
                lists.objects(["fr"]),
            ),
        },
        dtype=object,
    )


def _names(
    rng: np.random.Generator, city: NDArray[np.int64], woman: NDArray[np.bool_]
) -> tuple[Objects, Objects]:
    """Family and given names, by the group of names drawn for the city."""
    weights = np.array([[c.families.get(group, 0.0) for group in GROUPS] for c in places.CITIES])
    limits = np.cumsum(weights, axis=1)[city]
    group = (rng.random(len(city))[:, None] * limits[:, -1:] > limits).sum(axis=1)
    last, first = np.empty(len(city), dtype=object), np.empty(len(city), dtype=object)
    for index, name in enumerate(GROUPS):
        here = group == index
        last[here] = _one_or_two(rng, names.FAMILY_NAMES[name], here.sum(), TWO_FAMILY_NAMES)
        for given, mine in zip(names.GIVEN_NAMES[name], (here & woman, here & ~woman), strict=True):
            first[mine] = _one_or_two(rng, given, mine.sum(), TWO_GIVEN_NAMES)
    return last, first


def _one_or_two(rng: np.random.Generator, pool: tuple[str, ...], n: int, two: float) -> Objects:
    """``n`` names of the pool, a share of them followed by a second, different one."""
    one = rng.integers(0, len(pool), n)
    other = (one + rng.integers(1, len(pool), n)) % len(pool)
    single = lists.objects(pool)[one]
    chosen: Objects = np.where(rng.random(n) < two, single + " " + lists.objects(pool)[other], single)
    return chosen


def _references(city: NDArray[np.int64]) -> Objects:
    """Agency prefix and running number: unique, in the order of entry."""
    prefixes = places.attribute("prefix").tolist()
    return lists.objects([f"{prefixes[c]}-{i:06d}" for i, c in enumerate(city.tolist(), start=1)])


def _numbers(rng: np.random.Generator, n: int, prefix: str, modulus: int) -> Objects:
    """Distinct numbers of as many digits as ``modulus`` has zeros, by a stride prime to it."""
    digits = len(str(modulus)) - 1
    values = (int(rng.integers(modulus)) + np.arange(n, dtype=np.int64) * 7_654_321) % modulus
    return lists.objects([f"{prefix}{value:0{digits}d}" for value in values.tolist()])


def _documents(rng: np.random.Generator, n: int) -> tuple[Objects, Objects]:
    """Type and number; the number says that it is fictional."""
    kind = lists.objects(ID_TYPES)[rng.choice(len(ID_TYPES), n, p=ID_SHARES)]
    number = _numbers(rng, n, "FICTIF", DOCUMENTS)
    return kind, np.where(pd.isna(kind), lists.UNKNOWN, number)


def _homes(rng: np.random.Generator, city: NDArray[np.int64]) -> Objects:
    names_of = [(c.name, *c.towns) for c in places.CITIES]
    near = rng.random(len(city)) < NEAR_AGENCY
    pick = rng.integers(0, 2**31, len(city))
    return lists.objects(
        [
            names_of[c][0] if close else names_of[c][1 + p % (len(names_of[c]) - 1)]
            for c, close, p in zip(city.tolist(), near.tolist(), pick.tolist(), strict=True)
        ]
    )
