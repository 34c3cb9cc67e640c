"""Totals of applications and statistics of their data, counted in the background for the portfolio."""

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.queries.applications import GRANTED
from apps.decisions.enums import FIRM_ADVICE, Direction
from apps.reports.models import CreditStatistics, PortfolioState
from apps.scoring.enums import Breakdown
from apps.scoring.models import ScoreTotal
from apps.tenancy.context import current_institution_id

#: A row may be committed so long after the moment it bears.
LATE = dt.timedelta(minutes=10)
#: Statistics are of the applications of so many days.
STATISTICS_DAYS = 730
#: The numbers that are described; sex and family situation serve to check fairness only.
NUMBERS = (
    *("montant_credit", "duree_mois", "taux_interet", "revenu_mensuel", "age", "anciennete_travail_mois"),
    *("nb_retards_30j", "nb_retards_60j", "nb_retards_90j", "taux_endettement", "ratio_dette_revenu"),
    *("personnes_a_charge", "charges_mensuelles"),
)
_LONGEST = 40
_KEY = "dimension, month, every_agency, agency_id, credit_type, value"
_SUMS = (
    *("files", "amount_xaf", "granted", "refused", "timed", "delay_seconds", "decided"),
    "advised",
    *("overrides_favourable", "overrides_severe", "matured", "defaults", "matured_scored"),
    *("matured_scored_defaults", "matured_pd_millionths"),
)
_GRANTED = ", ".join(f"'{status}'" for status in GRANTED)
_FIRM = ", ".join(f"'{advice}'" for advice in FIRM_ADVICE)
_COUNT = f"""
    WITH file AS (
        SELECT date_trunc('month', a.applied_on)::date AS month, a.agency_id,
            left(a.type_credit, {_LONGEST}) AS credit_type, a.type_contrat_travail AS contract,
            left(coalesce(a.extra ->> 'secteur', ''), {_LONGEST}) AS sector,
            coalesce(score.grade, '') AS grade, coalesce(a.author_id::text, '') AS author,
            coalesce(decision.decided_by_id::text, '') AS decider,
            a.montant_credit, a.status, a.outcome, a.submitted_at, score.pd, decision.decided_at,
            decision.id AS decision_id, decision.override_direction, decision.recommendation,
            coalesce(decision.is_retrospective, true) AS is_retrospective
        FROM credits_creditapplication AS a
        LEFT JOIN LATERAL (
            SELECT pd, grade FROM scoring_prediction AS p
            WHERE p.institution_id = a.institution_id AND p.application_id = a.id
            ORDER BY p.created_at DESC, p.id DESC LIMIT 1
        ) AS score ON true
        LEFT JOIN LATERAL (
            SELECT id, decided_by_id, decided_at, override_direction, recommendation, is_retrospective
            FROM decisions_decision AS d
            WHERE d.institution_id = a.institution_id AND d.application_id = a.id
            ORDER BY d.number DESC LIMIT 1
        ) AS decision ON true
        WHERE a.institution_id = %(institution)s
            AND (%(months)s::date[] IS NULL OR date_trunc('month', a.applied_on)::date = ANY (%(months)s))
    )
    , detail AS (
        SELECT month, agency_id, credit_type,
            CASE grouping(contract, sector, grade, author, decider)
                WHEN 15 THEN '{Breakdown.CONTRACT}' WHEN 23 THEN '{Breakdown.SECTOR}'
                WHEN 27 THEN '{Breakdown.GRADE}' WHEN 29 THEN '{Breakdown.AUTHOR}'
                WHEN 30 THEN '{Breakdown.DECIDER}' ELSE '' END AS dimension,
            coalesce(contract, sector, grade, author, decider, '') AS value,
            count(*) AS files, sum(montant_credit) AS amount_xaf,
            count(*) FILTER (WHERE status IN ({_GRANTED})) AS granted,
            count(*) FILTER (WHERE status = '{ApplicationStatus.DECLINED}') AS refused,
            count(*) FILTER (WHERE is_timed) AS timed,
            coalesce(sum(extract(epoch FROM decided_at - submitted_at)::bigint) FILTER (WHERE is_timed), 0)
                AS delay_seconds,
            count(decision_id) FILTER (WHERE NOT is_retrospective) AS decided,
            count(decision_id) FILTER (WHERE NOT is_retrospective AND recommendation IN ({_FIRM})) AS advised,
            count(*) FILTER (WHERE override_direction = '{Direction.MILDER}') AS overrides_favourable,
            count(*) FILTER (WHERE override_direction = '{Direction.STRICTER}') AS overrides_severe,
            count(*) FILTER (WHERE outcome <> '') AS matured,
            count(*) FILTER (WHERE outcome = '{Outcome.DEFAULT}') AS defaults,
            count(pd) FILTER (WHERE outcome <> '') AS matured_scored,
            count(pd) FILTER (WHERE outcome = '{Outcome.DEFAULT}') AS matured_scored_defaults,
            coalesce(sum(round(pd * 1000000)::bigint) FILTER (WHERE outcome <> ''), 0)
                AS matured_pd_millionths
        FROM (SELECT *, NOT is_retrospective AND submitted_at <= decided_at AS is_timed FROM file) AS file
        GROUP BY month, agency_id, credit_type,
            GROUPING SETS ((), (contract), (sector), (grade), (author), (decider))
    )
    INSERT INTO reports_filetotal (institution_id, uid, {_KEY}, {", ".join(_SUMS)})
    SELECT %(institution)s, gen_random_uuid(), dimension, month, grouping(agency_id) = 1, agency_id,
        CASE WHEN grouping(credit_type) = 1 THEN '{ScoreTotal.EVERY_TYPE}' ELSE credit_type END, value,
        {", ".join(f"sum({name})" for name in _SUMS)}
    FROM detail
    GROUP BY dimension, month, value,
        GROUPING SETS ((agency_id, credit_type), (agency_id), (credit_type), ())
"""  # noqa: S608  names and codes of ours
_CHANGED = """
    SELECT DISTINCT date_trunc('month', a.applied_on)::date
    FROM credits_creditapplication AS a
    WHERE a.institution_id = %(institution)s AND (
        a.updated_at > %(since)s
        OR a.id IN (SELECT application_id FROM scoring_prediction
            WHERE institution_id = %(institution)s AND created_at > %(since)s)
        OR a.id IN (SELECT application_id FROM decisions_decision
            WHERE institution_id = %(institution)s AND decided_at > %(since)s)
    )
"""
_DESCRIBE = f"""
    SELECT agency_id, name, count(*), count(number), avg(number), stddev_samp(number), min(number),
        percentile_cont(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY number), max(number),
        avg(number) FILTER (WHERE outcome = '{Outcome.GOOD}'),
        avg(number) FILTER (WHERE outcome = '{Outcome.DEFAULT}')
    FROM credits_creditapplication AS a,
        LATERAL (VALUES {", ".join(f"('{name}', a.{name}::float8)" for name in NUMBERS)}) AS of (name, number)
    WHERE institution_id = %(institution)s AND applied_on > %(since)s
        AND status NOT IN ('{ApplicationStatus.DRAFT}', '{ApplicationStatus.CANCELLED}')
    GROUP BY GROUPING SETS ((name), (agency_id, name))
"""  # noqa: S608  names and codes of ours


@transaction.atomic
def count_files(*, everything: bool = False, now: dt.datetime | None = None) -> int:
    """Count anew the totals of the months in which an application changed; return how many rows there are.

    Counting a month twice gives the same. Once a day, and when ``everything`` is asked, all months are
    counted and the statistics computed.
    """
    at = now or timezone.now()
    with connection.cursor() as cursor:
        _take_turns(cursor)
        state = PortfolioState.objects.first()
        today = timezone.localdate(at)
        whole = everything or state is None or state.whole_on < today
        months = None if whole or state is None else _changed_months(cursor, state.counted_at - LATE)
        counted = _count(cursor, months)
        if whole:
            _describe(cursor, today, at)
    PortfolioState.objects.update_or_create(
        defaults={"counted_at": at, **({"whole_on": today} if whole else {})},
        create_defaults={"counted_at": at, "whole_on": today},
    )
    return counted


def _take_turns(cursor: Any) -> None:
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [f"reports.portfolio {current_institution_id()}"],
    )


def _changed_months(cursor: Any, since: dt.datetime) -> list[dt.date]:
    cursor.execute(_CHANGED, {"institution": current_institution_id(), "since": since})
    return [row[0] for row in cursor.fetchall()]


def _count(cursor: Any, months: list[dt.date] | None) -> int:
    if months == []:
        return 0
    given = {"institution": current_institution_id(), "months": months}
    cursor.execute(
        "DELETE FROM reports_filetotal WHERE institution_id = %(institution)s"
        " AND (%(months)s::date[] IS NULL OR month = ANY (%(months)s))",
        given,
    )
    cursor.execute(_COUNT, given)
    return int(cursor.rowcount)


def _describe(cursor: Any, today: dt.date, at: dt.datetime) -> None:
    since = today - dt.timedelta(days=STATISTICS_DAYS)
    cursor.execute(_DESCRIBE, {"institution": current_institution_id(), "since": since})
    by_agency: dict[int | None, dict[str, Any]] = {}
    for agency_id, name, *numbers in cursor.fetchall():
        by_agency.setdefault(agency_id, {})[name] = _told(*numbers)
    CreditStatistics.objects.all().delete()
    CreditStatistics.objects.bulk_create(
        CreditStatistics(agency_id=agency_id, figures=figures, computed_at=at)
        for agency_id, figures in by_agency.items()
    )


def _told(rows: int, known: int, mean: float | None, *others: Any) -> dict[str, Any]:
    deviation, least, parts, most, repaid, defaulted = others
    return {
        "rows": rows,
        "known": known,
        "mean": mean,
        "deviation": deviation,
        "parts": None if parts is None else [least, *parts, most],
        "repaid": repaid,
        "defaulted": defaulted,
    }
