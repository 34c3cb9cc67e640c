"""What the platform holds of an institution, in lines."""

from pathlib import Path

from django.utils.translation import gettext as _

from apps.institutions.models import Institution


def facts_of(institution: Institution) -> list[tuple[str, str]]:
    """Return the lines of the institution: ``(label, value)``."""
    return [
        (_("Name"), institution.name),
        (_("Category"), institution.get_category_display()),
        (_("Licence number and date"), institution.licence),
        (_("Default language"), institution.get_language_display()),
    ]


def stamp_of(logo: Path) -> str:
    """Return what tells one picture from the next, so that a browser shows the new one."""
    return f"{logo.stat().st_mtime_ns:x}"
