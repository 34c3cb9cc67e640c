"""Scored files: what is sent, where it stands, what comes back."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.api.fields import StrictSerializer
from apps.api.v1.scoring.serializers import FactorSerializer, ModelSerializer, PolicySerializer
from apps.credits.queries.dictionary import known_variables
from apps.engine import reasons, scorecard
from apps.engine.dictionary import Variable
from apps.engine.lines import BANDS, RECOMMENDATIONS, WARNINGS, decoded
from apps.jobs.enums import JobStatus
from apps.scoring.enums import Output
from apps.scoring.models import ScoringBatch, line_uid
from apps.scoring.queries.batches import expected_end
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.services.batches import refused_of
from apps.scoring.services.chunks import Group, ScoredChunk
from apps.tenancy.language import current_lang


class FileSerializer(StrictSerializer):
    """Un fichier CSV ou Excel : une ligne d'en-têtes, puis une ligne par demande."""

    file = serializers.FileField(help_text="CSV ou XLSX")
    format = serializers.ChoiceField(
        choices=Output.choices,
        required=False,
        help_text="Fichier rendu : `source` (comme l'envoi), `excel` (CSV français) ou `xlsx`",
    )


class ReasonSerializer(serializers.Serializer[dict[str, Any]]):
    colonne = serializers.CharField()
    valeur = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class RejectSerializer(serializers.Serializer[dict[str, Any]]):
    ligne = serializers.IntegerField()
    motifs = ReasonSerializer(many=True)


class LineSerializer(serializers.Serializer[dict[str, Any]]):
    """Le score d'une ligne ; `id` se relit par `predictions/{id}`."""

    ligne = serializers.IntegerField()
    id = serializers.UUIDField()
    client_reference = serializers.CharField(
        allow_blank=True, help_text="Votre référence du client, si une colonne la donne"
    )
    prediction = serializers.IntegerField()
    probabilite_defaut = serializers.FloatField()
    seuil_utilise = serializers.FloatField()
    niveau_risque = serializers.ChoiceField(choices=list(BANDS))
    score = serializers.IntegerField()
    classe = serializers.CharField()
    recommandation = serializers.ChoiceField(choices=list(RECOMMENDATIONS))
    perte_attendue = serializers.IntegerField()
    facteurs = FactorSerializer(many=True)
    avertissements = serializers.ListField(child=serializers.CharField())


class ColumnSerializer(serializers.Serializer[dict[str, Any]]):
    colonne = serializers.CharField()
    variable = serializers.CharField()
    conversion = serializers.CharField()


class SummarySerializer(serializers.Serializer[dict[str, Any]]):
    """Ce que disent toutes les lignes ensemble."""

    lignes_lues = serializers.IntegerField()
    lignes_scorees = serializers.IntegerField()
    rejets = serializers.IntegerField()
    probabilite_moyenne = serializers.FloatField(allow_null=True)
    taux_defaut_predit = serializers.FloatField(allow_null=True)
    perte_attendue = serializers.IntegerField()
    niveaux = serializers.DictField(child=serializers.IntegerField())
    classes = serializers.DictField(child=serializers.IntegerField())
    recommandations = serializers.DictField(child=serializers.IntegerField())
    hors_domaine = serializers.IntegerField(help_text="Lignes hors de ce que le modèle a appris")
    colonnes = ColumnSerializer(many=True)
    modele = ModelSerializer()
    politique = PolicySerializer()


class ScoredFileSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField()
    lignes = LineSerializer(many=True)
    rejets = RejectSerializer(many=True)
    resume = SummarySerializer()


class BatchLinksSerializer(serializers.Serializer[dict[str, Any]]):
    self = serializers.CharField()
    result = serializers.CharField()
    cancel = serializers.CharField()
    retry = serializers.CharField(help_text="Reprendre un calcul qui a échoué")


class BatchSerializer(serializers.Serializer[dict[str, Any]]):
    """Où en est un fichier."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    fichier = serializers.CharField()
    lignes_total = serializers.IntegerField()
    lignes_lues = serializers.IntegerField()
    lignes_scorees = serializers.IntegerField()
    rejets = serializers.IntegerField()
    pourcentage = serializers.IntegerField()
    fin_estimee = serializers.DateTimeField(allow_null=True)
    erreur = serializers.CharField(allow_blank=True)
    resume = SummarySerializer(allow_null=True)
    date = serializers.DateTimeField()
    links = BatchLinksSerializer()


def batch_body(batch: ScoringBatch) -> dict[str, Any]:
    """Return where a scored file stands."""
    job = batch.job
    failed = job.status == JobStatus.FAILED
    return {
        "id": str(batch.uid),
        "status": job.status,
        "fichier": batch.source.original_name,
        "lignes_total": batch.lines_total,
        "lignes_lues": batch.lines_read,
        "lignes_scorees": batch.lines_scored,
        "rejets": batch.lines_rejected,
        "pourcentage": job.progress,
        "fin_estimee": _moment(expected_end(batch)),
        "erreur": _("The scoring of this file failed.") if failed else "",
        "resume": summary_body(batch) if batch.summary is not None else None,
        "date": _moment(batch.created_at),
        "links": {
            "self": reverse("api:batch", args=[batch.uid]),
            "result": reverse("api:batch_result", args=[batch.uid]),
            "cancel": reverse("api:batch_cancel", args=[batch.uid]),
            "retry": reverse("api:batch_retry", args=[batch.uid]),
        },
    }


def _moment(moment: dt.datetime | None) -> str | None:
    return None if moment is None else timezone.localtime(moment).isoformat(timespec="seconds")


def summary_body(batch: ScoringBatch) -> dict[str, Any]:
    """Return the summary of a scored file."""
    summary, version = batch.summary or {}, batch.model_version
    scored = summary["scored"]
    return {
        "lignes_lues": summary["read"],
        "lignes_scorees": scored,
        "rejets": summary["rejected"],
        "probabilite_moyenne": summary["mean_pd"],
        "taux_defaut_predit": summary["defaults"] / scored if scored else None,
        "perte_attendue": summary["loss_xaf"],
        "niveaux": _by_name(BANDS, summary["bands"]),
        "classes": _by_name(scorecard.GRADES, summary["grades"]),
        "recommandations": _by_name(RECOMMENDATIONS, summary["advice"]),
        "hors_domaine": summary["outside"],
        "colonnes": [
            {"colonne": each["header"], "variable": each["field"], "conversion": each["conversion"]}
            for each in batch.mapping
        ],
        "modele": {"nom": version.name, "version": version.version, "statut": version.status},
        "politique": {"version": batch.policy.version},
    }


def _by_name(names: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
    return dict(zip(names, [*counts, *[0] * (len(names) - len(counts))], strict=True))


def scored_body(batch: ScoringBatch, chunks: Sequence[ScoredChunk]) -> dict[str, Any]:
    """Return every line of a small file that was just scored."""
    found = [line for chunk in chunks for group in chunk.groups for line in _lines(batch, chunk, group)]
    return {
        "id": str(batch.uid),
        "lignes": sorted(found, key=lambda line: int(line["ligne"])),
        "rejets": [{"ligne": each.line, "motifs": list(each.reasons)} for each in refused_of(chunks)],
        "resume": summary_body(batch),
    }


def _lines(batch: ScoringBatch, chunk: ScoredChunk, group: Group) -> Iterator[dict[str, Any]]:
    lines, variables = group.lines, known_variables([*batch.columns, *group.lines.variables])
    for place, (row, values) in enumerate(zip(group.rows, group.inputs.tolist(), strict=True)):
        number = int(chunk.numbers[row])
        pd, threshold = float(lines.pd[place]), float(lines.threshold[place])
        warned = lines.warnings[place]
        yield {
            "ligne": number,
            "id": str(line_uid(batch.lines_from, number)),
            "client_reference": chunk.references[row] if chunk.references else "",
            "prediction": int(pd >= threshold),
            "probabilite_defaut": pd,
            "seuil_utilise": threshold,
            "niveau_risque": BANDS[lines.band[place]],
            "score": int(lines.points[place]),
            "classe": scorecard.GRADES[lines.grade[place]],
            "recommandation": RECOMMENDATIONS[lines.recommendation[place]],
            "perte_attendue": int(lines.expected_loss_xaf[place]),
            "facteurs": _factors(batch, group, place, decoded(batch.columns, values, variables), variables),
            "avertissements": [name for name, holds in zip(WARNINGS, warned, strict=True) if holds],
        }


def _factors(
    batch: ScoringBatch,
    group: Group,
    place: int,
    values: dict[str, Any],
    variables: Mapping[str, Variable],
) -> list[dict[str, Any]]:
    lang, figures, found = current_lang(), figures_of_policy(batch.policy), []
    for told in group.lines.strongest[place]:
        if told < 0:
            continue
        variable, part = variables[group.lines.variables[told]], float(group.lines.log_odds[place, told])
        value = values.get(variable.name)
        found.append(
            {
                "variable": variable.name,
                "libelle": variable.label(lang),
                "valeur": value,
                "contribution": part,
                "points": scorecard.points_of_contribution(part, figures),
                "sens": "defavorable" if part > 0 else "favorable",
                "texte": reasons.sentence(variable, value, part, lang),
            }
        )
    return found
