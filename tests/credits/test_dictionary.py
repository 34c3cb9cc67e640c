"""The institution's variable dictionary: declared, changed, retired; who may, what is refused, what stays."""

import pytest

from apps.audit.models import AuditEntry
from apps.credits.errors import VariableInUse
from apps.credits.models import DictionaryRevision, DictionaryVariable
from apps.credits.queries.dictionary import (
    dictionary_for,
    dictionary_in_force,
    get_entry,
    training_variables,
)
from apps.credits.services.applications import Change, change_application, stored_values, version_of
from apps.credits.services.declarations import Code
from apps.credits.services.dictionary import (
    VariableUpdate,
    change_variable,
    declare_variable,
    retire_variable,
)
from apps.engine.dictionary import PREDICT_VARIABLES, STANDARD
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from tests.dictionary import SHARES, STALL, application_of, declared, draft, stall
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
REASON = "Décidé en comité le 20 novembre"


@pytest.fixture
def horizon(world):
    with world.scope():
        yield world


@pytest.fixture
def risks(horizon):
    return horizon.actor(horizon.risk_manager)


def refused(action, *names):
    with pytest.raises(InvalidValues) as refusal:
        action()
    assert set(refusal.value.fields) == set(names), refusal.value.fields
    return refusal.value


# --- declaring ----------------------------------------------------------------------------------------


def test_an_own_variable_is_declared_dated_and_audited(horizon, risks):
    row = declare_variable(draft=draft(), by=risks)

    entry = get_entry(SHARES)
    assert (entry.own, entry.asked, entry.in_models, entry.set_by_officer) == (True, True, True, False)
    assert (entry.variable.minimum, entry.variable.maximum, entry.variable.direction) == (0, 50, "down")
    assert row.declared_by_id == risks.id
    [revision] = DictionaryRevision.objects.filter(variable=row)
    assert (revision.change, revision.state["label_fr"]) == ("declared", "Parts de tontine")
    assert AuditEntry.objects.filter(action="variable.declare", object_uid=row.uid).exists()


def test_a_list_of_codes_is_matched_without_case_or_accents(horizon, risks):
    declare_variable(draft=stall(), by=risks)

    cleaned = dictionary_in_force().clean({STALL: "etal FIXE"})

    assert cleaned.values == {STALL: "fixe"}
    assert get_entry(STALL).set_by_officer


FORBIDDEN = [
    ("name", {"name": "ethnie"}),
    ("name", {"name": "code_tribu"}),
    ("name", {"name": "groupeethnique"}),
    ("label_fr", {"label_fr": "Langue maternelle"}),
    ("label_fr", {"label_fr": "RÉGION d'Origine"}),
    ("label_fr", {"label_fr": "Département de naissance"}),
    ("label_en", {"label_en": "Religious community"}),
    ("label_fr", {"label_fr": "État de santé"}),
    ("label_fr", {"label_fr": "Handicapé"}),
    ("label_fr", {"label_fr": "Parti politique"}),
    ("label_fr", {"label_fr": "Membre d'un syndicat"}),
    ("label_en", {"label_en": "Trade-union member"}),
]


@pytest.mark.parametrize(("place", "change"), FORBIDDEN)
def test_what_credit_is_never_judged_on_is_refused_by_name_and_label(horizon, risks, place, change):
    refusal = refused(lambda: declare_variable(draft=draft(**change), by=risks), place)

    assert "ne peut jamais être une variable" in refusal.fields[place][0]
    assert not DictionaryVariable.objects.own().exists()


def test_what_credit_is_never_judged_on_is_refused_among_codes(horizon, risks):
    codes = (Code("a", "Catholique", "Catholic"), Code("b", "Autre", "Other"))

    refused(lambda: declare_variable(draft=stall(codes=codes), by=risks), "codes")


@pytest.mark.parametrize("name", ["origine_fonds", "politesse", "lieu_activite", "nb_visites_domicile"])
def test_innocent_neighbours_are_taken(horizon, risks, name):
    assert declare_variable(draft=draft(name=name), by=risks).name == name


def test_the_declarer_states_that_it_is_none_of_these(horizon, risks):
    refused(lambda: declare_variable(draft=draft(innocent=False), by=risks), "innocent")


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"name": "Nb Parts"}, {"name"}),
        ({"name": "1x2"}, {"name"}),
        ({"name": "age"}, {"name"}),
        ({"name": "purpose"}, {"name"}),
        ({"name": "client_reference"}, {"name"}),
        ({"name": "held_x"}, {"name"}),
        ({"label_fr": ""}, {"label_fr"}),
        ({"label_fr": "âge"}, {"label_fr"}),
        ({"label_fr": "Deux\nlignes"}, {"label_fr"}),
        ({"purpose": "Parce"}, {"purpose"}),
        ({"type": "text"}, {"type"}),
        ({"unit": "EUR"}, {"unit"}),
        ({"source": "computed"}, {"source"}),
        ({"minimum": None}, {"minimum"}),
        ({"minimum": 60}, {"maximum"}),
        ({"maximum": 1e300}, {"maximum"}),
        ({"maximum": 2.5}, {"maximum"}),
        ({"minimum": float("nan")}, {"minimum", "maximum"}),
        ({"codes": (Code("a"), Code("b"))}, {"codes"}),
        ({"type": "category", "unit": "", "minimum": None, "maximum": None}, {"codes", "direction"}),
    ],
)
def test_what_does_not_hold_together_is_refused_beside_its_field(horizon, risks, change, places):
    refused(lambda: declare_variable(draft=draft(**change), by=risks), *places)


@pytest.mark.parametrize(
    "codes",
    [
        (Code("a"),),
        (Code("a"), Code("À")),
        (Code("a"), Code("")),
        (Code("a"), Code("<b>")),
        (Code("a"), Code("b" * 41)),
        (Code("a"), Code("b", "Deux\nlignes")),
    ],
)
def test_codes_that_cannot_be_told_apart_or_shown_are_refused(horizon, risks, codes):
    refused(lambda: declare_variable(draft=stall(codes=codes), by=risks), "codes")


def test_a_name_is_given_once_even_after_its_retirement(horizon, risks):
    declare_variable(draft=draft(), by=risks)
    retire_variable(name=SHARES, reason=REASON, by=risks)

    refused(lambda: declare_variable(draft=draft(label_fr="X1", label_en="X1"), by=risks), "name")


@pytest.mark.parametrize("email", ["analyste", "agent", "comite", "auditeur", "commercial", "dpo"])
def test_others_only_read(horizon, email):
    actor = horizon.actor(f"{email}@horizon.demo")

    for action in (
        lambda: declare_variable(draft=draft(), by=actor),
        lambda: change_variable(name="secteur", update=VariableUpdate(asked=False, reason=REASON), by=actor),
        lambda: retire_variable(name=SHARES, reason=REASON, by=actor),
    ):
        with pytest.raises(NotAllowed):
            action()


def test_the_administrator_declares_too(horizon):
    assert declare_variable(draft=draft(), by=horizon.actor(horizon.administrator)).pk


def test_each_institution_has_its_own(world):
    declared(world)

    with world.scope("ngwa"):
        assert dictionary_in_force() is STANDARD
        with pytest.raises(ObjectNotFound):
            get_entry(SHARES)
    declared(world, draft(maximum=9), code="ngwa")
    with world.scope():
        assert get_entry(SHARES).variable.maximum == 50


# --- changing -----------------------------------------------------------------------------------------


def test_labels_and_range_change_and_the_past_stays(horizon, risks):
    row = declare_variable(draft=draft(), by=risks)

    change_variable(name=SHARES, update=VariableUpdate(label_fr="Parts", maximum=80), by=risks)

    assert get_entry(SHARES).variable.maximum == 80
    states = [each.state for each in DictionaryRevision.objects.filter(variable=row).order_by("pk")]
    assert [each["maximum"] for each in states] == [50, 80]
    assert [each["label_fr"] for each in states] == ["Parts de tontine", "Parts"]


def test_an_unchanged_variable_leaves_no_trace(horizon, risks):
    row = declare_variable(draft=draft(), by=risks)

    change_variable(name=SHARES, update=VariableUpdate(maximum=50), by=risks)

    assert DictionaryRevision.objects.filter(variable=row).count() == 1


def test_a_forbidden_label_is_refused_later_too(horizon, risks):
    declare_variable(draft=draft(), by=risks)

    update = VariableUpdate(label_fr="Parts de l'église")
    refused(lambda: change_variable(name=SHARES, update=update, by=risks), "label_fr")


def test_codes_are_added_never_taken_away(horizon, risks):
    declare_variable(draft=stall(), by=risks)
    fixed, walking = Code("fixe", "Étal fixe", "Fixed stall"), Code("ambulant", "Ambulant", "Itinerant")

    added = VariableUpdate(codes=(fixed, walking, Code("marche", "Au marché", "At market")))
    change_variable(name=STALL, update=added, by=risks)

    assert get_entry(STALL).variable.codes == ("fixe", "ambulant", "marche")
    gone = VariableUpdate(codes=(walking, fixed))
    refused(lambda: change_variable(name=STALL, update=gone, by=risks), "codes")
    religious = VariableUpdate(codes=(fixed, walking, Code("marche"), Code("eglise")))
    refused(lambda: change_variable(name=STALL, update=religious, by=risks), "codes")


def test_what_a_standard_variable_is_belongs_to_everybody(horizon, risks):
    update = VariableUpdate(label_fr="Âge du chef", maximum=99)

    refused(lambda: change_variable(name="age", update=update, by=risks), "label_fr", "maximum")


def test_what_every_score_needs_goes_on_being_asked(horizon, risks):
    for name in ("montant_credit", "encours_autres_dettes"):
        update = VariableUpdate(asked=False, reason=REASON)
        refused(lambda name=name, update=update: change_variable(name=name, update=update, by=risks), "asked")


def test_an_optional_variable_is_switched_off_with_a_reason(horizon, risks):
    refused(lambda: change_variable(name="secteur", update=VariableUpdate(asked=False), by=risks), "reason")

    change_variable(name="secteur", update=VariableUpdate(asked=False, reason=REASON), by=risks)

    assert not get_entry("secteur").asked
    assert DictionaryRevision.objects.get(variable__name="secteur").reason == REASON


def test_what_production_reads_goes_on_being_asked(horizon, risks):
    declare_variable(draft=draft(), by=risks)
    update = VariableUpdate(asked=False, reason=REASON)

    with pytest.raises(VariableInUse):
        change_variable(name=SHARES, update=update, by=risks, used={SHARES})
    with pytest.raises(VariableInUse):
        retire_variable(name=SHARES, reason=REASON, by=risks, used={SHARES})

    assert get_entry(SHARES).asked


# --- what models may learn from -----------------------------------------------------------------------


def names_of(variables):
    return [each.name for each in variables]


def test_models_learn_from_the_contract_without_what_shows_fairness(horizon):
    expected = [name for name in PREDICT_VARIABLES if name not in {"sexe", "situation_familiale"}]

    with own_statements() as seen:
        assert names_of(training_variables()) == expected
    assert len(seen) == 1


def test_models_learn_from_what_is_switched_on_and_from_own_variables(horizon, risks):
    declare_variable(draft=draft(), by=risks)
    declare_variable(draft=stall(sensitivity="fairness", name="groupe_age"), by=risks)
    change_variable(name="secteur", update=VariableUpdate(in_models=True, reason=REASON), by=risks)
    change_variable(name="duree_mois", update=VariableUpdate(in_models=False, reason=REASON), by=risks)

    found = names_of(training_variables())

    assert {"secteur", SHARES} <= set(found)
    assert not {"duree_mois", "groupe_age", "sexe"} & set(found)


@pytest.mark.parametrize("name", ["sexe", "situation_familiale"])
def test_fairness_variables_are_given_to_models_with_a_written_reason_only(horizon, risks, name):
    assert name not in names_of(training_variables())
    for reason in ("", "Parce que"):
        update = VariableUpdate(in_models=True, reason=reason)
        refused(lambda update=update: change_variable(name=name, update=update, by=risks), "reason")

    row = change_variable(name=name, update=VariableUpdate(in_models=True, reason=REASON), by=risks)

    assert row.model_use_reason == REASON
    assert name in names_of(training_variables())
    entry = AuditEntry.objects.get(action="variable.change", object_uid=row.uid)
    assert entry.after["model_use_reason"] == REASON
    change_variable(name=name, update=VariableUpdate(in_models=False, reason=REASON), by=risks)
    assert name not in names_of(training_variables())


def test_the_database_keeps_no_sensitive_variable_for_models_without_a_reason(horizon):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        DictionaryVariable.objects.create(
            name="sexe", kind="standard", sensitivity="fairness", in_models=True
        )


# --- retiring -----------------------------------------------------------------------------------------


def test_a_retired_variable_is_asked_no_more_and_what_is_stored_stays(horizon, risks):
    declare_variable(draft=draft(), by=risks)
    analyst = horizon.actor(horizon.analyst)
    application = application_of(analyst, **{SHARES: "4"})
    assert stored_values(application)[SHARES] == 4

    retire_variable(name=SHARES, reason=REASON, by=risks)

    assert dictionary_in_force() is STANDARD
    assert SHARES not in names_of(training_variables())
    later = Change(values={"revenu_mensuel": "123000"}, purpose="", version=version_of(application))
    application = change_application(uid=application.uid, change=later, by=analyst)
    assert stored_values(application)[SHARES] == 4
    again = Change(values={SHARES: "5"}, purpose="", version=version_of(application))
    refused(lambda: change_application(uid=application.uid, change=again, by=analyst), SHARES)


def test_a_retired_variable_changes_no_more(horizon, risks):
    declare_variable(draft=draft(), by=risks)
    retire_variable(name=SHARES, reason=REASON, by=risks)

    for action in (
        lambda: change_variable(name=SHARES, update=VariableUpdate(maximum=3), by=risks),
        lambda: retire_variable(name=SHARES, reason=REASON, by=risks),
        lambda: retire_variable(name="age", reason=REASON, by=risks),
    ):
        with pytest.raises(InvalidValues):
            action()


def test_a_retirement_needs_a_reason(horizon, risks):
    declare_variable(draft=draft(), by=risks)

    refused(lambda: retire_variable(name=SHARES, reason=" ", by=risks), "reason")


def test_nothing_of_the_dictionary_is_deleted(horizon, risks):
    from django.db import ProgrammingError, transaction

    declare_variable(draft=draft(), by=risks)

    for rows in (DictionaryVariable.objects.all(), DictionaryRevision.objects.all()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows._raw_delete("default")
    with pytest.raises(ProgrammingError), transaction.atomic():
        DictionaryRevision.objects.update(reason="x")


def test_standard_names_alone_ask_the_database_nothing(horizon, risks):
    declare_variable(draft=draft(), by=risks)

    with own_statements() as seen:
        assert dictionary_for(["age", "secteur"]) is STANDARD
    assert len(seen) == 0
    assert SHARES in dictionary_for([SHARES])
