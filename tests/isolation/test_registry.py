"""All 54 attacks are made, or wait behind a check that fails when what they wait for appears."""

import importlib

import pytest

from tests.isolation.registry import ATTACKS, Wait

WAITS = [(number, each) for number, attack in ATTACKS.items() for each in attack if isinstance(each, Wait)]
MADE = [(number, each) for number, attack in ATTACKS.items() for each in attack if isinstance(each, str)]


def test_every_attack_is_made_or_waits():
    assert list(ATTACKS) == list(range(1, 55))
    assert all(ATTACKS.values())


@pytest.mark.parametrize(("number", "name"), MADE)
def test_the_test_exists(number, name):
    module, _, function = name.partition("::")

    assert callable(getattr(importlib.import_module(f"tests.isolation.{module}"), function))


@pytest.mark.parametrize(("number", "wait"), WAITS, ids=[f"{n}-{wait.what}" for n, wait in WAITS])
def test_what_an_attack_waits_for_is_not_here(number, wait):
    assert wait.appeared() == [], f"attack {number} waited for {wait.what}: write it, then remove the wait"
