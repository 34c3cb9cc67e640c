"""Readers of environment variables: what is accepted, what is refused and in which words."""

import re
from pathlib import Path

import pytest

from config import env
from config.env import EnvironmentVariableError

REPOSITORY = Path(__file__).resolve().parents[2]
READ = re.compile(r"""\b(?:text|flag|integer|items|networks|secret)\(\s*"([A-Z][A-Z0-9_]*)["]""")
DOCUMENTED = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
NAME = "CREDISENSE_EXAMPLE"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.delenv(f"{NAME}_FILE", raising=False)


def test_unset_variables_take_their_defaults() -> None:
    assert env.text(NAME, "b") == "b"
    assert env.flag(NAME, default=True) is True
    assert env.integer(NAME, 7) == 7
    assert env.items(NAME, ("a", "b")) == ["a", "b"]
    assert env.secret(NAME, "s") == "s"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "  ")
    assert env.text(NAME, "default") == "default"
    assert env.integer(NAME, 3) == 3


def test_a_required_variable_is_named_when_missing() -> None:
    with pytest.raises(EnvironmentVariableError, match=rf"{NAME}: expected a text, found nothing"):
        env.text(NAME)


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("Oui", True), ("on", True), ("no", False), ("0", False)]
)
def test_flag_reads_the_usual_words(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv(NAME, value)
    assert env.flag(NAME, default=not expected) is expected


def test_flag_refuses_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "maybe")
    with pytest.raises(EnvironmentVariableError, match=f"{NAME}: expected 1 or 0 .* found 'maybe'"):
        env.flag(NAME, default=False)


@pytest.mark.parametrize("value", ["ten", "1.5", "-1"])
def test_integer_refuses_what_is_not_a_whole_number_in_range(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(NAME, value)
    with pytest.raises(EnvironmentVariableError, match=f"{NAME}: expected a whole number of at least 0"):
        env.integer(NAME, 1, minimum=0)


def test_items_drops_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " a.example , ,b.example,")
    assert env.items(NAME) == ["a.example", "b.example"]


def test_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(file))
    assert env.secret(NAME) == "s3cret"


def test_secret_given_twice_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "s3cret")
    monkeypatch.setenv(f"{NAME}_FILE", "/nowhere")
    with pytest.raises(EnvironmentVariableError, match=f"{NAME}: .* not both") as refusal:
        env.secret(NAME)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_secret_file_must_hold_a_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(f"{NAME}_FILE", str(file))
    with pytest.raises(EnvironmentVariableError, match=f"{NAME}_FILE: expected a"):
        env.secret(NAME)


def test_data_dir_is_absolute_and_defaults_to_var(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDISENSE_DATA_DIR", raising=False)
    assert env.data_dir() == REPOSITORY / "var"
    monkeypatch.setenv("CREDISENSE_DATA_DIR", "elsewhere")
    assert env.data_dir() == Path.cwd() / "elsewhere"


def test_what_was_read_is_remembered_with_what_is_expected() -> None:
    env.integer(NAME, 1, minimum=1)
    assert env.expectations[NAME] == "a whole number of at least 1"


def test_every_variable_read_is_documented_and_none_besides() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "config").rglob("*.py")]
    read = {name for source in sources for name in READ.findall(source)}
    documented = set(DOCUMENTED.findall((REPOSITORY / ".env.example").read_text(encoding="utf-8")))
    assert documented == read
