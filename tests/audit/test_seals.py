"""Whoever changes the trail in the database, as its owner even, is found by `verify_audit`."""

import datetime as dt
import io
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from apps.audit import validators
from apps.audit.errors import BrokenTrail
from apps.audit.models import AuditEntry, AuditHead, AuditSeal, PlatformEntry, PlatformHead, PlatformSeal
from apps.audit.queries import PLATFORM_TRAIL, findings, institution_trail, unsealed
from apps.audit.services import record, record_platform, seal_trail
from apps.institutions.tasks import seal_audit_trails

pytestmark = pytest.mark.django_db(databases=["default", "owner"], transaction=True)


def verify(*options):
    """Return ``(exit code, lines of findings, lines of the summary)``."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("verify_audit", *options, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, err.getvalue().splitlines(), out.getvalue().splitlines()
    return 0, err.getvalue().splitlines(), out.getvalue().splitlines()


def kinds(lines):
    return {line.split(": ")[1] for line in lines}


@pytest.fixture
def trail(world):
    """Seal the trail of horizon with five more entries; returns their numbers, in order."""
    actor = world.actor(world.analyst)
    with world.scope():
        seal_trail(institution_trail(), everything=True)
        numbers = [record(by=actor, action="test.step", after={"step": step}).pk for step in range(5)]
        seal_trail(institution_trail())
    return numbers


def as_owner(statement, *values):
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount > 0


def test_a_whole_trail_is_one_line(trail):
    code, found, summary = verify()

    assert (code, found) == (0, [])
    assert len(summary) == 1
    assert "horizon: " in summary[0]
    assert "ngwa: " in summary[0]
    assert verify("--institution", "horizon")[0] == 0


def test_an_unknown_institution_is_refused(world):
    assert verify("--institution", "nowhere")[0] == 1


@pytest.mark.parametrize(
    "change",
    [
        """after = '{"step": 99}'""",
        "action = 'test.other'",
        "at = at - interval '1 microsecond'",
        "actor_name = 'Somebody else'",
        "actor_id = 1 + coalesce(actor_id, 0)",
        "address = '10.0.0.9'",
        "request_id = 'x'",
        "before = '{}'",
        "object_type = 'x'",
        "object_uid = gen_random_uuid()",
        "uid = gen_random_uuid()",
        "actor_kind = 'task'",
        "institution_id = (SELECT max(id) FROM institutions_institution)",
    ],
)
def test_an_altered_row_is_found(trail, change):
    as_owner(f"UPDATE audit_auditentry SET {change} WHERE id = %s", trail[2])  # noqa: S608  the list above

    code, found, _summary = verify("--institution", "horizon")

    assert code == 1
    assert [str(trail[2]) in line for line in found] == [True]


def test_a_deleted_row_is_found(trail):
    as_owner("DELETE FROM audit_auditentry WHERE id = %s", trail[2])

    assert kinds(verify()[1]) == {"deleted"}


def test_a_row_deleted_with_its_seal_is_found(trail):
    as_owner("DELETE FROM audit_auditentry WHERE id = %s", trail[2])
    as_owner("DELETE FROM audit_auditseal WHERE entry_id = %s", trail[2])

    assert "unlinked" in kinds(verify()[1])


def test_a_seal_taken_away_does_not_give_the_row_a_new_one_unseen(trail):
    as_owner("DELETE FROM audit_auditseal WHERE entry_id = %s", trail[2])

    assert "unlinked" in kinds(verify()[1])


def insert_copy(number, source, at):
    as_owner(
        "INSERT INTO audit_auditentry (id, uid, institution_id, at, actor_kind, actor_id, actor_name, action,"
        " object_type, request_id, address) SELECT %s, gen_random_uuid(), institution_id, %s, actor_kind,"
        " actor_id, actor_name, 'test.forged', '', '', '' FROM audit_auditentry WHERE id = %s",
        number,
        at,
        source,
    )


@pytest.mark.parametrize("number", [-5, 10**9])
def test_a_row_inserted_in_the_past_is_found(trail, number):
    insert_copy(number, trail[0], timezone.now() - dt.timedelta(days=3))

    assert kinds(verify()[1]) == {"inserted"}
    assert kinds(verify()[1]) == {"inserted"}  # sealing it did not whiten it


def test_a_row_inserted_with_a_seal_of_its_own_is_found(trail):
    insert_copy(10**9, trail[0], timezone.now())
    as_owner(
        "INSERT INTO audit_auditseal (uid, institution_id, position, entry_id, sealed_at, late, hash)"
        " SELECT gen_random_uuid(), institution_id, position + 1, %s, sealed_at, false, repeat('0', 64)"
        " FROM audit_auditseal WHERE entry_id = %s",
        10**9,
        trail[-1],
    )

    assert kinds(verify()[1]) >= {"surplus", "altered"}


def test_two_rows_that_change_places_are_found(trail):
    first, second = trail[1], trail[3]
    as_owner("UPDATE audit_auditentry SET id = -1 WHERE id = %s", first)
    as_owner("UPDATE audit_auditentry SET id = %s WHERE id = %s", first, second)
    as_owner("UPDATE audit_auditentry SET id = %s WHERE id = -1", second)

    code, found, _summary = verify()

    assert (code, len(found), kinds(found)) == (1, 2, {"altered"})


def test_two_seals_that_change_places_are_found(world, trail):
    with world.scope():
        one, two = (AuditSeal.objects.get(entry_id=number).position for number in (trail[1], trail[3]))
    for old, new in ((one, -1), (two, one), (-1, two)):
        as_owner("UPDATE audit_auditseal SET position = %s WHERE position = %s", new, old)

    assert kinds(verify("--institution", "horizon")[1]) == {"altered"}


def cut_the_tail(trail):
    for number in trail[3:]:
        as_owner("DELETE FROM audit_auditentry WHERE id = %s", number)
        as_owner("DELETE FROM audit_auditseal WHERE entry_id = %s", number)


def test_a_deleted_tail_is_found_even_after_new_entries(world, trail):
    cut_the_tail(trail)

    assert kinds(verify()[1]) == {"tail"}
    with world.scope():
        record(by=world.actor(world.analyst), action="test.next")
    assert kinds(verify()[1]) >= {"unlinked"}


def test_a_deleted_tail_with_its_head_turned_back_is_found(world, trail):
    cut_the_tail(trail)
    with world.scope():
        last = AuditSeal.objects.order_by("-position").first()
    as_owner(
        "UPDATE audit_audithead SET count = %s, hash = %s WHERE institution_id = %s",
        last.position,
        last.hash,
        last.institution_id,
    )

    assert kinds(verify()[1]) == {"head"}


def test_a_tail_rewritten_without_the_key_is_found(world, trail, settings):
    """The forger knows this very code and owns the database, but has another key."""
    right = settings.AUDIT_KEY
    for number in trail[3:]:
        as_owner("DELETE FROM audit_auditseal WHERE entry_id = %s", number)
    as_owner("""UPDATE audit_auditentry SET after = '{"step": 99}' WHERE id = %s""", trail[3])
    settings.AUDIT_KEY = "guess-" + "g" * 50
    with world.scope():
        last, head = AuditSeal.objects.order_by("-position").first(), AuditHead.objects.get()
        head.count, head.hash = last.position, last.hash
        head.signature = validators.head_signature(trail=institution_trail().name, head=head)
        head.save()
        assert seal_trail(institution_trail(), everything=True) == 2
    settings.AUDIT_KEY = right

    assert kinds(verify()[1]) == {"head", "altered"}


def test_seals_and_head_made_anew_over_an_old_history_are_found(world, trail):
    as_owner("UPDATE audit_auditentry SET at = at - interval '3 days'")
    as_owner("DELETE FROM audit_auditseal")
    as_owner("DELETE FROM audit_audithead")

    assert kinds(verify()[1]) == {"inserted"}


def test_a_deleted_head_is_found_and_nothing_is_sealed_upon_it(world, trail):
    as_owner("DELETE FROM audit_audithead")

    assert "head" in kinds(verify()[1])
    with world.scope(), pytest.raises(BrokenTrail):
        seal_trail(institution_trail())


@pytest.mark.parametrize("column", ["settled_id", "frontier_id"])
def test_a_head_that_tells_the_sealer_to_look_away_is_found(trail, column):
    as_owner(f"UPDATE audit_audithead SET {column} = 1000000000")  # noqa: S608  the list above

    assert kinds(verify()[1]) == {"head"}


def test_the_site_itself_may_not_change_what_is_sealed(world, trail):
    for table in ("audit_auditentry", "audit_auditseal", "audit_platformentry", "audit_platformseal"):
        for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT has_table_privilege(current_user, %s, %s)", [table, privilege])
                assert cursor.fetchone() == (False,), (table, privilege)


def test_an_entry_that_commits_after_a_higher_one_is_sealed(world, trail):
    """Its number was given first; a gap before it commits is no finding."""
    given, go_on = threading.Event(), threading.Event()
    slow_number = []
    actor = world.actor(world.analyst)

    def slow():
        with world.scope():
            slow_number.append(record(by=actor, action="test.slow").pk)
            given.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    given.wait(20)
    with world.scope():
        quick = record(by=actor, action="test.quick").pk
    with world.scope():
        seal_trail(institution_trail())
    before = verify("--institution", "horizon")[0]
    go_on.set()
    thread.join()
    with world.scope():
        sealed = seal_trail(institution_trail())
        order = list(AuditSeal.objects.order_by("-position").values_list("entry_id", flat=True)[:2])

    assert slow_number[0] < quick
    assert (before, sealed, order) == (0, 1, [slow_number[0], quick])
    assert verify()[0] == 0


def test_sealers_at_once_keep_one_chain(world, trail):
    actor = world.actor(world.analyst)
    start = threading.Barrier(5)
    failures = []

    def write_and_seal():
        start.wait(20)
        try:
            for _ in range(15):
                with world.scope():
                    record(by=actor, action="test.crowd")
                with world.scope():
                    seal_trail(institution_trail())
        except Exception as error:  # noqa: BLE001  told by the assertion below
            failures.append(error)
        connection.close()

    threads = [threading.Thread(target=write_and_seal) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.scope():
        positions = list(AuditSeal.objects.order_by("position").values_list("position", flat=True))
        waiting = unsealed(institution_trail()).count()

    assert (failures, waiting) == ([], 0)
    assert positions == list(range(1, len(positions) + 1))
    assert verify()[0] == 0


def test_a_settled_number_is_not_looked_at_by_the_everyday_sealer_but_is_within_the_hour(world, trail):
    """The window is an economy; nothing may stay outside it for good."""
    trail_of_horizon = None
    with world.scope():
        trail_of_horizon = institution_trail()
        head = AuditHead.objects.get()
        head.settled_id, head.frontier_at = 10**12, timezone.now()
        head.signature = validators.head_signature(trail=trail_of_horizon.name, head=head)
        head.save()
        record(by=world.actor(world.analyst), action="test.below")
        assert seal_trail(trail_of_horizon) == 0
        head.frontier_at = timezone.now() - 2 * validators.LATE_AFTER
        head.caught_up_at = timezone.now() - 2 * validators.LATE_AFTER
        head.signature = validators.head_signature(trail=trail_of_horizon.name, head=head)
        head.save()
        assert seal_trail(trail_of_horizon) == 1


def test_the_task_seals_every_institution_and_the_platform(world, caplog):
    with world.scope("ngwa"):
        record(by=world.actor(world.outsider), action="test.step")
    record_platform(by=world.actor(world.analyst), action="test.step", institution_id=None, reason="why")

    seal_audit_trails()

    for code in ("horizon", "ngwa"):
        with world.scope(code):
            assert AuditSeal.objects.count() == AuditEntry.objects.count() == AuditHead.objects.get().count
    assert PlatformSeal.objects.count() == PlatformEntry.objects.count() == PlatformHead.objects.get().count
    assert not caplog.records


def test_a_broken_trail_is_logged_and_does_not_stop_the_next(world, trail, caplog):
    as_owner(
        "UPDATE audit_audithead SET count = 1 WHERE institution_id = %s", world.institution_id("horizon")
    )
    with world.scope("ngwa"):
        record(by=world.actor(world.outsider), action="test.step")

    seal_audit_trails()

    with world.scope("ngwa"):
        assert unsealed(institution_trail()).count() == 0
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_an_operators_entry_that_was_altered_is_found(world):
    record_platform(by=world.actor(world.analyst), action="test.step", institution_id=None, reason="why")
    seal_trail(PLATFORM_TRAIL)
    as_owner("UPDATE audit_platformentry SET reason = 'other'")

    assert {finding.kind for finding in findings(PLATFORM_TRAIL)} == {"altered"}
    assert verify()[0] == 1


def test_a_person_can_be_the_object_of_an_entry(world):
    with world.scope():
        entry = record(by=world.actor(world.analyst), action="session.open", target=world.user(world.analyst))

    assert (entry.object_type, entry.object_uid) == ("users.user", world.user(world.analyst).uid)
