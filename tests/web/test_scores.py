"""The pages of scores: history and filters, one score taken apart, position, replay, the sheet to print."""

import re

import pytest
from django.utils import timezone
from django.utils.html import escape

from apps.audit.models import AuditEntry
from apps.credits.models import CreditApplication
from apps.institutions.models import Agency
from apps.registry.models import ModelVersion
from apps.scoring.models import Prediction
from apps.scoring.queries.factors import breakdown_of, factors_of
from apps.scoring.queries.positions import COMPARED, position_of
from apps.scoring.services.scores import score_application
from apps.web.scoring.details import ladder
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def uids_on(answer):
    return re.findall(r'class="row-link" href="/scores/([0-9a-f-]{36})"', answer.content.decode())


def uids_of(predictions):
    return [str(uid) for uid in predictions.order_by("-created_at", "-uid").values_list("uid", flat=True)]


def a_score(world, **wanted):
    with world.scope():
        return Prediction.objects.exclude(application=None).filter(**wanted).order_by("pk").first()


def elsewhere(world):
    """Return a score of an agency that the agent does not see."""
    seen = world.actor(world.agent).agency_ids
    with world.scope():
        return Prediction.objects.exclude(agency_id__in=seen).exclude(agency=None).first()


@pytest.fixture
def many(world):
    """Return sixty more scores, of applications of every agency, by two people and three sources."""
    people = [world.actor(world.analyst), world.actor(world.risk_manager)]
    with world.scope():
        applications = CreditApplication.objects.select_related("client").order_by("-pk")[:60]
        return [
            score_application(
                application=application, by=people[n % 2], source=("page", "page", "api", "batch")[n % 4]
            )[0]
            for n, application in enumerate(applications)
        ]


# The history


@pytest.mark.parametrize(
    ("who", "status"),
    [
        *((who, 200) for who in ("analyste", "agent", "risques", "comite", "admin", "auditeur", "dpo")),
        ("commercial", 403),
    ],
)
def test_whoever_reads_files_reads_the_history(page, who, status):
    client = page(f"{who}@horizon.demo")

    assert client.get("/scores").status_code == status
    assert ('href="/scores"' in client.get("/").content.decode()) is (status == 200)


def test_the_history_pages_through_every_visible_score_once_newest_first(page, world, many):
    client, url, seen = page(world.auditor), "/scores", []
    with world.scope():
        expected = uids_of(Prediction.objects)

    while url:
        answer = client.get(url)
        seen += uids_on(answer)
        following = answer.context["next_url"]
        url = f"/scores{following}" if following else None

    assert len(expected) > 25
    assert seen == expected
    back = client.get(f"/scores{answer.context['previous_url']}")
    assert uids_on(back) == expected[-len(uids_on(answer)) - 25 : -len(uids_on(answer))]


def test_an_agent_reads_the_scores_of_the_own_agency_only(page, world, many):
    hidden = elsewhere(world)
    seen = world.actor(world.agent).agency_ids

    client = page(world.agent)
    shown = uids_on(client.get("/scores"))

    with world.scope():
        assert shown == uids_of(Prediction.objects.filter(agency_id__in=seen))[:25]
        foreign = Agency.objects.exclude(id__in=seen).first()
    assert shown
    assert str(hidden.uid) not in shown
    assert client.get(f"/scores?agency={foreign.uid}").status_code == 422


def test_each_filter_narrows_the_history(page, world, many):
    client = page(world.auditor)
    with world.scope():
        agency = Agency.objects.filter(predictions__isnull=False).first()
        author = world.user(world.analyst)
        day = timezone.localtime(Prediction.objects.order_by("created_at").first().created_at).date()
        expected = {
            f"agency={agency.uid}": Prediction.objects.filter(agency=agency),
            f"analyst={author.uid}": Prediction.objects.filter(author=author),
            "band=faible": Prediction.objects.filter(band="faible"),
            "band=eleve&source=page": Prediction.objects.filter(band="eleve", source="page"),
            "source=api": Prediction.objects.filter(source="api"),
            f"date_from={day}&date_to={day}": Prediction.objects.filter(created_at__date=day),
            "date_from=2998-01-01": Prediction.objects.none(),
            "date_to=2001-01-01": Prediction.objects.none(),
            "mine=on": Prediction.objects.none(),
        }
        wanted = {query: uids_of(found)[:25] for query, found in expected.items()}

    assert {query: uids_on(client.get(f"/scores?{query}")) for query in expected} == wanted
    assert wanted["band=faible"]
    assert wanted["band=faible"] != wanted["band=eleve&source=page"]


def test_mine_are_the_scores_that_i_asked_for(page, world, many):
    me = world.user(world.analyst)
    with world.scope():
        mine = uids_of(Prediction.objects.filter(author=me))[:25]

    assert uids_on(page(world.analyst).get("/scores?mine=on")) == mine


def test_a_page_keeps_the_filters_and_a_chip_takes_one_away(page, world, many):
    answer = page(world.auditor).get("/scores?band=faible&source=page&date_from=2020-01-01")

    following = page(world.auditor).get("/scores?source=page").context["next_url"]
    assert "source=page" in following
    chips = {chip.value: chip.url for chip in answer.context["chips"]}
    assert chips["Risque faible"] == "?date_from=2020-01-01&source=page"
    assert chips["01/01/2020"] == "?band=faible&source=page"
    assert 'href="/scores"' in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("date_from=hier", "date_from"),
        ("date_to=9999-12-31", "date_to"),
        ("date_from=0001-01-01", "date_from"),
        ("date_from=2026-02-01&date_to=2026-01-01", "date_to"),
        ("analyst=nobody", "analyst"),
        ("analyst=00000000-0000-4000-8000-000000000000", "analyst"),
        ("agency=%00", "agency"),
        ("band=rouge", "band"),
        ("source=fax", "source"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_filter_that_means_nothing_is_an_error_of_its_field(page, world, query, field, headers):
    answer = page(world.auditor).get(f"/scores?{query}", headers=headers)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert escape(answer.context["form"].errors[field][0]) in answer.content.decode()
    assert uids_on(answer) == []


def test_somebody_or_an_agency_of_another_institution_is_no_choice(page, world):
    with world.scope("ngwa"):
        agency = Agency.objects.first()
    stranger = world.user(world.outsider)
    client = page(world.auditor)

    assert client.get(f"/scores?agency={agency.uid}").status_code == 422
    assert client.get(f"/scores?analyst={stranger.uid}").status_code == 422
    assert stranger.full_name not in client.get("/scores").content.decode()


def test_with_htmx_only_the_list_comes_and_the_address_is_clean(page, world):
    client = page(world.auditor)
    query = "/scores?date_from=&date_to=&band=faible&source="

    part = client.get(query, headers=HTMX)
    whole = client.get(query, headers={**HTMX, "HX-History-Restore-Request": "true"})

    assert "<html" not in part.content.decode()
    assert part["HX-Push-Url"] == "/scores?band=faible"
    assert uids_on(part) == uids_on(whole) != []
    assert "<html" in whole.content.decode()


@pytest.mark.parametrize("query", ["", "?band=faible&source=page&date_from=2020-01-01"])
def test_the_history_asks_at_most_six_questions_however_many_rows(page, world, many, query):
    client = page(world.agent)

    with own_statements() as asked:
        answer = client.get(f"/scores{query}")

    assert len(uids_on(answer)) > 1
    assert 0 < len(asked) <= 6, asked
    assert not [sql for sql in asked if "OFFSET" in sql or ("COUNT(" in sql and "outbox_alert" not in sql)]


# One score


def test_displayed_points_add_up_to_the_displayed_score_of_every_prediction(world, many):
    with world.scope():
        predictions = list(Prediction.objects.select_related("policy"))
        ladders = [ladder(prediction) for prediction in predictions]

    assert len(ladders) > 25
    for prediction, shown in zip(predictions, ladders, strict=True):
        assert sum(rung.points for rung in shown.rungs) == shown.total == prediction.points
        assert shown.rungs[-1].total == prediction.points


def test_the_points_of_a_factor_are_the_same_everywhere_and_the_base_is_the_models(world, many):
    with world.scope():
        bases = set()
        for prediction in Prediction.objects.select_related("policy")[:30]:
            everything = {f.label: f.points for f in factors_of(prediction, lang="fr", every=True)}
            rungs = {rung.label: rung.points for rung in ladder(prediction).rungs}
            assert everything.items() <= rungs.items()
            bases.add((prediction.model_version_id, breakdown_of(prediction).base))

    assert len(bases) == len({version for version, _base in bases})


def test_the_page_of_a_score_says_what_there_is_to_say(page, world, many):
    target = a_score(world)

    answer = page(world.auditor).get(f"/scores/{target.uid}")

    body, sheet = answer.content.decode(), answer.context["score"]
    assert answer.status_code == 200
    texts = [
        sheet.recommendation_label,
        sheet.pd_text,
        sheet.threshold_text,
        answer.context["means"].residual_text,
        answer.context["position"].share_text,
        sheet.agency_label,
        *(factor.sentence for factor in sheet.factors),
        *(rung.label for rung in answer.context["ladder"].rungs),
        *(rule.label for rule in sheet.rules),
        *(warning.text for warning in sheet.warnings),
    ]
    assert [text for text in texts if not text or escape(text) not in body] == []


def test_another_agencys_score_is_unknown_to_an_agent(page, world):
    hidden = elsewhere(world)
    client = page(world.agent)

    assert client.get(f"/scores/{hidden.uid}").status_code == 404
    assert client.get(f"/scores/{hidden.uid}/fiche").status_code == 404


def test_a_low_score_warns_and_says_what_to_check(page, world):
    target = a_score(world)
    with world.scope():
        copy = Prediction.objects.get(pk=target.pk)
        copy.pk, copy.uid, copy.input_hash = None, "11111111-1111-4111-8111-111111111111", "0" * 64
        copy.warnings = ["hors_domaine", "donnees_anciennes"]
        copy.contributions[0]["value"] = None
        copy._state.adding = True
        copy.save(force_insert=True)

    warnings = page(world.auditor).get(f"/scores/{copy.uid}").context["score"].warnings

    assert len(warnings) == 3
    assert all(warning.text and warning.check for warning in warnings)


# Position


def test_the_position_is_the_share_of_other_applications_that_are_riskier(world, many):
    with world.scope():
        rows = list(Prediction.objects.order_by("-created_at", "-uid"))
        assert len(rows) < COMPARED
        latest = {}
        for row in rows:
            latest.setdefault(row.application_id or row.uid, row)
        for target in rows[:10]:
            others = [r for key, r in latest.items() if key != (target.application_id or target.uid)]
            position = position_of(target)
            riskier = [other for other in others if other.pd > target.pd]
            assert (position.others, position.riskier) == (len(others), len(riskier))
            assert sum(position.counts) == len(others)


def test_two_scores_of_one_application_count_once(world):
    with world.scope():
        target, other = Prediction.objects.exclude(application=None).order_by("pk")[:2]
        before = position_of(target)
        other.pk, other.uid, other.input_hash = None, "11111111-1111-4111-8111-111111111111", "0" * 64
        other._state.adding = True
        other.save(force_insert=True)

        assert position_of(target).others == before.others


def test_few_applications_give_no_position(page, world, monkeypatch):
    monkeypatch.setattr("apps.scoring.queries.positions.FEWEST_COMPARED", 10**6)

    answer = page(world.auditor).get(f"/scores/{a_score(world).uid}")

    assert answer.context["position"].share_text == ""
    assert 'class="position"' not in answer.content.decode()


# Replay


def test_a_score_is_computed_again_identically_and_the_trail_says_so(page, world):
    target = a_score(world)

    answer = page(world.auditor).post(f"/scores/{target.uid}/recalcul")

    assert answer.status_code == 200
    assert answer.context["identical"] is True
    assert [line.label for line in answer.context["lines"] if not line.same] == []
    assert "Identique" in answer.content.decode()
    with world.scope():
        entry = AuditEntry.objects.get(action="prediction.replay", object_uid=target.uid)
    assert entry.actor_id == world.user(world.auditor).pk


def test_a_replay_names_what_differs(page, world):
    target = a_score(world)
    with world.scope():
        copy = Prediction.objects.get(pk=target.pk)
        copy.pk, copy.uid, copy.input_hash = None, "11111111-1111-4111-8111-111111111111", "0" * 64
        copy.points += 1
        copy._state.adding = True
        copy.save(force_insert=True)

    answer = page(world.auditor).post(f"/scores/{copy.uid}/recalcul")

    assert answer.context["identical"] is False
    different = [(line.stored, line.recomputed) for line in answer.context["lines"] if not line.same]
    assert different == [(str(copy.points), str(target.points))]
    assert "Différent" in answer.content.decode()


@pytest.mark.parametrize("who", ["agent", "admin", "dpo", "commercial"])
def test_who_may_not_replay_is_refused_and_has_no_button(page, world, who):
    target = a_score(world)
    client = page(f"{who}@horizon.demo")

    assert client.post(f"/scores/{target.uid}/recalcul").status_code == 403
    assert "/recalcul" not in client.get(f"/scores/{target.uid}").content.decode()


def test_a_replay_is_never_a_mere_link(page, world):
    assert page(world.auditor).get(f"/scores/{a_score(world).uid}/recalcul").status_code == 405


def test_a_model_that_is_gone_is_told(page, world):
    target = a_score(world)
    with world.scope():
        ModelVersion.objects.filter(pk=target.model_version_id).update(sha256="0" * 64)

    answer = page(world.auditor).post(f"/scores/{target.uid}/recalcul")

    assert answer.status_code == 422
    assert answer.context["refusal"]


@pytest.mark.parametrize(("who", "may"), [("auditeur", True), ("admin", False)])
def test_the_trail_leads_to_the_score_and_to_its_replay(page, world, who, may):
    target = a_score(world)
    page(world.analyst).get(f"/scores/{target.uid}")
    with world.scope():
        entry = AuditEntry.objects.get(action="prediction.read", object_uid=target.uid)

    body = page(f"{who}@horizon.demo").get(f"/audit/{entry.uid}").content.decode()

    assert f'href="/scores/{target.uid}"' in body
    assert (f'action="/scores/{target.uid}/recalcul"' in body) is may


# The sheet to print


def test_the_sheet_says_all_that_a_committee_needs_and_its_showing_is_recorded(page, world):
    target = a_score(world)
    with world.scope():
        application = Prediction.objects.select_related("application__client").get(pk=target.pk).application

    answer = page(world.analyst).get(f"/scores/{target.uid}/fiche")

    sheet, body = answer.context["score"], answer.content.decode()
    texts = [
        answer.context["institution"].name,
        application.reference,
        application.client.reference,
        sheet.client_label,
        sheet.agency_label,
        sheet.author_label,
        sheet.pd_text,
        sheet.threshold_text,
        sheet.recommendation_label,
        sheet.max_amount_text,
        answer.context["means"].residual_text,
        "Le score conseille",
        sheet.model.name,
        str(target.uid),
        target.input_hash,
        *(factor.sentence for factor in sheet.factors),
        *(rule.label for rule in sheet.rules),
    ]
    assert [text for text in texts if not text or escape(text) not in body] == []
    with world.scope():
        assert AuditEntry.objects.filter(action="prediction.read", object_uid=target.uid).count() == 1


def test_scoring_again_leaves_a_sheet_for_each_score(page, world):
    with world.scope():
        prediction = Prediction.objects.exclude(application=None).order_by("pk").first()
        again, _created = score_application(
            application=prediction.application, by=world.actor(world.analyst), source="page"
        )

    client = page(world.analyst)
    assert client.get(f"/scores/{prediction.uid}/fiche").status_code == 200
    assert client.get(f"/scores/{again.uid}/fiche").status_code == 200
