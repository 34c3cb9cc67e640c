"""Every form that is refused says so above, each point a link to its field."""

import re

import pytest

from tests.e2e.places import shown_pages

pytestmark = pytest.mark.django_db


def of_group(name, links):
    """Return the identifier of the group that a radio button or a box belongs to, if it has one."""
    group = re.sub(r"_\d+$", "", name)
    return group if group in links else name


def test_every_refused_form_leads_to_its_fields(world):
    refused = [shown for shown in shown_pages("fr") if shown.status == 422]

    faults = []
    for shown in refused:
        links = set(re.findall(r'<a href="#([^"]+)">', shown.html))
        ids = set(re.findall(r'\bid="([^"]+)"', shown.html))
        wrong = set(
            re.findall(
                r'\bid="([^"]+)"', " ".join(re.findall(r'<[^>]*aria-invalid="true"[^>]*>', shown.html))
            )
        )
        wrong = {of_group(name, links) for name in wrong}
        if "error-summary" not in shown.html or not wrong or not links - {"content"}:
            faults.append(f"{shown}: no summary")
        faults += [f"{shown}: nothing has the id {name}" for name in links - ids]
        faults += [f"{shown}: the summary does not lead to {name}" for name in wrong - links]

    assert len(refused) > 5
    assert faults == []
