"""The caller's language, for texts that do not go through gettext (the engine's sentences)."""

from django.utils import translation

from apps.engine.contracts import Lang


def current_lang() -> Lang:
    """Return ``"en"`` when English is active, else ``"fr"``."""
    return "en" if (translation.get_language() or "fr").startswith("en") else "fr"
