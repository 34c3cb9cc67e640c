"""Files of rows in and out of the back-office: what every kind of row shares.

Each row goes through the service of its kind, so that a file can do nothing that a form could not.
"""

import contextlib
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import CharField, Model, QuerySet, TextField
from django.utils import translation
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.formats.base_formats import CSV, XLSX
from import_export.resources import ModelResource
from import_export.tmp_storages import BaseStorage
from import_export.widgets import Widget

from apps.institutions.models import Agency
from apps.institutions.queries import visible_agencies
from apps.institutions.services import save_agency
from apps.tenancy.actor import Actor
from apps.tenancy.cells import harmless, is_formula
from apps.tenancy.encryption import cipher
from apps.tenancy.errors import DomainError, InvalidValues

#: More rows are work for a background task; the person waits for this one, twice.
MAX_ROWS = 1_000
MAX_EXPORTED = 20_000
MAX_BYTES = 5 * 1024 * 1024
KEPT_SECONDS = 60 * 60
NAME = re.compile(r"[0-9a-f]{32}")
DATE_FORMATS = ("%d/%m/%Y", "%Y-%m-%d")
SPACES = re.compile(r"\s")


class PrivateFiles(BaseStorage):  # type: ignore[misc]
    """Keeps an upload from the preview to the confirmation: encrypted, under a name nobody chooses."""

    def save(self, data: bytes) -> None:
        folder = _folder()
        for left in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - KEPT_SECONDS:
                    left.unlink()
        self.name = secrets.token_hex(16)
        path = folder / self.name
        path.touch(mode=0o600)
        path.write_bytes(cipher().encrypt(data))

    def read(self) -> bytes:
        """Return what was saved; raise ``FileNotFoundError`` when it is gone or was not written here."""
        try:
            return cipher().decrypt(self._path().read_bytes(), ttl=KEPT_SECONDS)
        except InvalidToken:
            raise FileNotFoundError(self.name) from None

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def exists(self) -> bool:
        """Say whether ``read`` will find it."""
        try:
            self.read()
        except FileNotFoundError:
            return False
        return True

    def _path(self) -> Path:
        if not NAME.fullmatch(self.name or ""):
            raise FileNotFoundError(self.name)
        return _folder() / str(self.name)


def _folder() -> Path:
    folder: Path = settings.IMPORT_FILES_DIR
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _unescaped(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith("'") and is_formula(cell[1:]):
        return cell[1:]
    return cell


class SpreadsheetCSV(CSV):  # type: ignore[misc]
    """CSV as a French spreadsheet writes and opens it: semicolons; UTF-8 with its mark, or Windows' own."""

    def get_title(self) -> str:
        return "csv"

    def create_dataset(self, in_stream: bytes | str, **kwargs: Any) -> Any:
        text = _decoded(in_stream) if isinstance(in_stream, bytes) else in_stream
        first = text.partition("\n")[0]
        delimiter = ";" if first.count(";") >= first.count(",") else ","
        return super().create_dataset(text.lstrip("\ufeff"), delimiter=delimiter, **kwargs)

    def export_data(self, dataset: Any, **kwargs: Any) -> Any:
        return super().export_data(dataset, delimiter=";", **kwargs)

    def _escape_formulae(self, dataset: Any) -> None:
        _escape(dataset)


class Workbook(XLSX):  # type: ignore[misc]
    def _escape_formulae(self, dataset: Any) -> None:
        _escape(dataset)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _escape(dataset: Any) -> None:
    for _row in range(len(dataset)):
        dataset.append([harmless(cell) for cell in dataset.lpop()])


def formats() -> list[type[Any]]:
    """Return the kinds of file: Excel's only where its library is installed."""
    return [SpreadsheetCSV, *([Workbook] if Workbook.is_available() else [])]


class TextWidget(Widget):  # type: ignore[misc]
    """A text, also where a workbook took a phone or a number for a number."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str("" if value is None else value).strip()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return str(value or "")


class DayWidget(Widget):  # type: ignore[misc]
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date) or value in (None, ""):
            return value or None
        for wanted in DATE_FORMATS:
            with contextlib.suppress(ValueError):
                return datetime.strptime(str(value).strip(), wanted).date()  # noqa: DTZ007  a day has no zone
        raise ValueError(_("Write the date as dd/mm/yyyy."))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if value is None:
            return ""
        return value if kwargs.get("force_native_type") else date_format(value, "d/m/Y")


class AmountWidget(Widget):  # type: ignore[misc]
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        text = SPACES.sub("", str("" if value is None else value)).removesuffix(".0")
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004  no income is longer
            raise ValueError(_("Write a whole number of francs."))
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else (value if kwargs.get("force_native_type") else str(value))


class YesNoWidget(Widget):  # type: ignore[misc]
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        text = str("" if value is None else value).strip().casefold()
        if text in {"oui", "yes", "true", "vrai", "1", ""}:
            return True
        if text in {"non", "no", "false", "faux", "0"}:
            return False
        raise ValueError(_("Write yes or no."))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return _("yes") if value else _("no")


class ChoiceWidget(Widget):  # type: ignore[misc]
    """A code of a list, or its words in either language."""

    def __init__(self, choices: Any) -> None:
        super().__init__()
        self.choices = choices

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = str("" if value is None else value).strip()
        if not text:
            return ""
        for code in self.choices.values:
            if text.casefold() in self._names(code):
                return str(code)
        raise ValueError(_("“%(value)s” is not in the list.") % {"value": text})

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return str(self.choices(value).label) if value else ""

    def _names(self, code: str) -> set[str]:
        names = {str(code).casefold()}
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                names.add(str(self.choices(code).label).casefold())
        return names


class AgencyWidget(Widget):  # type: ignore[misc]
    """The code of an agency that the person sees; any other is unknown."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.known = {agency.code.casefold(): agency for agency in visible_agencies(actor)}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Agency:
        text = str("" if value is None else value).strip()
        agency = self.known.get(text.casefold())
        if agency is None:
            raise ValueError(_("Unknown agency: “%(code)s”.") % {"code": text})
        return agency

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value.code if value is not None else ""


class ServiceResource(ModelResource):  # type: ignore[misc]
    """Rows as ``actor`` sees and writes them. Columns are named in the person's language.

    A file may name them by their code, or by their words in either language.
    """

    def __init__(self, actor: Actor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actor = actor
        for name, field in self.fields.items():
            field.column_name = self.column(name)
            if isinstance(self._meta.model._meta.get_field(name), CharField | TextField):
                field.widget = TextWidget()

    def column(self, name: str) -> str:
        """Return the words of a column in the active language."""
        return str(capfirst(str(self._meta.model._meta.get_field(name).verbose_name)))

    def rows(self) -> QuerySet[Any]:
        """Return the rows that may be changed or exported."""
        raise NotImplementedError

    def write(self, row: Model) -> None:
        """Give the row to its service."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows()

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        if len(dataset) > MAX_ROWS:
            count = len(dataset)
            dataset.wipe()
            message = _("The file has %(count)s rows; at most %(most)s are imported at once.")
            raise InvalidValues(message % {"count": count, "most": MAX_ROWS})
        headers = [self._column_of(header) for header in dataset.headers or []]
        twice = {header for header in headers if headers.count(header) > 1}
        if twice:
            dataset.wipe()
            raise InvalidValues(
                _("Columns that stand twice: %(names)s.") % {"names": ", ".join(sorted(twice))}
            )
        dataset.headers = headers
        self._refuse_unknown(dataset, headers)

    def _refuse_unknown(self, dataset: Any, headers: list[str]) -> None:
        known = {field.column_name for field in self.fields.values()}
        if unknown := [header for header in headers if header not in known]:
            dataset.wipe()
            raise InvalidValues(_("Unknown columns: %(names)s.") % {"names": ", ".join(unknown)})

    def _column_of(self, header: Any) -> str:
        text = str(header or "").strip()
        for name in self.fields:
            if text.casefold() in self._names_of(name):
                return self.column(name)
        return text

    def _names_of(self, name: str) -> set[str]:
        names = {name}
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                names.add(self.column(name).casefold())
        return names

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, cell in row.items():
            row[name] = _unescaped(cell)

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Do nothing: the base class would set the tables' sequences, which the site may not."""

    def validate_instance(
        self, instance: Any, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        try:
            super().validate_instance(instance, import_validation_errors, validate_unique)
        except ValidationError as error:
            raise self._in_words(error.message_dict) from error

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        try:
            self.write(instance)
        except DomainError as refusal:
            if refusal.fields:
                raise self._in_words(refusal.fields) from refusal
            raise ValidationError(refusal.message) from refusal

    def _in_words(self, errors: Mapping[str, Iterable[str]]) -> ValidationError:
        told: dict[str, list[str]] = {}
        for name, texts in errors.items():
            told.setdefault(self.column(name) if name in self.fields else NON_FIELD_ERRORS, []).extend(texts)
        return ValidationError(told)


class AgencyResource(ServiceResource):
    class Meta:
        model = Agency
        fields = ("code", "name", "city", "region", "is_active")
        import_id_fields = ("code",)
        skip_unchanged = True
        report_skipped = True

    def __init__(self, actor: Actor, **kwargs: Any) -> None:
        super().__init__(actor, **kwargs)
        self.fields["is_active"].widget = YesNoWidget()

    def rows(self) -> QuerySet[Agency]:
        agencies = Agency.objects.order_by("code")
        limited = self.actor.agency_ids
        return agencies if limited is None else agencies.filter(id__in=limited)

    def write(self, row: Model) -> None:
        assert isinstance(row, Agency)
        save_agency(agency=row, by=self.actor)
