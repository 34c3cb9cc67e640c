"""Sheets of one score: the analysis on one page for the staff, and « why this score » for the client."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.engine import plain, reasons
from apps.engine.contracts import Contribution, Lang, RuleOutcome
from apps.engine.dictionary import STANDARD
from apps.engine.letters import phrase
from apps.engine.wording import format_value, number
from apps.institutions.queries import get_institution
from apps.reports.queries.documents import Column, Document, Fact, Section, Table, Wish
from apps.reports.queries.words import shown
from apps.scoring.models import Prediction
from apps.scoring.queries.factors import factors_of, household_means, rules_of
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.queries.scores import get_visible_prediction
from apps.tenancy.errors import ObjectNotFound

UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
_PERSON = ("age", "personnes_a_charge", "type_contrat_travail", "anciennete_travail_mois")
_REQUEST = ("type_credit", "montant_credit", "duree_mois", "taux_interet")


def score_of(wish: Wish) -> Prediction:
    """Return the score that a sheet is about; raise ``ObjectNotFound`` when unknown or out of sight."""
    if wish.subject is None:
        raise ObjectNotFound(_("No such score."))
    return get_visible_prediction(wish.actor, wish.subject)


def client_sheet(wish: Wish) -> Document:
    """Return « Pourquoi ai-je obtenu ce score ? » in words of every day."""
    prediction = score_of(wish)
    lang = wish.lang
    against, helped = facts_for_client(prediction, lang)
    figures = figures_of_policy(prediction.policy)
    scale = phrase("score_scale", lang, low=str(figures.points_min), high=str(figures.points_max))
    ways = plain.advice_of(against) or (phrase("ask_us", lang),)
    score_words = (
        phrase("score_is", lang, points=str(prediction.points)),
        scale,
        phrase("score_helps", lang),
    )
    return Document(
        kind=wish.kind,
        title=phrase("sheet_title", lang),
        lang=lang,
        sections=(
            Section(phrase("your_request", lang), facts=_request_facts(prediction, lang)),
            Section(phrase("your_score", lang), paragraphs=(" ".join(score_words),)),
            _listed(
                phrase("against", lang), [each.text for each in against], phrase("nothing_against", lang)
            ),
            *([Section(phrase("for", lang), items=tuple(each.text for each in helped))] if helped else []),
            Section(phrase("can_do", lang), items=ways),
            Section(phrase("whom", lang), paragraphs=(whom(prediction, wish),)),
            Section(phrase("rights", lang), items=rights(lang)),
        ),
    )


def facts_for_client(
    prediction: Prediction, lang: Lang
) -> tuple[tuple[plain.PlainFact, ...], tuple[plain.PlainFact, ...]]:
    """Return what counted against an application and what helped it, in plain words."""
    contributions = [Contribution(**stored) for stored in prediction.contributions]
    rules = [RuleOutcome(**stored) for stored in prediction.rules]
    variables = known_variables([each.variable for each in contributions])
    against = plain.plain_reasons(contributions, rules, variables, lang)
    return against, plain.plain_strengths(contributions, variables, lang)


def rights(lang: Lang) -> tuple[str, ...]:
    """Return the rights of a client, in plain words."""
    return tuple(phrase(code, lang) for code in ("right_review", "right_data", "right_why"))


def whom(prediction: Prediction, wish: Wish) -> str:
    """Say whom the client may talk to: who made the score at its agency, else the agency, else the house."""
    lang, agency = wish.lang, prediction.agency
    if agency is None:
        institution = get_institution(wish.actor.institution)
        return phrase("talk_to_house", lang, institution=institution.name)
    if prediction.author is None:
        return phrase("talk_to_branch", lang, agency=agency.name)
    return phrase("talk_to", lang, person=str(prediction.author), agency=agency.name)


def _listed(title: str, items: list[str], otherwise: str) -> Section:
    return Section(title, items=tuple(items)) if items else Section(title, paragraphs=(otherwise,))


def _request_facts(prediction: Prediction, lang: Lang) -> tuple[Fact, ...]:
    facts = []
    if prediction.client is not None:
        facts.append(Fact(phrase("name", lang), str(prediction.client)))
    if prediction.application is not None:
        facts.append(Fact(phrase("file", lang), prediction.application.reference))
    for code, name in (("sum", "montant_credit"), ("length", "duree_mois")):
        value = prediction.inputs.get(name)
        facts.append(Fact(phrase(code, lang), format_value(STANDARD[name], value, lang)))
    day = timezone.localtime(prediction.created_at).date()
    return (*facts, Fact(phrase("day", lang), day, "date"))


def analysis_sheet(wish: Wish) -> Document:
    """Return the analysis of one score on one page: the file, the score, what counted, the rules."""
    prediction = score_of(wish)
    lang = wish.lang
    return Document(
        kind=wish.kind,
        title=_("Analysis sheet"),
        lang=lang,
        subtitle=_origin(prediction),
        sections=(*analysis_sections(prediction, lang), signatures()),
        foot=foot_of(prediction),
    )


def analysis_sections(prediction: Prediction, lang: Lang) -> tuple[Section, ...]:
    """Return what the staff reads of a score, without signatures."""
    sections = [
        Section(_("Client"), facts=_person(prediction, lang)),
        Section(_("Credit requested"), facts=_request(prediction, lang)),
        Section(_("Ability to repay"), facts=_means(prediction)),
        Section(_("Score"), facts=_score(prediction, lang)),
        Section(_("What counted"), items=_factors(prediction, lang), ordered=True),
        Section(tables=(_rules(prediction, lang),)),
    ]
    warnings = tuple(
        " ".join(
            filter(
                None,
                (reasons.warning_text(code, lang, prediction.facts), reasons.warning_check(code, lang)),
            )
        )
        for code in prediction.warnings
    )
    if warnings:
        sections.append(Section(_("To be checked"), items=warnings))
    return tuple(sections)


def foot_of(prediction: Prediction) -> str:
    """Return what proves where a score comes from: model, policy, identifier, hash of the values."""
    version = prediction.model_version
    told = [_("The score advises, the institution decides.")]
    if version.is_synthetic:
        told.append(_("Demonstration model, fictional data") + ".")
    if version.is_expert:
        told.append(_("Expert scorecard, not calibrated") + ".")
    told.append(
        _("Model %(name)s, version %(version)s; credit policy, version %(policy)s; score %(uid)s.")
        % {
            "name": version.name,
            "version": version.version,
            "policy": prediction.policy.version,
            "uid": prediction.uid,
        }
    )
    told.append(_("Hash of the values: %(hash)s.") % {"hash": prediction.input_hash})
    return " ".join(told)


def _origin(prediction: Prediction) -> str:
    made = date_format(timezone.localtime(prediction.created_at), "d/m/Y H:i")
    author = str(prediction.author or prediction.get_source_display())
    return " · ".join(filter(None, (str(prediction.agency or ""), made, author)))


def _person(prediction: Prediction, lang: Lang) -> tuple[Fact, ...]:
    client = prediction.client
    facts = [Fact(_("Client"), str(client) if client else _("Direct score"))]
    if client is not None:
        facts.append(Fact(_("Reference"), client.reference))
    return (*facts, *_known(prediction, _PERSON, lang))


def _request(prediction: Prediction, lang: Lang) -> tuple[Fact, ...]:
    application = prediction.application
    facts = [Fact(_("Reference"), application.reference)] if application else []
    facts += _known(prediction, _REQUEST, lang)
    if application is not None and application.purpose:
        facts.append(Fact(_("Purpose"), application.purpose))
    return tuple(facts)


def _known(prediction: Prediction, names: tuple[str, ...], lang: Lang) -> list[Fact]:
    return [
        Fact(STANDARD[name].label(lang), format_value(STANDARD[name], prediction.inputs[name], lang))
        for name in names
        if prediction.inputs.get(name) is not None
    ]


def _means(prediction: Prediction) -> tuple[Fact, ...]:
    means = household_means(prediction)
    ratio = means.debt_ratio_percent
    return (
        Fact(_("Monthly income"), means.income, "money"),
        Fact(_("Monthly expenses"), means.expenses, "money"),
        Fact(_("Other monthly repayments"), means.other_instalments, "money"),
        Fact(_("Instalment of this credit"), means.instalment, "money"),
        Fact(_("Debt service ratio"), None if ratio is None else ratio / 100, "rate"),
        Fact(_("Left to live on each month"), means.residual, "money"),
    )


def _score(prediction: Prediction, lang: Lang) -> tuple[Fact, ...]:
    code: Any = prediction.recommendation
    band: Any = prediction.band
    amount = prediction.max_amount_xaf
    best = shown(amount, "money", lang)
    if amount is None:
        best = reasons.amount_reason_text(prediction.max_amount_reason, lang)
    return (
        Fact(_("Advice"), reasons.recommendation_label(code, lang)),
        Fact(_("Score"), f"{prediction.points} ({prediction.grade})"),
        Fact(_("Risk"), reasons.band_label(band, lang)),
        Fact(_("Probability of default"), prediction.pd, "rate"),
        Fact(_("Decision threshold"), prediction.threshold, "rate"),
        Fact(_("Expected loss"), prediction.expected_loss_xaf, "money"),
        Fact(_("Maximal advised amount"), best),
    )


def _factors(prediction: Prediction, lang: Lang) -> tuple[str, ...]:
    return tuple(
        f"{DOWN if each.adverse else UP} {_signed(each.points)} · {each.sentence}"
        for each in factors_of(prediction, lang=lang)
    )


def _signed(points: int) -> str:
    return f"{points:+d}".replace("-", "\N{MINUS SIGN}")


def _rules(prediction: Prediction, lang: Lang) -> Table:
    verdicts = {"respectee": _("Kept"), "violee": _("Broken"), "non_evaluable": _("Not checked")}
    severities = {"bloquante": _("Blocking"), "a_revoir": _("To be reviewed")}
    return Table(
        title=_("Rules of the credit policy"),
        columns=(
            Column(_("Rule")),
            Column(_("Value")),
            Column(_("Limit")),
            Column(_("Severity")),
            Column(_("Result")),
        ),
        rows=tuple(
            (
                line.label,
                _figure(line.outcome.value, lang) if line.outcome.limit is not None else "",
                _figure(line.outcome.limit, lang),
                severities[line.outcome.severity],
                verdicts[line.outcome.verdict],
            )
            for line in rules_of(prediction, lang=lang)
        ),
    )


def _figure(value: float | None, lang: Lang) -> str:
    return "" if value is None else number(value, lang, 0 if float(value).is_integer() else 1)


def signatures() -> Section:
    """Return where analyst and institution sign."""
    return Section(
        _("Signatures"),
        signatures=True,
        facts=(
            Fact(_("Analyst: date, name, signature"), ""),
            Fact(_("Decision of the institution: date, name, signature"), ""),
        ),
    )
