"""An institution's own variable from its declaration to a score: model, predict, file, replay, words."""

import json

import pytest

from apps.credits.errors import VariableInUse
from apps.credits.features import application_values
from apps.credits.services.declarations import Code
from apps.credits.services.dictionary import (
    VariableUpdate,
    change_variable,
    declare_variable,
    retire_variable,
)
from apps.registry.errors import ModelRefused
from apps.registry.loader import model_folder
from apps.registry.queries import champion_for
from apps.registry.renderers import gate_text
from apps.registry.services.exporting import expert_card_of
from apps.registry.services.gates import checklist
from apps.registry.services.importing import import_model, import_scorecard
from apps.registry.services.promotions import approve_promotion, propose_promotion
from apps.scoring.models import Prediction
from apps.scoring.queries.factors import factors_of
from apps.scoring.queries.production import variables_in_production
from apps.scoring.services.scores import replay_prediction, score_application, score_values, simulate
from apps.tenancy.errors import InvalidValues
from tests.api.sending import send
from tests.dictionary import SHARES, STALL, application_of, declared, draft, stall
from tests.predict import BODY
from tests.registry.grids import changed, sent, with_hashes, zipped
from tests.scoring.test_batches import file_of, rows_of, score_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]
REASON = "Décidé en comité le 20 novembre"
POINTS = [
    {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
    {"name": SHARES, "cuts": [1, 5], "points": [-40, 10, 45], "missing": -5},
    {"name": STALL, "points": {"fixe": 20, "ambulant": -20}, "missing": 0},
]


@pytest.fixture
def horizon(world):
    with world.scope():
        yield world


@pytest.fixture
def risks(horizon):
    return horizon.actor(horizon.risk_manager)


@pytest.fixture
def own(horizon, risks):
    """Declare a number and a list; return the analyst who uses them."""
    declare_variable(draft=draft(), by=risks)
    declare_variable(draft=stall(), by=risks)
    return horizon.actor(horizon.analyst)


@pytest.fixture
def champion(own, horizon, risks):
    """Put a scorecard that reads both in production."""
    version = import_scorecard(document=changed(variables=POINTS), by=risks)
    promotion = propose_promotion(version=version, by=risks, reason="Nos variables")
    approve_promotion(promotion=promotion, by=horizon.actor("comite@horizon.demo"))
    return version


def test_a_scorecard_with_own_variables_scores_them(champion, own, risks):
    few, _created = score_values(raw={**BODY, SHARES: 0, STALL: "Ambulant"}, by=own)
    many, _created = score_values(raw={**BODY, SHARES: "7", STALL: "ETAL FIXE"}, by=own)
    unknown, _created = score_values(raw=BODY, by=own)

    assert champion_for() == champion
    assert variables_in_production() == {"nb_retards_30j", SHARES, STALL}
    assert few.pd > unknown.pd > many.pd
    assert many.points - few.points == pytest.approx(125, abs=2)
    assert (many.inputs[SHARES], many.inputs[STALL]) == (7, "fixe")
    assert replay_prediction(prediction=many, by=risks).identical
    assert [gate.code for gate in checklist(version=champion, by=risks) if gate.verdict == "failed"] == []


def test_a_gate_names_it_by_its_label(own, risks):
    against = [{"name": SHARES, "cuts": [1, 5], "points": [45, 10, -40], "missing": -50}, *POINTS[:1]]
    version = import_scorecard(document=changed(variables=against), by=risks)

    (signs,) = [gate.as_dict() for gate in checklist(version=version, by=risks) if gate.code == "signs"]

    assert signs["about"] == [SHARES]
    assert "Parts de tontine" in gate_text(signs)
    assert SHARES not in gate_text(signs)


def test_its_words_are_those_of_the_dictionary(champion, own, risks):
    score, _created = score_values(raw={**BODY, SHARES: 7, STALL: "fixe"}, by=own)

    shown = {each.variable: each for each in factors_of(score, lang="fr", every=True)}
    assert shown[SHARES].label == "Parts de tontine"
    assert shown[SHARES].sentence.startswith("La valeur de «\xa0Parts de tontine\xa0» est de 7")
    assert (shown[STALL].value_text, shown[STALL].set_by_officer) == ("Étal fixe", True)
    change_variable(name=SHARES, update=VariableUpdate(label_fr="Parts détenues"), by=risks)
    shown = {each.variable: each for each in factors_of(score, lang="fr", every=True)}
    assert shown[SHARES].label == "Parts détenues"


def test_what_production_reads_is_neither_retired_nor_left_out(champion, risks):
    used = variables_in_production()

    with pytest.raises(VariableInUse):
        retire_variable(name=SHARES, reason=REASON, by=risks, used=used)
    update = VariableUpdate(asked=False, reason=REASON)
    with pytest.raises(VariableInUse):
        change_variable(name=SHARES, update=update, by=risks, used=used)


def test_a_code_added_later_leaves_the_model_as_it_was(champion, own, risks):
    codes = (Code("fixe", "Étal fixe", "Fixed stall"), Code("ambulant", "Ambulant", "Itinerant"))
    before, _created = score_values(raw={**BODY, STALL: "fixe"}, by=own)
    more = (*codes, Code("marche", "Au marché"), Code("kiosque", "Kiosque"))
    change_variable(name=STALL, update=VariableUpdate(codes=more), by=risks)

    after, _created = score_values(raw={**BODY, STALL: "fixe"}, by=own)
    fresh, _created = score_values(raw={**BODY, STALL: "kiosque"}, by=own)

    assert after.pd == before.pd
    assert "hors_domaine" in fresh.warnings
    assert expert_card_of(champion) is not None
    rows = [{**BODY, STALL: "fixe"}, {**BODY, STALL: "kiosque"}]
    first, second = rows_of(score_now(file_of(rows, headers=(*BODY, STALL)), own), own)
    assert (float(first["probabilite_defaut"]), float(second["probabilite_defaut"])) == (after.pd, fresh.pd)


def test_predict_takes_an_own_variable_and_refuses_what_it_cannot_be(champion, horizon, api):
    body = {**BODY, SHARES: 7, STALL: "fixe"}

    answer = send(api(horizon.analyst), "post", "/api/v1/predict", body)
    wrong = send(api(horizon.analyst), "post", "/api/v1/predict", {**body, SHARES: 51, STALL: "x"})

    assert answer.status_code == 201
    told = {each["variable"]: each for each in answer.json()["facteurs"]}
    assert told[SHARES]["libelle"] == "Parts de tontine"
    stored = Prediction.objects.get(uid=answer.json()["id"])
    assert stored.inputs[SHARES] == 7
    assert wrong.status_code == 422
    assert set(wrong.json()["fields"]) == {SHARES, STALL}
    assert "50" in wrong.json()["fields"][SHARES][0]


def test_predict_knows_the_variables_of_the_own_institution_only(world, api):
    declared(world)

    answer = send(api(world.outsider), "post", "/api/v1/predict", {**BODY, SHARES: 7})

    assert set(answer.json()["fields"]) == {SHARES}


def test_simulations_change_own_variables_and_forget_retired_ones(champion, own, risks):
    declare_variable(draft=draft(name="nb_enclos", label_fr="Enclos", label_en="Pens"), by=risks)
    score, _created = score_values(raw={**BODY, SHARES: 0, "nb_enclos": 3}, by=own)
    retire_variable(name="nb_enclos", reason=REASON, by=risks, used=variables_in_production())

    better, same = simulate(base=score, changes=[{SHARES: 7}, {}], by=own)

    assert better.pd < same.pd == score.pd
    with pytest.raises(InvalidValues):
        simulate(base=score, changes=[{"nb_enclos": 4}], by=own)


def test_a_file_is_scored_with_own_variables_as_one_by_one(champion, own, horizon, api):
    rows = [{**BODY, SHARES: 7, STALL: "fixe"}, {**BODY, SHARES: 99, STALL: ""}, BODY]
    batch = score_now(file_of(rows, headers=(*BODY, SHARES, STALL)), own)
    alone, _created = score_values(raw={**BODY, SHARES: 7, STALL: "fixe"}, by=own)
    without, _created = score_values(raw=BODY, by=own)

    first, second, third = rows_of(batch, own)

    assert float(first["probabilite_defaut"]) == alone.pd
    assert "Parts de tontine" in second["erreur"]
    assert float(third["probabilite_defaut"]) == without.pd
    assert "Parts de tontine" in first["facteur_1"] + first["facteur_2"] + first["facteur_3"]
    assert SHARES in batch.columns


def test_a_line_scored_from_a_file_reads_as_any_score(champion, own, horizon, page):
    from apps.scoring.models import ScoredLine
    from apps.scoring.queries.scores import get_visible_prediction

    batch = score_now(file_of([{**BODY, SHARES: 7, STALL: "fixe"}], headers=(*BODY, SHARES, STALL)), own)
    line = ScoredLine.objects.of(batch).get()

    found = get_visible_prediction(own, line.uid)

    assert (found.inputs[SHARES], found.inputs[STALL]) == (7, "fixe")
    assert replay_prediction(prediction=found, by=own).identical
    assert "Parts de tontine" in page(horizon.analyst).get(f"/scores/{line.uid}").content.decode()


def test_an_application_is_scored_with_what_is_stored_of_it(champion, own):
    application = application_of(own, **{SHARES: "12", STALL: "fixe"})

    values, _warnings = application_values(application)
    score, _created = score_application(application=application, by=own)

    assert (values[SHARES], values[STALL]) == (12, "fixe")
    assert score.inputs[SHARES] == 12


def test_a_scorecard_that_names_an_unknown_variable_is_refused(horizon, risks):
    with pytest.raises(ModelRefused) as refusal:
        import_scorecard(document=changed(variables=POINTS), by=risks)
    assert SHARES in refusal.value.message


def test_a_folder_with_own_variables_comes_in_where_they_are_declared_alike(champion, horizon, risks):
    files = {path.name: path.read_bytes() for path in model_folder(champion).iterdir()}
    manifest = json.loads(files["manifest.json"])
    renamed = {**manifest["scorecard"], "version": "2"}

    again = import_model(upload=sent(zipped(with_hashes(files, version="2", scorecard=renamed))), by=risks)

    assert again.version == "2"
    other = [
        {**each, "direction": "up"} if each["name"] == SHARES else each for each in manifest["variables"]
    ]
    with pytest.raises(ModelRefused):
        import_model(upload=sent(zipped(with_hashes(files, version="3", variables=other))), by=risks)


def test_a_folder_with_variables_of_another_institution_is_refused(world):
    declared(world, draft(), stall())
    risks = world.actor(world.risk_manager)
    with world.scope():
        version = import_scorecard(document=changed(variables=POINTS), by=risks)
        files = {path.name: path.read_bytes() for path in model_folder(version).iterdir()}
    stranger = world.actor("risques@ngwa.demo")
    with world.scope("ngwa"), pytest.raises(ModelRefused) as refusal:
        import_model(upload=sent(zipped(files)), by=stranger)
    assert SHARES in refusal.value.message
