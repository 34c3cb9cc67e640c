"""Browser tests of the back-office borrow the browser of the others."""

import pytest
from django.conf import settings

from config import icons
from tests.e2e.conftest import browser, visit

__all__ = ["browser", "visit"]


@pytest.fixture(scope="session")
def icon_font():
    """Make the icons that the site serves, as every command that serves does."""
    return icons.make_changed(settings.MADE_ASSETS_DIR)
