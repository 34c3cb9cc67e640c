"""Sheets and letters of real scores and decisions: what they say to a client, and the PDF that says it."""

import os
import re
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from apps.credits.models import CreditApplication
from apps.decisions.queries.limits import motives_of
from apps.decisions.services.deciding import decide
from apps.decisions.services.overrides import confirm_override
from apps.engine import plain
from apps.reports.enums import ReportKind
from apps.reports.errors import PdfUnavailable
from apps.reports.queries.catalogue import document_for
from apps.reports.renderers import pdf
from apps.reports.renderers.paper import shown_sections
from apps.reports.services.making import ask_report, make_at_once, wish_for
from apps.scoring.models import Prediction
from apps.scoring.services.scores import score_application
from tests.decisions.filing import against, choice, sent_file
from tests.engine.test_plain import UNSAID
from tests.reports.readability import flesch, kandel_moles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]
#: Where the pages can be looked at, when somebody wants to.
SHOWN_IN = os.environ.get("REPORTS_SHOWN_IN", "")
needs_pdf = pytest.mark.skipif(not pdf.can_write_pdf(), reason="WeasyPrint or Pango is not on this machine")


def wish(by, kind, subject, lang="fr"):
    return wish_for(kind=kind, by=by, language=lang, subject=subject)


def text_of(document):
    """Return everything that a document says, names of people and places left out."""
    parts = [document.title]
    for section in shown_sections(document):
        parts += [section.title, *section.paragraphs, *section.items]
    return "\n".join(part for part in parts if part)


def score_more(world, count=40):
    """Score applications of every kind: the world holds a few scores only."""
    rows = CreditApplication.objects.select_related("client", "agency").order_by("uid")
    by = world.actor(world.risk_manager)
    for application in rows[:count]:
        score_application(application=application, by=by)


def some_scores(count=40):
    found = Prediction.objects.exclude(client=None).select_related("application").order_by("pd")
    every = max(1, found.count() // count)
    return list(found[::every])[:count]


KINDS = {
    "accorde": {},
    "accorde_sous_reserve": {"comment": "Apportez l'acte signé de votre terrain."},
    "refuse": {},
    "ajourne": {},
    "contre_proposition": {"amount_xaf": 300_000},
}


def decided(world, kind, **wishes):
    """Return a decision on a file to be studied, by the analyst; the scope is open."""
    file = sent_file(world, advice="etudier")
    by = world.actor(world.analyst)
    return decide(application=file, choice=choice(kind, **{**KINDS[kind], **wishes}), by=by)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_clients_sheet_is_plain_and_says_what_can_be_done(world, lang):
    by = world.actor(world.risk_manager)
    jargon = re.compile(rf"\b({'|'.join(map(re.escape, plain.JARGON[lang]))})(s|es|x)?\b")
    with world.scope():
        score_more(world)
        scores = some_scores()
        documents = [document_for(wish(by, "fiche-client", score.uid, lang)) for score in scores]

    assert len(scores) >= 20
    for document in documents:
        text = text_of(document)
        assert (kandel_moles if lang == "fr" else flesch)(text) >= 50, text
        assert not jargon.findall(text.lower()), text
        assert not re.search(UNSAID[lang], text.lower()), text
        against = document.sections[2]
        assert len(against.items) <= 4
        assert against.items or against.paragraphs
    assert any(len(document.sections[2].items) == 4 for document in documents)
    assert all(document.sections[-1].items[0] for document in documents)


def test_a_letter_of_each_kind_is_plain_and_offers_a_review(world):
    by = world.actor(world.risk_manager)
    jargon = re.compile(rf"\b({'|'.join(map(re.escape, plain.JARGON['fr']))})(s|es|x)?\b")
    with world.scope():
        decisions = [decided(world, kind) for kind in KINDS]
        decisions += [decided(world, "refuse", motive=each.code) for each in motives_of("refuse")]
        documents = [document_for(wish(by, "courrier", decision.uid)) for decision in decisions]

    for decision, document in zip(decisions, documents, strict=True):
        text = text_of(document)
        assert kandel_moles(text) >= 50, text
        assert not jargon.findall(text.lower()), text
        assert not re.search(UNSAID["fr"], text.lower()), text
        assert "Demandez qu'une autre personne étudie votre dossier. C'est gratuit." in text
        assert ("Pourquoi" in text) is (decision.kind in {"refuse", "ajourne", "contre_proposition"})
        if decision.kind == "refuse":
            why = next(section for section in document.sections if section.title == "Pourquoi")
            assert 1 <= len(why.items) <= 4


def test_a_refusal_against_the_advice_gives_its_motive_and_no_reason_of_the_score(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        file = sent_file(world, advice="accorder")
        asked = decide(application=file, choice=against("refuse"), by=world.actor(world.analyst))
        decision = confirm_override(request=asked, by=by)
        document = document_for(wish(by, "courrier", decision.uid))
    why = next(section for section in document.sections if section.title == "Pourquoi")

    assert decision.is_override
    assert len(why.items) == 1


def test_the_same_contents_have_the_same_hash_and_others_another(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        first, second = some_scores(2)[:2]
        twice = [document_for(wish(by, "fiche-client", first.uid)).sha256 for _ in range(2)]
        other = document_for(wish(by, "fiche-client", second.uid)).sha256

    assert twice[0] == twice[1] != other


def made(by, kind, subject, lang="fr"):
    asked = wish(by, kind, subject, lang)
    report = make_at_once(report=ask_report(wish=asked, format="pdf"), wish=asked)
    content = path_of_report(report).read_bytes()
    if SHOWN_IN:
        Path(SHOWN_IN, f"{kind}-{lang}.pdf").write_bytes(content)
    return report, content


def path_of_report(report):
    from apps.files.services import path_of

    return path_of(report.file)


def unpacked(content):
    """Return a PDF with its packed objects beside it."""
    pieces = [content]
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        with suppress(zlib.error):
            pieces.append(zlib.decompress(found[1]))
    return b"\n".join(pieces)


def subjects(world):
    from apps.registry.models import ModelVersion

    score = Prediction.objects.exclude(application=None).order_by("-pd").first()
    refused = decided(world, "refuse")
    return {
        ReportKind.CLIENT_SHEET: score.uid,
        ReportKind.ANALYSIS_SHEET: score.uid,
        ReportKind.DECISION_FILE: score.application.uid,
        ReportKind.LETTER: refused.uid,
        ReportKind.MODEL: ModelVersion.objects.filter(status="champion").first().uid,
    }


@needs_pdf
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_paper_is_a_tagged_pdf_that_bears_its_hash(world, lang):
    by = world.actor(world.risk_manager)
    with world.scope():
        for kind, subject in subjects(world).items():
            report, content = made(by, kind, subject, lang)
            assert content.startswith(b"%PDF-")
            inside = unpacked(content)
            assert b"/MarkInfo" in inside
            assert b"/StructTreeRoot" in inside
            assert b"/ToUnicode" in inside  # the text can be selected and read out
            assert f"/Lang ({lang})".encode() in inside
            assert b"pdfuaid" in inside
            assert report.contents_sha256
            assert report.file.original_name.endswith(".pdf")


@needs_pdf
def test_a_report_over_a_period_is_printed_too(world):
    from apps.reports.rules import kinds_of
    from tests.reports.test_totals import FIRST, LAST

    by = world.actor(world.administrator)
    with world.scope():
        for kind in kinds_of(by):
            asked = wish_for(kind=kind, by=by, language="fr", starts_on=FIRST, ends_on=LAST)
            report = make_at_once(report=ask_report(wish=asked, format="pdf"), wish=asked)
            content = path_of_report(report).read_bytes()
            if SHOWN_IN:
                Path(SHOWN_IN, f"{kind}.pdf").write_bytes(content)
            assert b"/StructTreeRoot" in unpacked(content)


def test_without_the_library_a_pdf_says_so_and_a_workbook_is_still_made(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    by = world.actor(world.risk_manager)
    with world.scope():
        score = some_scores(1)[0]
        asked = wish(by, "fiche-client", score.uid)
        with pytest.raises(PdfUnavailable, match="Pango"):
            make_at_once(report=ask_report(wish=asked, format="pdf"), wish=asked)
        from tests.reports.test_totals import wish as over_a_period

        months = over_a_period(by)
        for form in ("csv", "xlsx"):
            report = make_at_once(report=ask_report(wish=months, format=form), wish=months)
            assert report.file.size > 0


def test_without_pango_the_import_of_the_library_fails_and_says_so(world, monkeypatch):
    """Where Pango is missing, WeasyPrint is there and cannot be imported: an ``OSError``."""
    import builtins

    found = builtins.__import__

    def without(name, *args, **more):
        if name.partition(".")[0] == "weasyprint":
            raise OSError("cannot load library 'libpangoft2-1.0.so.0'")
        return found(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    by = world.actor(world.risk_manager)
    with world.scope():
        asked = wish(by, "fiche-client", some_scores(1)[0].uid)
        with pytest.raises(PdfUnavailable):
            make_at_once(report=ask_report(wish=asked, format="pdf"), wish=asked)


def test_a_logo_is_a_picture_or_nothing(tmp_path):
    picture, text = tmp_path / "logo.png", tmp_path / "logo.jpg"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 20)
    text.write_text("<svg onload='x'/>")

    assert pdf._logo_address(picture).startswith("data:image/png;base64,")
    assert pdf._logo_address(text) == ""
    assert pdf._logo_address(tmp_path / "none.png") == ""
