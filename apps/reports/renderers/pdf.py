"""PDF for people and screen readers: tagged (PDF/UA-1), A4, nothing fetched from anywhere.

WeasyPrint and Pango are loaded when a document is written, never before: without them everything else works.
"""

import ctypes
import datetime as dt
from base64 import b64encode
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.institutions.validators import LARGEST_KEPT, picture_kind
from apps.reports.errors import PdfUnavailable
from apps.reports.queries.documents import Document
from apps.reports.renderers.paper import is_across, shown_sections

#: How the systems name the library that WeasyPrint loads.
_PANGO = ("libpangoft2-1.0.so.0", "libpangoft2-1.0.0.dylib", "libpangoft2-1.0-0.dll", "pangoft2-1.0")


@cache
def can_write_pdf() -> bool:
    """Say whether PDF can be written on this machine; cheap enough for a page to ask."""
    return find_spec("weasyprint") is not None and any(_loads(name) for name in _PANGO)


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def write_pdf(
    document: Document, *, institution: Any, made_at: dt.datetime, logo: Path | None = None
) -> bytes:
    """Return a document as PDF/UA-1; raise ``PdfUnavailable`` where a library is missing."""
    try:
        from weasyprint import CSS, HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as missing:
        raise PdfUnavailable(unavailable_text()) from missing
    context = page_context(document, institution=institution, made_at=made_at, logo=logo)
    page = render_to_string("reports/paper/page.html", context)
    styles = render_to_string("reports/paper/paper.css", {"across": is_across(document), **context})
    fetcher = URLFetcher(allowed_protocols={"data"})  # neither a file of the server nor an address
    sheet = CSS(string=styles, url_fetcher=fetcher)
    html = HTML(string=page, url_fetcher=fetcher)
    written: bytes = html.write_pdf(stylesheets=[sheet], pdf_variant="pdf/ua-1")
    return written


def page_context(
    document: Document, *, institution: Any, made_at: dt.datetime, logo: Path | None = None
) -> dict[str, Any]:
    """Return what the template of a document needs."""
    return {
        "document": document,
        "sections": shown_sections(document),
        "institution": institution,
        "made_text": _("Made on %(moment)s · contents %(hash)s")
        % {"moment": date_format(timezone.localtime(made_at), "d/m/Y H:i"), "hash": document.sha256},
        "logo": _logo_address(logo),
    }


def unavailable_text() -> str:
    """Return what to tell who asks for a PDF that cannot be written here."""
    return _("PDF cannot be written on this server: the Pango library is missing. CSV and Excel work.")


def _logo_address(logo: Path | None) -> str:
    """Return a picture as an address that holds it; empty for none, and for what is no PNG or JPEG."""
    if logo is None or not logo.is_file() or logo.stat().st_size > LARGEST_KEPT:
        return ""
    content = logo.read_bytes()
    kind = picture_kind(content)
    return f"data:{kind};base64,{b64encode(content).decode()}" if kind else ""
