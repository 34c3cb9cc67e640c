import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.api.fields import PlainBoolean, StrictSerializer
from apps.api.v1.pages import ListSerializer
from apps.credits.enums import ImportMode, ImportState
from apps.credits.importing.registry import TARGETS, target_named
from apps.credits.importing.runs import first_problems
from apps.credits.importing.shared_values import LONGEST
from apps.credits.importing.templates import KINDS
from apps.credits.models import ImportRun
from apps.credits.queries.imports import state_of
from apps.files.reading.layout import SEPARATORS
from apps.files.reading.mapping import Conversion, Match
from apps.files.reading.previews import Preparation
from apps.files.reading.wording import ENCODING_NAMES
from apps.jobs.enums import JobStatus
from apps.tenancy.cursors import Order
from apps.tenancy.errors import InvalidValues

_TARGETS = [(each.name, each.name) for each in TARGETS]
_CONVERSIONS = [(str(each), str(each)) for each in Conversion if each]
#: States in which the files of the last step are there.
_ENDED = frozenset({ImportState.CHECKED, ImportState.IMPORTED})


class ImportListSerializer(ListSerializer):
    """Filters of the imports."""

    orders = {"-created_at": Order("created_at"), "created_at": Order("created_at", descending=False)}

    target = serializers.ChoiceField(choices=_TARGETS, required=False, help_text="Ce qui est importé")


class ImportTemplateSerializer(StrictSerializer):
    """La forme du modèle."""

    kind = serializers.ChoiceField(
        choices=[(kind, kind) for kind in KINDS], default="csv", help_text="CSV ou classeur Excel"
    )


class NewImportSerializer(StrictSerializer):
    """Un fichier CSV ou Excel à importer : une ligne d'en-têtes, puis une ligne par objet."""

    file = serializers.FileField(help_text="CSV ou XLSX")
    target = serializers.ChoiceField(choices=_TARGETS, help_text="Ce que tient le fichier")


class ImportReadingSerializer(StrictSerializer):
    """Comment lire le fichier, là où la détection est à corriger."""

    encoding = serializers.ChoiceField(
        choices=[(name, name) for name in ENCODING_NAMES], required=False, help_text="Encodage d'un CSV"
    )
    separator = serializers.ChoiceField(
        choices=[(mark, mark) for mark in SEPARATORS], required=False, help_text="Séparateur d'un CSV"
    )
    decimal = serializers.ChoiceField(
        choices=[(",", ","), (".", ".")], required=False, help_text="Signe décimal"
    )
    day_first = PlainBoolean(required=False, help_text="Le jour avant le mois")
    header_line = serializers.IntegerField(
        min_value=1, max_value=100, required=False, help_text="Ligne des en-têtes"
    )


class ImportColumnSerializer(StrictSerializer):
    """Ce que tient une colonne."""

    header = serializers.CharField(max_length=2_000, help_text="En-tête, tel qu'il est dans `columns`")
    field = serializers.CharField(
        max_length=60, allow_null=True, help_text="Champ de `fields` ; null : colonne laissée de côté"
    )
    conversion = serializers.ChoiceField(
        choices=_CONVERSIONS, required=False, allow_blank=True, help_text="Ce qui est fait des valeurs"
    )


class ImportCheckSerializer(StrictSerializer):
    """Le contrôle à faire ; sans `columns`, les colonnes sont prises pour ce que dit `proposal`."""

    reading = ImportReadingSerializer(required=False)
    columns = ImportColumnSerializer(many=True, required=False)
    common = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST, allow_blank=True),
        required=False,
        help_text="Une valeur pour toutes les lignes, par champ que `fields` dit `common` et "
        "qu'aucune colonne ne tient",
    )


class ImportConfirmSerializer(StrictSerializer):
    """Les lignes à importer."""

    mode = serializers.ChoiceField(choices=ImportMode.choices, help_text="`valid` ou `all` (tout ou rien)")
    keep_duplicates = PlainBoolean(default=False, help_text="Importer aussi les doublons probables")


class ImportFieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    common = serializers.BooleanField(help_text="Une même valeur peut valoir pour toutes les lignes")


class ProposedColumnSerializer(serializers.Serializer[Any]):
    header = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    conversion = serializers.CharField(allow_blank=True)
    certain = serializers.BooleanField()


class UnitQuestionSerializer(serializers.Serializer[Any]):
    header = serializers.CharField()
    conversion = serializers.CharField()
    text = serializers.CharField()


class ImportProposalSerializer(serializers.Serializer[Any]):
    """Ce que le lecteur a compris : à corriger dans `check`. Une question posée attend une réponse."""

    headers = serializers.ListField(child=serializers.CharField())
    lines = serializers.ListField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
    columns = ProposedColumnSerializer(many=True)
    questions = UnitQuestionSerializer(many=True)
    fields = ImportFieldSerializer(many=True)  # type: ignore[assignment]


class ImportCountsSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField()
    new = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()


class ImportProblemSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    problem = serializers.CharField()
    what_to_do = serializers.CharField(allow_blank=True)


class ImportLinksSerializer(serializers.Serializer[Any]):
    self = serializers.CharField()
    rejects = serializers.CharField()
    problems = serializers.CharField()


class ImportLineSerializer(serializers.Serializer[Any]):
    """Un import de la liste."""

    id = serializers.UUIDField()
    target = serializers.ChoiceField(choices=_TARGETS)
    file = serializers.CharField()
    status = serializers.ChoiceField(choices=ImportState.choices)
    rows_total = serializers.IntegerField()
    progress = serializers.IntegerField(help_text="Pour cent de l'étape en cours")
    counts = ImportCountsSerializer()
    created_at = serializers.DateTimeField()
    links = ImportLinksSerializer()


class ImportSerializer(ImportLineSerializer):
    """Où en est un import ; `problems` en donne les 200 premiers, le fichier `links.problems` tous."""

    mode = serializers.ChoiceField(choices=ImportMode.choices)
    keep_duplicates = serializers.BooleanField()
    common = serializers.DictField(
        child=serializers.CharField(), help_text="Les valeurs de toutes les lignes, par champ"
    )
    error = serializers.CharField(allow_blank=True)
    quality = serializers.IntegerField(
        allow_null=True, help_text="Qualité du fichier au contrôle, de 0 à 100 ; null avant"
    )
    problems = ImportProblemSerializer(many=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


def import_line(run: ImportRun) -> dict[str, Any]:
    """Return an import as the list shows it."""
    return {
        "id": str(run.uid),
        "target": run.target,
        "file": run.source.original_name,
        "status": state_of(run),
        "rows_total": run.rows_total,
        "progress": run.job.progress if run.job else 0,
        "counts": {
            "read": run.rows_read,
            "new": run.rows_new,
            "updated": run.rows_updated,
            "unchanged": run.rows_unchanged,
            "duplicate": run.rows_duplicate,
            "rejected": run.rows_rejected,
        },
        "created_at": _moment(run.created_at),
        "links": {
            "self": reverse("api:import", args=[run.uid]),
            "rejects": reverse("api:import_rejects", args=[run.uid]),
            "problems": reverse("api:import_problems", args=[run.uid]),
        },
    }


def import_body(run: ImportRun) -> dict[str, Any]:
    """Return where an import stands."""
    problems = first_problems(run) if state_of(run) in _ENDED else []
    failed = run.job is not None and run.job.status == JobStatus.FAILED
    return {
        **import_line(run),
        "mode": run.mode,
        "keep_duplicates": run.keep_duplicates,
        "common": run.common,
        "error": run.job.error if failed and run.job else "",
        "quality": ((run.checked or {}).get("quality") or {}).get("score"),
        "problems": [
            {"line": int(line), "column": column, "value": value, "problem": text, "what_to_do": advice}
            for line, column, value, text, advice in problems
        ],
        "confirmed_at": _moment(run.confirmed_at),
        "undone_at": _moment(run.undone_at),
    }


def proposal_body(run: ImportRun, prepared: Preparation) -> dict[str, Any]:
    """Return what was understood of a file before anybody settled it."""
    return {
        "headers": prepared.headers,
        "lines": prepared.lines,
        "columns": [
            {
                "header": match.header,
                "field": match.field,
                "conversion": str(match.conversion),
                "certain": match.certain,
            }
            for match in prepared.matches
        ],
        "questions": [
            {"header": each.header, "conversion": str(each.conversion), "text": each.question()}
            for each in prepared.suspicions
        ],
        "fields": [
            {
                "name": each.name,
                "label": each.label,
                "kind": each.kind,
                "required": each.required,
                "common": each.common,
            }
            for each in target_named(run.target).fields()
        ],
    }


def settled_columns(proposed: list[Match], columns: list[dict[str, Any]]) -> list[Match]:
    """Return the columns as the caller settled them; those that it does not name are left alone.

    Raises ``InvalidValues`` for a header that the file does not have.
    """
    told = {each["header"]: each for each in columns}
    for header in sorted(set(told) - {match.header for match in proposed}):
        said = _("The file has no column “%(name)s”.") % {"name": header}
        raise InvalidValues(said, fields={"columns": [said]})
    found = []
    for match in proposed:
        each = told.get(match.header, {})
        conversion = Conversion(each.get("conversion", ""))
        found.append(match.replaced(field=each.get("field"), conversion=conversion))
    return found


def _moment(moment: dt.datetime | None) -> str | None:
    return None if moment is None else timezone.localtime(moment).isoformat(timespec="seconds")
