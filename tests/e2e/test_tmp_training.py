import pytest

from tests.e2e.places import shown_pages
from tests.e2e.test_pages import window  # noqa

pytestmark = pytest.mark.django_db(databases=["default", "platform"])
import tests.e2e.test_pages as m

pytestmark = m.pytestmark

def test_training_pages(world, window):
    seen = 0
    for lang in ("fr", "en"):
        for shown in shown_pages(lang):
            if shown.name.startswith(("web:training", "web:score_second", "web:model ", "web:model")):
                seen += 1
                window.open(shown)
                if lang == "fr":
                    window.judge()
    assert seen > 6
    assert not window.findings, "\n".join(sorted(set(window.findings)))
