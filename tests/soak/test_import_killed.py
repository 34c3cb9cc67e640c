"""A worker killed with -9 at 10, 50 and 90 % of an import: it ends, every client once, and it can be undone.

SOAK_IMPORT_ROWS says how many clients the file has (100,000).
"""

import json
import os
import time
import urllib.request

import pytest

from config import postgres
from tests.soak.test_batch_killed import BOUNDARY, SHARES, log_in
from tests.soak.test_kill_everything import KilledSite

ROWS = int(os.environ.get("SOAK_IMPORT_ROWS", "100000"))

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="runs the embedded database only"),
]


def send_file(site: KilledSite, token: str, agency: str) -> str:
    """Post a file of as many clients; return the identifier of the import."""
    lines = ["Code client;Agence;Nom;Date de naissance;Téléphone"]
    lines += [
        f"S-{number:07d};{agency};Nom{number};"
        f"{1 + number % 28:02d}/{1 + number % 12:02d}/{1950 + number % 50};"
        f"6{20_000_000 + number}"
        for number in range(ROWS)
    ]
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="target"\r\n\r\nclients\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="soak.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{chr(10).join(lines)}\r\n--{BOUNDARY}--\r\n"
    )
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Authorization": f"Bearer {token}",
    }
    request = urllib.request.Request(f"http://{site.address}/api/v1/imports", parts.encode(), headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["id"]


def step(site: KilledSite, token: str, uid: str, name: str, body: dict) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"http://{site.address}/api/v1/imports/{uid}/{name}", data, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.status == 202


def wait_for_end(site: KilledSite) -> int:
    """Wait until the present step ends; return how many attempts it took."""
    for _ in range(2_400):
        ((status, attempts),) = site.rows(
            "SELECT j.status, j.attempts FROM jobs_job j JOIN credits_importrun r ON r.job_id = j.id"
            " AND r.institution_id = j.institution_id"
        )
        if status in {"done", "failed", "cancelled"}:
            assert status == "done"
            return attempts
        time.sleep(0.25)
    pytest.fail("the work does not end")
    return 0


def wait_until(site: KilledSite, rows: int) -> None:
    for _ in range(6_000):
        ((read,),) = site.rows("SELECT rows_read FROM credits_importrun")
        if read >= rows:
            return
        time.sleep(0.02)
    pytest.fail("the work does not go on")


def test_a_worker_killed_three_times_imports_every_client_once(tmp_path):
    site = KilledSite(tmp_path)
    site.environment["OMP_NUM_THREADS"] = "1"
    postgres.ensure_running(tmp_path)
    try:
        site.manage("migrate", "--database=owner", "-v0")
        site.manage("seed_demo", "--rows", "1200")
        site.start_all()
        token = log_in(site)
        ((agency,),) = site.rows("SELECT code FROM institutions_agency ORDER BY id LIMIT 1")
        ((before,),) = site.rows("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM credits_client t")
        uid = send_file(site, token, agency)
        step(site, token, uid, "check", {})
        wait_for_end(site)
        step(site, log_in(site), uid, "confirm", {"mode": "valid"})
        for share in SHARES:
            wait_until(site, int(ROWS * share))
            site.kill("worker")
            site.restore("worker")

        assert wait_for_end(site) >= 2
        found = site.rows(
            "SELECT count(*), count(DISTINCT reference) FROM credits_client WHERE reference LIKE 'S-%'"
        )
        assert found == [(ROWS, ROWS)]
        counts = site.rows(
            "SELECT rows_new, rows_updated, rows_unchanged, rows_duplicate FROM credits_importrun"
        )
        assert counts == [(ROWS, 0, 0, 0)]
        assert site.rows("SELECT count(*) FROM credits_importchange") == [(ROWS,)]
        assert not list((site.folder / "institutions").rglob("*.part"))
        step(site, log_in(site), uid, "undo", {})
        wait_for_end(site)
        assert site.rows("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM credits_client t") == [
            (before,)
        ]
        site.manage("verify_audit")
    finally:
        site.stop()
        postgres.remove(tmp_path)
