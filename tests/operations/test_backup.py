"""Backup and restore: what comes back is the same site; one institution's backup holds nothing of another."""

import io
import itertools
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command

from apps.credits.models import Client
from apps.institutions.models import Institution
from apps.scoring.services.scores import score_values
from apps.users.models import User
from config import postgres
from config.backup import BackupRefused, opened_archive, place_files
from config.backup.institution import tenant_models
from config.postgres import roles
from tests.conftest import _drop, _owner_dsn
from tests.predict import BODY
from tests.tenancy.test_encryption import pg_dump

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "owner"]),
    pytest.mark.skipif(not postgres.is_embedded(), reason="needs the embedded server's backup password"),
]

ROOT = Path(__file__).resolve().parents[2]
RESTORED = "credisense_restored"
REPLAY = """
import django; django.setup()
from apps.institutions.models import Institution
from apps.scoring.models import Prediction
from apps.scoring.services.scores import replay_prediction
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope
for institution in Institution.objects.order_by("code"):
    with tenant_scope(institution.pk):
        actor = task_actor(institution.pk)
        replays = [replay_prediction(prediction=each, by=actor) for each in Prediction.objects.all()]
        print(institution.code, len(replays), sum(replay.identical for replay in replays))
"""
REWRITE = """
import django; django.setup()
from django.db import connection
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope
with tenant_scope(Institution.objects.first().pk), connection.cursor() as cursor:
    cursor.execute("{statement}")
"""


@pytest.fixture
def empty_database():
    """Make an empty database of the same server; drop it afterwards."""
    _drop(RESTORED)
    roles.ensure_database(_owner_dsn("postgres"), RESTORED)
    yield RESTORED
    _drop(RESTORED)


@pytest.fixture
def there(empty_database, tmp_path):
    """Return a function that runs Python on the restored database, with files of its own."""

    def run(*arguments, check=True):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.worker_settings",
            "TEST_QUEUE": str(tmp_path / "queue"),
            "TEST_DATABASE": empty_database,
            "TEST_FILES": str(tmp_path / "restored"),
        }
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert not (check and done.returncode), done.stderr
        return done

    return run


def score(world, code, person, times):
    """Store so many different scores."""
    with world.scope(code):
        for number in range(times):
            raw = {**BODY, "age": 20 + number % 50, "montant_credit": 400_000 + 10_000 * number}
            score_values(raw=raw, by=world.actor(person))


def backup(target, *arguments):
    call_command("backup", str(target), *arguments, stdout=io.StringIO())


def assert_sound(there):
    checked = there("manage.py", "check_isolation")
    assert (checked.stdout, checked.stderr) == ("", "")
    there("manage.py", "verify_audit")


def test_the_whole_platform_comes_back_identical(world, there, tmp_path):
    score(world, "horizon", world.analyst, 80)
    score(world, "ngwa", world.outsider, 20)
    backup(tmp_path / "all.tar")

    there("manage.py", "restore", str(tmp_path / "all.tar"))

    assert_sound(there)
    counts = [line.split() for line in there("-c", REPLAY).stdout.splitlines()]
    assert [code for code, *_ in counts] == ["horizon", "ngwa"]
    assert all(total == identical for _code, total, identical in counts)
    assert sum(int(total) for _code, total, _identical in counts) >= 100
    # Not one right more than before: the trail stays append-only, a query without a scope stays an error.
    for statement in ("UPDATE audit_auditentry SET action = 'x'", "DELETE FROM scoring_prediction"):
        refused = there("-c", REWRITE.format(statement=statement), check=False)
        assert "permission denied" in refused.stderr


def test_a_backup_never_replaces_a_file_and_is_private(world, tmp_path):
    target = tmp_path / "all.tar"
    backup(target)
    before = target.read_bytes()

    for arguments in ((), ("--institution", "ngwa")):
        with pytest.raises(CommandError, match="exists already"):
            backup(target, *arguments)

    assert target.read_bytes() == before
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".backup")] == []


def test_a_backup_holds_no_key_and_no_clear_phone(world, tmp_path):
    target = tmp_path / "ngwa.tar"
    with world.scope("ngwa"):
        phones = [phone for phone in Client.objects.values_list("phone", flat=True) if phone]

    backup(target, "--institution", "ngwa")

    content = target.read_bytes()
    assert phones
    assert not [phone for phone in phones if phone.encode() in content]
    for key in (*site.FIELD_ENCRYPTION_KEYS, site.BLIND_INDEX_KEY, site.SECRET_KEY):
        assert key.encode() not in content


def test_a_restoration_into_an_inhabited_database_is_refused(world, tmp_path):
    for name, arguments in (("all.tar", ()), ("one.tar", ("--institution", "ngwa"))):
        backup(tmp_path / name, *arguments)
        with pytest.raises(CommandError, match="not empty"):
            call_command("restore", str(tmp_path / name))
    with world.scope():
        assert Client.objects.exists()


def test_one_institution_comes_back_alone(world, there, tmp_path):
    target = tmp_path / "horizon.tar"
    with world.scope("ngwa"):
        theirs = {name for name in Client.objects.values_list("search_name", flat=True) if " " in name}
        references = set(Client.objects.values_list("uid", flat=True))
    with world.scope("horizon"):
        names = Client.objects.values_list("search_name", "name_key")
        ours = "\n".join(itertools.chain.from_iterable(names))
        clients = Client.objects.count()

    score(world, "horizon", world.analyst, 85)
    backup(target, "--institution", "horizon")
    there("manage.py", "restore", str(target))

    assert_sound(there)
    (counted,) = there("-c", REPLAY).stdout.splitlines()
    code, total, identical = counted.split()
    assert (code, total) == ("horizon", identical)
    assert int(total) >= 100
    dump = pg_dump(RESTORED)
    people = User.objects.filter(memberships__institution__code="ngwa").values_list("email", flat=True)
    # A short name of theirs may be the beginning of a longer one of ours.
    only_theirs = {name for name in theirs if name not in ours}
    foreign = {*only_theirs, *map(str, references), *people, "Ngwa Microfinance"}
    assert len(only_theirs) > 100
    for content in (dump, b"".join(files_of(target))):
        assert world.analyst.encode() in content
        assert not [word for word in foreign if word.encode() in content]
    assert dump.count(b"\thorizon\t") == 1
    new = (
        "import django; django.setup();"
        "from apps.credits.models import Client; from apps.tenancy.context import tenant_scope;"
        "from apps.institutions.models import Agency, Institution\n"
        "with tenant_scope(Institution.objects.get().pk):\n"
        "    Client.objects.create(agency=Agency.objects.first(), reference='after', last_name='x',"
        " birth_date='1990-01-01'); print(Client.objects.count())"
    )
    assert there("-c", new).stdout.strip() == str(clients + 1)


def files_of(target):
    with tarfile.open(target) as tar:
        for member in tar.getmembers():
            if member.isfile():
                yield tar.extractfile(member).read()


def test_tables_come_after_what_they_point_at():
    order = tenant_models()

    for model in order:
        for field in model._meta.local_fields:
            target = field.related_model
            if target in order and target is not model:
                assert order.index(target) < order.index(model)


def test_what_is_no_backup_is_refused(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no")

    with pytest.raises(BackupRefused), opened_archive(tmp_path / "x.tar"):
        pass


def test_an_unknown_institution_is_refused(world, tmp_path):
    with pytest.raises(CommandError, match="code"):
        backup(tmp_path / "x.tar", "--institution", "nobody")
    assert not (tmp_path / "x.tar").exists()


def test_a_file_with_another_content_is_not_replaced(tmp_path):
    for side, content in (("from", "new"), ("to", "old")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a").write_text(content)
    (tmp_path / "from" / "b").write_text("b")

    with pytest.raises(BackupRefused):
        place_files(tmp_path / "from", tmp_path / "to")

    assert (tmp_path / "to" / "a").read_text() == "old"
    assert not (tmp_path / "to" / "b").exists()


def test_the_operators_journal_says_that_a_backup_was_made(world, tmp_path):
    from apps.audit.models import PlatformEntry

    backup(tmp_path / "one.tar", "--institution", "ngwa")

    entry = PlatformEntry.objects.get(action="backup.create")
    assert entry.institution_id == Institution.objects.get(code="ngwa").pk
