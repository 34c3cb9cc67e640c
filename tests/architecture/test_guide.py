"""The guide keeps to the site: its roles, its words, its pictures; and it asks nothing of another host."""

import json
import os
import re
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path
from uuid import uuid4

import import_export
import pytest
import yaml
from babel.messages.pofile import read_po
from django.utils import translation

from apps.tenancy.actor import Actor
from apps.tenancy.roles import Role, Verb, allows
from apps.web.context import _menu
from config.env import REPOSITORY

GUIDE = REPOSITORY / "docs" / "guide"
PAGES = sorted(GUIDE.rglob("*.md"))
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
MAX_PICTURE, MAX_PICTURES = 120_000, 2_500_000
LEAST_WORDS = 4

#: The rows of the table of rights, and the columns of its roles.
RIGHTS = {
    "Consulter clients et demandes": Verb.READ_FILES,
    "Les créer et les modifier": Verb.EDIT_FILES,
    "Calculer un score": Verb.SCORE,
    "Recalculer à l'identique": Verb.REPLAY,
    "Demander une pièce": Verb.DECIDE,
    "Déclarer des variables": Verb.DEFINE_VARIABLES,
    "Importer des fichiers": Verb.IMPORT,
    "Piste d'audit": Verb.READ_AUDIT,
    "Membres, agences, paramètres": Verb.ADMINISTER,
}
COLUMNS = (
    Role.ADMINISTRATEUR,
    Role.ANALYSTE,
    Role.AGENT,
    Role.RESPONSABLE_RISQUES,
    Role.COMITE,
    Role.AUDITEUR,
    Role.DIRECTEUR_COMMERCIAL,
    Role.DPO,
)


def name_of(page: Path) -> str:
    return page.relative_to(GUIDE).as_posix()


def navigation() -> list[str]:
    settings = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())

    def leaves(entry):
        if isinstance(entry, str):
            return [entry]
        children = entry.values() if isinstance(entry, dict) else entry
        return [leaf for child in children for leaf in leaves(child)]

    return leaves(settings["nav"])


@pytest.mark.parametrize("role", Role)
def test_every_role_has_its_page_in_the_menu(role):
    page = role.value.replace("responsable_risques", "responsable_des_risques").replace("_", "-")
    assert f"roles/{page}.md" in navigation()


def test_the_table_of_rights_is_that_of_the_code():
    lines = (GUIDE / "roles" / "administrateur.md").read_text().splitlines()
    table = {cells[1].strip(): cells[2:-1] for line in lines if len(cells := line.split("|")) == 11}
    for label, verb in RIGHTS.items():
        said = {role: cell.strip() != "non" for role, cell in zip(COLUMNS, table[label], strict=True)}
        granted = {role: allows(role, verb) for role in COLUMNS}
        # the commercial director reads figures, which the page says, and no files
        assert said | {Role.DIRECTEUR_COMMERCIAL: allows(Role.DIRECTEUR_COMMERCIAL, verb)} == granted, label


@pytest.mark.parametrize("role", COLUMNS)
def test_the_menu_of_a_role_is_that_of_the_site(role, rf):
    page = role.value.replace("responsable_risques", "responsable_des_risques").replace("_", "-")
    text = " ".join((GUIDE / "roles" / f"{page}.md").read_text().split())
    told = re.search(r"__Votre menu__ : ([^.]*)\.", text)[1]
    actor = Actor(
        kind="user", id=1, uid=uuid4(), institution_id=1, role=role, agency_ids=None, display_name="Aline"
    )

    with translation.override("fr"):
        menu = [str(entry["label"]) for entry in _menu(rf.get("/"), actor)]

    assert told.split(", ") == menu


@cache
def words_on_screen() -> set[str]:
    """Return every French text of the site in small letters, with plain apostrophes and spaces."""
    messages = []
    for folder in (
        REPOSITORY,
        Path(import_export.__file__).parent,
    ):  # its pages have its own words
        with (folder / "locale" / "fr" / "LC_MESSAGES" / "django.po").open("rb") as catalogue:
            messages += [message for message in read_po(catalogue, locale="fr") if message.id]
    texts = [[each.string] if isinstance(each.string, str) else each.string for each in messages]
    return {plain(text) for forms in texts for text in forms}


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("’", "'")).strip().lower()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_stands_in_bold_is_written_on_the_screen(page):
    """``**label**`` quotes the site; ``__word__`` is bold for its own sake."""
    quoted = re.findall(r"\*\*(.+?)\*\*", page.read_text(), flags=re.DOTALL)
    assert [label for label in quoted if plain(label) not in words_on_screen()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_keeps_the_settled_words(page):
    text = plain(page.read_text())
    for banned in ("mauvais payeur", "client risqué", "mon compte", "prédiction", "locataire"):
        assert banned not in text


@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "README.md"], ids=lambda page: page.stem)
def test_every_picture_exists_and_says_what_it_shows(page):
    for text, target in PICTURE.findall(page.read_text()):
        assert (page.parent / target).is_file(), target
        assert len(text.split()) >= LEAST_WORDS, target


def test_every_picture_comes_from_the_script_is_shown_and_is_light():
    shown = {
        (page.parent / target).resolve()
        for page in (*PAGES, REPOSITORY / "README.md")
        for _text, target in PICTURE.findall(page.read_text())
    }
    files = {path for folder in (GUIDE / "images", GUIDE.parent / "images") for path in folder.glob("*.png")}
    taken = runpy.run_path(str(REPOSITORY / "docs" / "screenshots.py"))["TAKES"]
    assert files == shown
    assert {path.stem for path in files} == set(taken)
    sizes = [path.stat().st_size for path in files]
    assert max(sizes) <= MAX_PICTURE
    assert sum(sizes) <= MAX_PICTURES


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_built_guide_fetches_nothing_from_another_host(site):
    fetched = re.compile(
        r"""<(?:link|script|img|source|iframe|form)\b[^>]*?(?:href|src|srcset|action)=["']?(?:https?:)?//[^"'\s>]+"""
        r"""|url\(["']?(?:https?:)?//[^)]+|@import\s*["'](?:https?:)?//""",
        re.IGNORECASE,
    )
    files = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    assert len(files) > len(PAGES)
    assert {found for path in files for found in fetched.findall(path.read_text())} == set()


def test_the_guide_is_searched_in_french(site):
    index = json.loads((site / "search" / "search_index.json").read_text())
    assert index["config"]["lang"] == ["fr"]
    assert any("reste à vivre" in entry["text"].replace("\u00a0", " ") for entry in index["docs"])
    assert next(site.glob("assets/javascripts/lunr/min/lunr.fr.min.js")).is_file()
