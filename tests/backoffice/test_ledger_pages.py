"""Credits, instalments and repayments as an administrator reads them: nothing is written."""

import pytest
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.credits.models import Credit, Installment, Repayment

pytestmark = pytest.mark.django_db
PAGES = {"credit": Credit, "installment": Installment, "repayment": Repayment}


def found(world, name, code="horizon"):
    with world.scope(code):
        return PAGES[name].objects.select_related("credit" if name != "credit" else "client").latest("pk")


def of(row):
    return row if isinstance(row, Credit) else row.credit


def searched(row):
    return row.reference if isinstance(row, Repayment) else of(row).reference


@pytest.mark.parametrize("name", PAGES)
def test_the_list_is_searched_and_a_row_is_shown_and_the_reading_known(world, page, name):
    row, client = found(world, name), page(world.administrator)

    listed = client.get(reverse(f"admin:credits_{name}_changelist"), {"q": searched(row)})
    shown = client.get(reverse(f"admin:credits_{name}_change", args=[row.pk]))

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert of(row).reference in listed.content.decode()
    assert of(row).reference in shown.content.decode()
    with world.scope():
        entry = AuditEntry.objects.filter(action="credit.read").latest("pk")
        assert entry.object_uid == of(row).uid


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_added_changed_or_deleted(world, page, name):
    row, client = found(world, name), page(world.administrator)

    assert client.get(reverse(f"admin:credits_{name}_add")).status_code == 403
    assert client.post(reverse(f"admin:credits_{name}_change", args=[row.pk]), {}).status_code == 403
    assert client.post(reverse(f"admin:credits_{name}_delete", args=[row.pk])).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_another_institution_sees_none_of_it(world, page, name):
    row, outsider = found(world, name), page(world.outsider_admin)

    listed = outsider.get(reverse(f"admin:credits_{name}_changelist"), {"q": searched(row)})
    shown = outsider.get(reverse(f"admin:credits_{name}_change", args=[row.pk]))

    assert row.pk not in [each.pk for each in listed.context["cl"].result_list]
    assert shown.status_code in (302, 404)
