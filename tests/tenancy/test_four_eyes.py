"""Maker is not checker."""

from dataclasses import replace

import pytest

from apps.tenancy.actor import Actor, task_actor
from apps.tenancy.four_eyes import SamePerson, require_another_person

PERSON = Actor(kind="user", id=7, uid=None, institution_id=1, role="responsable_risques")


def test_another_person_may_check():
    require_another_person(maker_id=8, by=PERSON)


@pytest.mark.parametrize(
    ("maker_id", "by"),
    [
        (7, PERSON),
        (None, PERSON),
        (8, task_actor(1)),
        (8, replace(PERSON, kind="key")),
        (8, replace(PERSON, id=None)),
    ],
)
def test_nobody_else_may(maker_id, by):
    with pytest.raises(SamePerson):
        require_another_person(maker_id=maker_id, by=by)
