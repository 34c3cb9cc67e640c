"""Pages of decisions: what each shows, what each refuses, and that texts stay texts."""

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import CreditApplication
from apps.decisions.models import Decision, DecisionLimit, DecisionMotive, OverrideRequest, Reconsideration
from apps.decisions.queries.decisions import open_review, pending_override
from apps.decisions.queries.limits import limit_of
from apps.decisions.services.deciding import decide
from tests.decisions.filing import WHY, against, choice, limit, sent_file
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script> {{ 7*7 }} =cmd|'/c calc'!A1"


def path(name, target, query=""):
    return reverse(f"web:{name}", args=[target.uid]) + query


def stored(world, file):
    with world.scope():
        return CreditApplication.objects.get(pk=file.pk)


@pytest.fixture
def file(world):
    """Return a file that the agent sent, with a favourable advice."""
    with world.scope():
        return sent_file(world)


@pytest.fixture
def unfavourable(world):
    with world.scope():
        return sent_file(world, advice="refuser")


def test_from_the_file_to_the_decision(world, page, file):
    client = page(world.analyst)
    assert path("application_decide", file) in client.get(path("application", file)).content.decode()
    shown = client.get(path("application_decide", file)).content.decode()
    assert "Avis favorable" in shown
    assert "decision=accorde_sous_reserve" in shown

    answer = client.get(path("application_decide", file, "?decision=accorde"))
    form = answer.context["form"]
    assert list(form.fields) == ["motive", "amount_xaf", "comment"]
    sent = {"motive": "capacite_suffisante", "amount_xaf": "450 000", "comment": HOSTILE}
    answer = client.post(path("application_decide", file, "?decision=accorde"), sent, follow=True)

    body = answer.content.decode()
    assert answer.redirect_chain == [(path("application", file), 302)]
    assert "La décision est enregistrée" in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in body
    assert "Capacité de remboursement suffisante" in body
    moved = stored(world, file)
    assert (moved.status, moved.granted_xaf) == ("approved", 450_000)
    assert path("application_decide", file) not in body


def test_against_the_advice_a_reason_and_a_text_are_asked_and_somebody_else_confirms(
    world, page, unfavourable
):
    analyst, manager = page(world.analyst), page(world.risk_manager)
    address = path("application_decide", unfavourable, "?decision=accorde")
    assert "override_reason" in analyst.get(address).context["form"].fields
    assert (
        "override_reason"
        not in analyst.get(path("application_decide", unfavourable, "?decision=refuse"))
        .context["form"]
        .fields
    )

    good = {"motive": "garantie_suffisante", "amount_xaf": "500000", "comment": ""}
    answer = analyst.post(address, good)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"override_reason", "override_text"}
    analyst.post(address, {**good, "override_reason": "garantie_forte", "override_text": WHY})
    with world.scope():
        wish = pending_override(unfavourable)
    assert stored(world, unfavourable).status == "submitted"

    own = analyst.get(path("application_decide", unfavourable)).content.decode()
    assert path("override_withdraw", wish) in own
    assert path("override_confirm", wish) not in own
    refused = analyst.post(path("override_confirm", wish), {"remark": ""}, follow=True)
    assert stored(world, unfavourable).status == "submitted"
    assert "Une autre personne" in refused.content.decode()

    assert str(unfavourable.uid) in manager.get(reverse("web:inbox")).content.decode()
    shown = manager.get(path("application_decide", unfavourable)).content.decode()
    assert path("override_confirm", wish) in shown
    assert WHY in shown
    manager.post(path("override_confirm", wish), {"remark": "Vu"}, follow=True)
    assert stored(world, unfavourable).status == "approved"


def test_the_second_person_may_refuse_with_a_reason(world, page, unfavourable):
    with world.scope():
        wish = decide(application=unfavourable, choice=against("accorde"), by=world.actor(world.analyst))
    manager = page(world.risk_manager)

    manager.post(path("override_refuse", wish), {"remark": ""})
    with world.scope():
        assert OverrideRequest.objects.get(pk=wish.pk).status == "en_attente"
    manager.post(path("override_refuse", wish), {"remark": f"Non : {HOSTILE}"})
    with world.scope():
        assert OverrideRequest.objects.get(pk=wish.pk).status == "refusee"
    body = manager.get(path("application", unfavourable)).content.decode()
    assert "Non : &lt;script&gt;" in body


def test_who_asked_withdraws(world, page, unfavourable):
    with world.scope():
        wish = decide(application=unfavourable, choice=against("accorde"), by=world.actor(world.analyst))

    page(world.risk_manager).post(path("override_withdraw", wish))
    with world.scope():
        assert OverrideRequest.objects.get(pk=wish.pk).status == "en_attente"
    page(world.analyst).post(path("override_withdraw", wish))
    with world.scope():
        assert OverrideRequest.objects.get(pk=wish.pk).status == "retiree"


def test_the_author_decides_the_own_file_by_no_page(world, page):
    with world.scope():
        file = sent_file(world, author=world.analyst)
    client = page(world.analyst)

    assert path("application_decide", file) not in client.get(path("application", file)).content.decode()
    shown = client.get(path("application_decide", file))
    assert "vous l'avez saisi" in shown.content.decode().replace("&#x27;", "'")
    assert shown.context["form"] is None
    sent = {"motive": "capacite_suffisante", "amount_xaf": "1000", "comment": ""}
    answer = client.post(path("application_decide", file, "?decision=accorde"), sent, follow=True)
    assert "Une autre personne" in answer.content.decode()
    assert stored(world, file).status == "submitted"


def test_above_the_limit_neither(world, page):
    with world.scope():
        file = sent_file(world, amount_xaf=limit_of("analyste") + 1)
    client = page(world.analyst)

    assert (
        "dépasse ce que vous pouvez décider" in client.get(path("application_decide", file)).content.decode()
    )
    sent = {"motive": "visite_a_faire", "comment": ""}
    client.post(path("application_decide", file, "?decision=ajourne"), sent)
    assert stored(world, file).status == "submitted"
    listed = [line.uid for line in client.get(reverse("web:inbox")).context["awaiting"]]
    assert file.uid not in listed
    page(world.risk_manager).post(path("application_decide", file, "?decision=ajourne"), sent)
    assert stored(world, file).status == "deferred"


def test_a_changed_file_is_scored_again_first(world, page, file):
    with world.scope():
        CreditApplication.objects.filter(pk=file.pk).update(revenu_mensuel=81_000)
    client = page(world.analyst)

    shown = client.get(path("application_decide", file, "?decision=accorde"))
    assert "ont changé depuis son score" in shown.content.decode()
    sent = {"motive": "visite_a_faire", "comment": ""}
    client.post(path("application_decide", file, "?decision=ajourne"), sent)
    assert stored(world, file).status == "submitted"


def test_pressed_twice_the_second_hears_what_was_decided(world, page, file):
    sent = {"motive": "visite_a_faire", "comment": ""}
    address = path("application_decide", file, "?decision=ajourne")
    client = page(world.analyst)
    client.post(address, sent)

    answer = client.post(address, sent, follow=True)

    assert "Ajournée" in answer.content.decode()
    with world.scope():
        assert Decision.objects.filter(application=file).count() == 1


def test_a_wrong_form_says_so_beside_its_field(world, page, file):
    sent = {"motive": "", "amount_xaf": "600 000", "duration_months": "0", "comment": ""}
    answer = page(world.analyst).post(path("application_decide", file, "?decision=contre_proposition"), sent)

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"motive", "duration_months"}


@pytest.mark.parametrize("local_part", ["agent", "auditeur", "admin", "comite", "commercial"])
def test_who_does_not_decide_opens_no_such_page(world, page, file, local_part):
    client = page(f"{local_part}@horizon.demo")

    assert client.get(path("application_decide", file)).status_code == 403
    assert client.post(path("application_decide", file, "?decision=ajourne"), {}).status_code == 403


def test_a_client_asks_for_another_look_and_is_answered(world, page, unfavourable):
    analyst, manager = page(world.analyst), page(world.risk_manager)
    with world.scope():
        decide(application=unfavourable, choice=choice("refuse"), by=world.actor(world.analyst))
    assert (
        path("application_review", unfavourable)
        in analyst.get(path("application", unfavourable)).content.decode()
    )
    today = timezone.localdate().strftime("%d/%m/%Y")

    wrong = analyst.post(path("application_review", unfavourable), {"asked_on": today, "text": "non"})
    assert (wrong.status_code, set(wrong.context["form"].errors)) == (422, {"channel"})
    sent = {"asked_on": today, "channel": "guichet", "text": f"Nouveau contrat {HOSTILE}"}
    analyst.post(path("application_review", unfavourable), sent)
    with world.scope():
        review = open_review(unfavourable)

    assert str(unfavourable.uid) not in str(analyst.get(reverse("web:inbox")).context["reviews"])
    assert unfavourable.uid in [line.uid for line in manager.get(reverse("web:inbox")).context["reviews"]]
    shown = manager.get(path("application_decide", unfavourable)).content.decode()
    assert "Nouveau contrat &lt;script&gt;" in shown
    analyst.post(path("review_keep", review), {"answer": "Je garde ma décision."})
    with world.scope():
        assert open_review(unfavourable) is not None
    manager.post(path("review_keep", review), {"answer": "Le contrat commence dans un an."})
    with world.scope():
        assert Reconsideration.objects.get(pk=review.pk).answer == "Le contrat commence dans un an."
    assert "Décision maintenue" in manager.get(path("application", unfavourable)).content.decode()


def test_an_offer_that_is_accepted_becomes_a_draft(world, page, file):
    with world.scope():
        offer = choice("contre_proposition", amount_xaf=300_000)
        decide(application=file, choice=offer, by=world.actor(world.analyst))
    client = page(world.analyst)

    assert "Le client accepte la proposition" in client.get(path("application", file)).content.decode()
    client.post(path("application_resume", file))

    draft = stored(world, file)
    assert (draft.status, draft.montant_credit) == ("draft", 300_000)


def test_the_administrator_sets_limits_and_motives(world, page):
    client = page(world.administrator)
    address, today = reverse("web:limits"), timezone.localdate().strftime("%d/%m/%Y")
    assert reverse("web:limit_set") in client.get(address).content.decode()

    sent = {"role": "analyste", "amount_xaf": "750 000", "starts_on": today}
    assert client.post(reverse("web:limit_set"), sent).status_code == 302
    with world.scope():
        assert limit_of("analyste") == 750_000
    answer = client.post(reverse("web:limit_set"), {**sent, "starts_on": "01/01/2020"})
    assert answer.status_code == 422
    assert set(answer.context["limit_form"].errors) == {"starts_on"}

    added = {"kind": "refuse", "label_fr": HOSTILE, "label_en": ""}
    client.post(reverse("web:motive_add"), added)
    with world.scope():
        motive = DecisionMotive.objects.get(label_fr=HOSTILE)
    body = client.get(address).content.decode()
    assert "&lt;script&gt;alert(1)" in body
    assert "<script>alert(1)" not in body
    client.post(path("motive_switch", motive))
    with world.scope():
        assert DecisionMotive.objects.get(pk=motive.pk).retired_at is not None


def test_others_read_limits_or_nothing_and_write_none(world, page):
    auditor = page(world.auditor)
    shown = auditor.get(reverse("web:limits")).content.decode()
    assert reverse("web:limit_set") not in shown
    assert auditor.post(reverse("web:limit_set"), {}).status_code == 403
    assert auditor.post(reverse("web:motive_add"), {}).status_code == 403
    assert page(world.analyst).get(reverse("web:limits")).status_code == 403
    with world.scope():
        motive = DecisionMotive.objects.first()
        written = DecisionLimit.objects.count()
    assert page(world.risk_manager).post(path("motive_switch", motive)).status_code == 403
    with world.scope():
        assert DecisionLimit.objects.count() == written


def test_without_a_limit_the_page_says_so(world, page, file):
    with world.scope():
        limit("analyste", 0)

    body = page(world.analyst).get(path("application_decide", file)).content.decode()
    assert "aucun montant que votre rôle" in body


def test_the_page_of_a_decision_takes_few_statements_and_is_recorded(world, page, file):
    client = page(world.analyst)
    client.get(path("application_decide", file))
    with own_statements() as asked:
        client.get(path("application_decide", file, "?decision=accorde"))
    assert 0 < len(asked) <= 10, asked
    with world.scope():
        assert AuditEntry.objects.filter(action="creditapplication.read").latest("id").object_uid == file.uid


def test_the_page_of_a_file_takes_few_statements(world, page, file):
    with world.scope():
        decide(application=file, choice=choice("ajourne"), by=world.actor(world.analyst))
    client = page(world.analyst)
    client.get(path("application", file))
    with own_statements() as asked:
        client.get(path("application", file))
    assert 0 < len(asked) <= 9, asked


def test_the_back_office_shows_decisions_and_changes_none(world, page, file):
    with world.scope():
        decision = decide(application=file, choice=choice(), by=world.actor(world.analyst))
    client, base = page(world.administrator), "/admin/decisions/decision/"

    assert file.reference in client.get(base).content.decode()
    shown = client.get(f"{base}{decision.pk}/change/")
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert client.get(f"{base}add/").status_code == 403
    assert client.post(f"{base}add/", {"kind": "accorde"}).status_code == 403
    assert client.post(f"{base}{decision.pk}/change/", {"kind": "refuse"}).status_code == 403
    assert client.post(f"{base}{decision.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(base, {"action": "delete_selected", "_selected_action": [decision.pk]})
    with world.scope():
        assert Decision.objects.get(pk=decision.pk).kind == "accorde"
