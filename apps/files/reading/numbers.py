"""Numbers as people write them: a column of texts to a column of numbers.

Reads what ``engine.cleaning`` reads, and what only files hold: marks of thousands (« 1.500.000 »,
« 1'500'000 »), a unit after the number. Of « 1.500 », which may be either, the decimal mark of the file says
what it is.
"""

import polars as pl

_SPACES = "[ \u00a0\u202f\u2009'’]"
_SPACED = rf"^[+-]?[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+(?:[.,][0-9]+)?$"
_PLAIN = r"^[+-]?[0-9]+(?:\.[0-9]+)?$"
_LONGEST = 40
_UNITS = {
    "XAF": r"(?i)\s*(?:f\s?cfa|xaf|cfa|frs?|f)\.?$",
    "percent": r"\s*%$",
    "months": r"(?i)\s*(?:mois|months?)$",
    "years": r"(?i)\s*(?:ans?|years?)$",
    "km": r"(?i)\s*km$",
}


def numbers(texts: pl.Series, *, decimal: str, unit: str = "") -> pl.Series:
    """Return Int64 when every text is a plain whole number, else Float64; null for what is no number.

    ``texts`` holds no blank around its values; ``unit`` is that of the field, which may follow a number.
    """
    whole = texts.cast(pl.Int64, strict=False)
    others = whole.is_null() & texts.is_not_null()
    if not others.any():
        return whole
    values = whole.cast(pl.Float64)
    return values.scatter(others.arg_true(), _written(texts.filter(others), decimal, unit))


def _written(texts: pl.Series, decimal: str, unit: str) -> pl.Series:
    if decimal == "." and (texts.str.contains(_PLAIN) & (texts.str.len_bytes() <= _LONGEST)).all():
        return texts.cast(pl.Float64)  # as programs write them
    suffix = _UNITS.get(unit.partition("_")[0])
    text = pl.col("text") if suffix is None else pl.col("text").str.replace(suffix, "")
    frame = pl.DataFrame({"text": texts}).with_columns(text)
    frame = frame.with_columns(_without_groups(pl.col("text"), decimal).str.replace(",", ".", literal=True))
    read = pl.col("text")
    plain = read.str.contains(_PLAIN) & (read.str.len_bytes() <= _LONGEST)
    return frame.select(pl.when(plain).then(read).cast(pl.Float64, strict=False)).to_series()


def _without_groups(text: pl.Expr, decimal: str) -> pl.Expr:
    """Take the marks of thousands out: spaces; the mark that is not decimal; any mark found twice."""
    other = "." if decimal == "," else ","
    grouped = rf"^[+-]?[1-9][0-9]{{0,2}}(?:[{other}][0-9]{{3}})+(?:[{decimal}][0-9]+)?$"
    group = rf"(?:[{decimal}][0-9]{{3}})"
    twice = rf"^[+-]?[1-9][0-9]{{0,2}}(?:{group}{{2,}}|{group}+[{other}][0-9]+)$"
    return (
        pl.when(text.str.contains(_SPACED))
        .then(text.str.replace_all(_SPACES, ""))
        .when(text.str.contains(grouped))
        .then(text.str.replace_all(other, "", literal=True))
        .when(text.str.contains(twice))
        .then(text.str.replace_all(decimal, "", literal=True))
        .otherwise(text)
    )
