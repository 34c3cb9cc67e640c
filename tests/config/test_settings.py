"""Production refuses to start without its secrets, with DEBUG on, or with a wildcard host."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "CREDISENSE_ALLOWED_HOSTS": "credit.example.cm",
    "CREDISENSE_SECRET_KEY": "s" * 50,
    "CREDISENSE_JWT_KEY": "j" * 50,
    "CREDISENSE_FIELD_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "CREDISENSE_INDEX_KEY": "i" * 50,
    "CREDISENSE_TASK_KEY": "t" * 50,
    "CREDISENSE_AUDIT_KEY": "a" * 50,
    "DATABASE_URL": "postgresql://credisense_app:x@localhost/credisense",
    "DATABASE_PLATFORM_URL": "postgresql://credisense_platform:x@localhost/credisense",
}


def start(**changes):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CREDISENSE", "DATABASE"))
    }
    environment = {**kept, **COMPLETE, **changes, "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    code = "import django; django.setup()"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_complete_environment_starts():
    assert start().returncode == 0


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "DATABASE_PLATFORM_URL"])
def test_each_secret_is_asked_by_its_name(name):
    done = start(**{name: ""})

    assert done.returncode != 0
    assert name in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CREDISENSE_DEBUG", "1"),
        ("CREDISENSE_DEMO", "1"),
        ("CREDISENSE_ALLOWED_HOSTS", "*"),
        ("CREDISENSE_ALLOWED_HOSTS", ".example.cm"),
        ("CREDISENSE_SECRET_KEY", "short"),
    ],
)
def test_what_is_unsafe_is_refused(name, value):
    done = start(**{name: value})

    assert done.returncode != 0
    assert name in done.stderr


def test_the_deployment_check_is_silent():
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CREDISENSE", "DATABASE"))
    }
    environment = {
        **kept,
        **COMPLETE,
        "CREDISENSE_SECRET_KEY": "".join(chr(97 + number % 26) + str(number) for number in range(40)),
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
    }
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # of the browser tests
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_mail_is_named_by_the_environment():
    done = start(CREDISENSE_EMAIL_SECURITY="perhaps")

    assert done.returncode != 0
    assert "CREDISENSE_EMAIL_SECURITY" in done.stderr
