"""Typed readers of environment variables: a wrong value stops the start with the variable's name.

Every name is written as a literal at the call (`env.text("...")`), so that a test can compare the
names read in `config/` with those documented in `.env.example`. An empty value counts as unset.
"""

import ipaddress
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

REPOSITORY = Path(__file__).resolve().parent.parent
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TRUE = frozenset({"1", "true", "yes", "on", "oui"})
FALSE = frozenset({"0", "false", "no", "off", "non"})

#: What each variable read so far must hold, by name.
expectations: dict[str, str] = {}


class EnvironmentVariableError(ImproperlyConfigured):
    """A variable is missing or does not hold what is expected of it."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        """Name the variable and what it should hold; `found` never repeats a secret."""
        super().__init__(f"{name}: expected {expected}, found {found}.")
        self.name = name


def text(name: str, default: str | None = None) -> str:
    """Return the variable, or `default`; without a default the variable is required."""
    return _value(name, default, "a text")


def flag(name: str, default: bool) -> bool:
    """Return a yes/no variable (1, true, yes, on, oui; 0, false, no, off, non)."""
    expected = "1 or 0 (also true/false, yes/no, on/off, oui/non)"
    value = _value(name, str(int(default)), expected).lower()
    if value not in TRUE | FALSE:
        raise EnvironmentVariableError(name, expected, repr(value))
    return value in TRUE


def integer(name: str, default: int, *, minimum: int | None = None) -> int:
    """Return a whole number, at least `minimum` when one is given."""
    expected = "a whole number" if minimum is None else f"a whole number of at least {minimum}"
    value = _value(name, str(default), expected)
    try:
        number = int(value)
    except ValueError:
        raise EnvironmentVariableError(name, expected, repr(value)) from None
    if minimum is not None and number < minimum:
        raise EnvironmentVariableError(name, expected, str(number))
    return number


def items(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated list, without blanks and empty entries."""
    value = _value(name, ",".join(default), "a list separated by commas")
    return [item.strip() for item in value.split(",") if item.strip()]


def networks(name: str, default: tuple[str, ...] = ()) -> list[Network]:
    """Return a comma-separated list of addresses and networks (10.0.0.5, 10.1.0.0/16, ::1)."""
    expected = "addresses or networks such as 10.0.0.5 or 10.1.0.0/16, separated by commas"
    value = _value(name, ",".join(default), expected)
    try:
        return [ipaddress.ip_network(item.strip()) for item in value.split(",") if item.strip()]
    except ValueError:
        raise EnvironmentVariableError(name, expected, repr(value)) from None


def secret(name: str, default: str | None = None) -> str:
    """Return the variable, or what the file named by `NAME_FILE` holds; both at once are refused."""
    expected = f"a value here, or a file name in {name}_FILE"
    file_name = os.environ.get(f"{name}_FILE", "")
    if not file_name:
        return _value(name, default, expected)
    expectations[name] = expected
    if os.environ.get(name):
        raise EnvironmentVariableError(name, f"{expected}, not both", "both")
    try:
        content = Path(file_name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentVariableError(f"{name}_FILE", "a readable file", str(error)) from error
    if not content:
        raise EnvironmentVariableError(f"{name}_FILE", "a file with a value", "an empty file")
    return content


def data_dir() -> Path:
    """Return the absolute folder of everything written at run time (database, files, job queue)."""
    return Path(text("CREDISENSE_DATA_DIR", str(REPOSITORY / "var"))).expanduser().absolute()


def _value(name: str, default: str | None, expected: str) -> str:
    expectations[name] = expected
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise EnvironmentVariableError(name, expected, "nothing")
    return default
