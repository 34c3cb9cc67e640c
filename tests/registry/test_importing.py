"""Models from outside: what comes in is what went out, and what is refused leaves nothing."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from apps.audit.models import AuditEntry
from apps.engine.contracts import ScoringInput
from apps.registry.errors import ModelRefused
from apps.registry.loader import load_scorer, model_folder
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.registry.services.exporting import export_model, scorecard_bytes
from apps.registry.services.importing import import_model, import_scorecard, next_version, write_scorecard
from apps.registry.services.signing import canonical
from apps.tenancy.errors import InvalidValues, NotAllowed
from tests.registry.grids import DOCUMENT, changed, sent, sent_json, unzipped, with_hashes, zipped

pytestmark = pytest.mark.django_db


@pytest.fixture
def horizon(world):
    with world.scope():
        yield world


@pytest.fixture
def risks(horizon):
    return horizon.actor(horizon.risk_manager)


@pytest.fixture
def files(horizon):
    """Return the files of the champion."""
    return {path.name: path.read_bytes() for path in model_folder(champion_for()).iterdir()}


def kept():
    """Return what an import leaves: rows, entries, files."""
    folder = Path(settings.INSTITUTION_FILES_DIR)
    stored = sorted(str(path) for path in folder.rglob("*") if "/models/" in str(path))
    return ModelVersion.objects.count(), AuditEntry.objects.count(), stored


def refused(by, upload, word):
    before = kept()
    with pytest.raises(ModelRefused) as refusal:
        import_model(upload=upload, by=by)
    assert word in refusal.value.message
    assert kept() == before


def test_an_exported_model_comes_back_as_it_was(horizon, risks, files):
    champion = champion_for()
    name, content = export_model(version=champion, by=risks)
    again = with_hashes(files, version="2")
    exported = unzipped(content)
    signed = json.loads(exported["manifest.json"])

    version = import_model(upload=sent(zipped(again)), by=risks)

    assert name == "defaut-imf-1.zip"
    assert signed.pop("signature")["algorithm"] == "ed25519"
    assert {**exported, "manifest.json": canonical(signed)} == files
    assert (version.name, version.version, version.status, version.origin) == (
        "defaut-imf", "2", "candidate", "imported",
    )  # fmt: skip
    values = ScoringInput({"age": 40, "montant_credit": 300_000, "nb_retards_30j": 1})
    assert load_scorer(version).score(values) == load_scorer(champion).score(values)
    assert version.metrics["own"]["rows"] >= 50
    assert version.metrics["auc"] == champion.metrics["auc"]
    entry = AuditEntry.objects.get(action="model.import")
    assert (entry.object_uid, entry.actor_id) == (version.uid, risks.id)


def test_a_folder_inside_the_zip_is_taken_too(risks, files):
    again = with_hashes(files, version="2")
    inside = {f"modele/{name}": content for name, content in again.items()}

    assert import_model(upload=sent(zipped(inside)), by=risks).version == "2"


def test_a_scorecard_in_json_becomes_a_candidate(risks):
    version = import_model(upload=sent_json(DOCUMENT), by=risks)

    assert (version.training_data, version.status, version.origin) == ("expert", "candidate", "imported")
    assert version.metrics["declared_default_rate"] == 0.09
    assert json.loads(scorecard_bytes(version)) == DOCUMENT
    score = load_scorer(version).score(ScoringInput({"nb_retards_30j": 4}))
    assert [part.variable for part in score.contributions] == [
        "nb_retards_30j", "taux_endettement", "type_contrat_travail",
    ]  # fmt: skip


def test_an_exported_scorecard_comes_back_under_another_segment(risks):
    version = import_scorecard(document=DOCUMENT, by=risks)
    _name, content = export_model(version=version, by=risks)

    again = import_model(upload=sent(content), by=risks, segment="agricole")

    assert (again.sha256, again.segment) == (version.sha256, "agricole")


def test_versions_count_on(risks):
    import_scorecard(document=DOCUMENT, by=risks)

    assert (next_version("grille-agence"), next_version("autre")) == ("2", "1")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (pickle.dumps({"a": 1}), "modele.zip"),
        (b"anything", "modele.pkl"),
        (b"anything", "Modele.JOBLIB"),
        (b"\x1f\x8b\x08", "modele"),
        (zipped({"schema.json": b"{}"}), "modele.skops"),
        (zipped({"manifest.json": b"{}", "model.pkl": b"x"}), "modele.zip"),
        (zipped({"manifest.json": b"{}", "weights.npy": b"x"}), "modele.zip"),
    ],
)
def test_what_could_run_code_is_refused_with_what_to_do(risks, content, name):
    refused(risks, sent(content, name), "dossier de fichiers JSON")


@pytest.mark.parametrize("content", [b"", b"hello", b"cos\nsystem\n(S'id'\ntR.", b"[1]", b"PK\x03\x04junk"])
def test_what_is_no_model_is_refused(risks, content):
    refused(risks, sent(content), "")


@pytest.mark.parametrize(
    "name",
    ["../manifest.json", "/etc/passwd", "a/b/manifest.json", "..\\x.json", "x.svg", "é.json", "a/../b.json"],
)
def test_a_path_or_a_strange_name_is_refused(risks, files, name):
    refused(risks, sent(zipped({**files, name: b"{}"})), "")


def test_a_link_in_the_zip_is_refused(risks, files):
    packed = io.BytesIO(zipped(files))
    with zipfile.ZipFile(packed, "a") as archive:
        link = zipfile.ZipInfo("link.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")

    refused(risks, sent(packed.getvalue()), "link.json")


def test_a_bomb_is_refused_before_it_is_unpacked(risks, files):
    refused(risks, sent(zipped({**files, "big.json": b" " * (65 * 1024 * 1024)})), "Décompressé")


def test_a_declared_size_of_ten_gigabytes_is_refused(risks, files):
    content = bytearray(zipped(files))
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 0xFFFF_FFF0)

    refused(risks, sent(bytes(content)), "Décompressé")


def test_a_file_that_holds_more_than_it_declares_is_refused(risks, files):
    content = bytearray(zipped(files))
    place = content.find(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 10)

    refused(risks, sent(bytes(content)), "")


def test_too_many_files_are_refused(risks, files):
    many = {f"f{number}.json": b"{}" for number in range(41)}

    refused(risks, sent(zipped({**files, **many})), "trop de fichiers")


def test_a_file_too_large_is_refused(risks):
    refused(risks, sent(b"PK\x03\x04" + b"\0" * (16 * 1024 * 1024)), "16 Mo")


def test_an_altered_file_is_refused(risks, files):
    altered = {**with_hashes(files, version="2"), "card.md": b"autre"}

    refused(risks, sent(zipped(altered)), "empreinte")


def test_golden_rows_that_do_not_replay_are_refused(risks, files):
    golden = files["golden.csv"].decode().splitlines()
    golden[1] = golden[1].rpartition(",")[0] + ",0.5"
    altered = with_hashes({**files, "golden.csv": "\n".join(golden).encode()}, version="2")

    refused(risks, sent(zipped(altered)), "golden")


def test_nan_in_the_manifest_is_refused(risks, files):
    altered = with_hashes(files, version="2")
    altered["manifest.json"] = altered["manifest.json"].replace(
        b'"intercept": ', b'"intercept": NaN, "i": ', 1
    )

    refused(risks, sent(zipped(altered)), "manifest.json")


def test_nan_thresholds_of_a_tree_are_refused(risks, files):
    document = json.loads(files["trees-1.json"])
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["split_conditions"][0] = float("nan")
    altered = with_hashes({**files, "trees-1.json": json.dumps(document).encode()}, version="2")

    refused(risks, sent(zipped(altered)), "nœud")


def test_ten_million_nodes_are_refused(risks, files):
    tree = b'{"left_children":[' + b",".join([b"-1"] * 400_000) + b"]}"
    trees = b'{"learner":{"gradient_booster":{"model":{"trees":[' + tree + b"]}}}}"
    altered = with_hashes({**files, "trees-1.json": trees}, version="2")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in altered.items():
            archive.writestr(name, content)

    refused(risks, sent(packed.getvalue()), "nœuds")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "ethnie_declaree"}, "dictionnaire"),
        ({"type": "decimal", "unit": "km"}, "dictionnaire"),
        ({"direction": "down"}, "dictionnaire"),
    ],
)
def test_a_variable_that_the_dictionary_does_not_know_so_is_refused(risks, files, change, word):
    variables = json.loads(files["manifest.json"])["variables"]
    place = next(place for place, each in enumerate(variables) if each["name"] == "duree_mois")
    variables[place] = {**variables[place], **change}

    refused(risks, sent(zipped(with_hashes(files, version="2", variables=variables))), word)


def test_a_variable_kept_for_fairness_is_refused(risks, files):
    from apps.engine.dictionary import STANDARD

    variables = [*json.loads(files["manifest.json"])["variables"], STANDARD["sexe"].as_dict()]

    refused(risks, sent(zipped(with_hashes(files, version="2", variables=variables))), "équité")


@pytest.mark.parametrize("name", ["<script>", "x" * 81, "", "a\x00b", "../x"])
def test_a_name_that_cannot_be_shown_is_refused(risks, files, name):
    refused(risks, sent(zipped(with_hashes(files, name=name))), "")


def test_a_manifest_neither_brings_its_own_evidence_nor_numbers_too_large(risks, files):
    metrics = {"auc": 0.8, "own": {"rows": 9_999}, "gates": {"fairness": {"verdict": "passed"}}}
    altered = with_hashes(
        files,
        version="2",
        metrics={**metrics, "huge": 10**400, "infinite": 1e308},
        training_period={"from": "\0"},
    )

    version = import_model(upload=sent(zipped(altered)), by=risks)

    assert set(version.metrics) == {"auc", "own"}
    assert version.metrics["own"]["rows"] < 9_999
    assert version.period == {}


def test_tables_that_differ_from_the_declaration_are_refused(risks):
    from apps.engine.expert import card_from
    from apps.engine.expert_folder import expert_files

    files = expert_files(card_from(DOCUMENT))
    manifest = json.loads(files["manifest.json"])
    manifest["scorecard"]["variables"][0]["points"] = [60, 60, 60]
    forged = with_hashes(files, scorecard=manifest["scorecard"])

    refused(risks, sent(zipped(forged)), "déclaration")


@pytest.mark.parametrize(
    ("document", "word"),
    [
        (changed(format="x"), "scorecard-1"),
        (changed(variables=[{"name": "age", "cuts": [30], "points": [1, 10**6]}]), "400"),
        (changed(variables=[{"name": "sexe", "points": {"F": 1, "M": 2}}]), "équité"),
        (changed(variables=[{"name": "ethnie", "cuts": [], "points": [1]}]), "dictionnaire"),
    ],
)
def test_a_scorecard_out_of_bounds_is_refused(risks, document, word):
    refused(risks, sent_json(document), word)


def test_the_same_model_twice_is_refused(risks):
    import_scorecard(document=DOCUMENT, by=risks)

    refused(risks, sent_json(DOCUMENT), "déjà")
    refused(risks, sent_json(changed(declared_default_rate=0.1)), "changez la version")


def test_the_folder_goes_when_the_row_cannot_be_written(risks, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr("apps.registry.services.importing.measure", fail)
    before = kept()

    with pytest.raises(RuntimeError):
        import_scorecard(document=DOCUMENT, by=risks)
    assert kept() == before


def test_an_analyst_neither_imports_nor_writes(horizon):
    analyst = horizon.actor(horizon.analyst)

    with pytest.raises(NotAllowed):
        import_model(upload=sent_json(DOCUMENT), by=analyst)
    with pytest.raises(NotAllowed):
        import_scorecard(document=DOCUMENT, by=analyst)
    with pytest.raises(NotAllowed):
        write_scorecard(card=None, by=analyst)


def test_an_unknown_segment_is_refused(risks):
    with pytest.raises(InvalidValues):
        import_model(upload=sent_json(DOCUMENT), by=risks, segment="../x")


def test_an_agent_does_not_export(horizon):
    with pytest.raises(NotAllowed):
        export_model(version=champion_for(), by=horizon.actor(horizon.agent))
