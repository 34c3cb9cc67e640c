"""One value for every row of a file, of what no column holds: the day of a balance, the agency."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl
from django.utils.translation import gettext as _

from apps.credits.validators import UNSEEN
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field, Match
from apps.files.reading.values import Typed, typed
from apps.files.reading.wording import sentence
from apps.tenancy.errors import InvalidValues

LONGEST = 200


def open_to_one_value(fields: Iterable[Field], held: Iterable[str | None]) -> list[Field]:
    """Return the fields that may be the same on every row and that no column holds; required ones first."""
    taken = set(held)
    offered = [each for each in fields if each.common and each.name not in taken]
    return sorted(offered, key=lambda each: not each.required)


def read_common(
    texts: Mapping[str, str], fields: Sequence[Field], matches: Sequence[Match], dialect: Dialect
) -> dict[str, pl.Series]:
    """Return each value as a column of one row, typed and checked as a cell of the file would be.

    Days are read in the order of the file's ``dialect``, numbers with either decimal mark.
    ``texts`` gives what was written by name of field. Raises ``InvalidValues``, with what is wrong of each,
    for a value that cannot be used, and for a field that is unknown, held by a column, or each row's own.
    """
    offered = {each.name: each for each in open_to_one_value(fields, (match.field for match in matches))}
    refused = {
        name: [_("No value for all the rows can be given of “%(name)s”.") % {"name": name}]
        for name in texts
        if name not in offered
    }
    columns: dict[str, pl.Series] = {}
    for name, text in texts.items():
        if name in offered and (UNSEEN.search(text) or len(text) > LONGEST):
            refused[name] = [_("Write at most %(most)d characters, on one line.") % {"most": LONGEST}]
        elif name in offered:
            found = _read(text, offered[name], dialect)
            refused |= {name: [_said(found, offered[name])]} if found.errors.height else {}
            columns |= found.columns
    if refused:
        raise InvalidValues(_("Some values for all the rows cannot be used."), fields=refused)
    return columns


def _read(text: str, field: Field, dialect: Dialect) -> Typed:
    typed_as = dialect.replaced(decimal="," if "," in text else ".")
    one = pl.DataFrame({field.name: [text]}, schema={field.name: pl.String})
    return typed(one, [Match(field.name, field.name)], [field], typed_as)


def _said(found: Typed, field: Field) -> str:
    error = found.errors.row(0, named=True)
    return sentence(error["code"], error["args"], field)
