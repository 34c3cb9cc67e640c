"""Scorecards and zips that the tests of the registry send."""

import copy
import hashlib
import io
import json
import zipfile

DOCUMENT = {
    "format": "scorecard-1",
    "name": "grille-agence",
    "version": "1",
    "declared_default_rate": 0.09,
    "variables": [
        {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
        {"name": "taux_endettement", "cuts": [20, 33, 50], "points": [20, 5, -15, -40], "missing": -10},
        {
            "name": "type_contrat_travail",
            "points": {"CDI": 25, "CDD": 0, "Informel": -15, "Indépendant": 0},
            "missing": -5,
        },
    ],
}


def changed(**changes):
    return {**copy.deepcopy(DOCUMENT), **changes}


def sent(content, name="modele.zip"):
    """Return an upload of these bytes under that name."""
    file = io.BytesIO(content)
    file.name = name
    return file


def sent_json(document, name="grille.json"):
    return sent(json.dumps(document).encode(), name)


def zipped(files, **options):
    """Return the bytes of a zip of name -> bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def unzipped(content):
    """Return name -> bytes of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_hashes(files, **changes):
    """Return the files with a changed manifest that lists them truly."""
    manifest = {**json.loads(files["manifest.json"]), **changes}
    others = {name: content for name, content in files.items() if name != "manifest.json"}
    manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in others.items()}
    return {**others, "manifest.json": json.dumps(manifest).encode()}
