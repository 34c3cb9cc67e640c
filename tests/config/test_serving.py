"""What a process of the site does as it begins: the figures of others, and its end with its server's."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from config import serving

ENDED = 2**22 - 7  # above what Linux gives by default


def test_the_first_process_of_a_run_empties_the_folder_and_the_next_ones_do_not(tmp_path):
    folder = tmp_path / "figures"
    serving.sort_figures(folder, "12 345")
    (folder / "counter_99.db").write_bytes(b"x")

    serving.sort_figures(folder, "12 345")
    assert (folder / "counter_99.db").exists()

    serving.sort_figures(folder, "12 999")  # the same number, given to another server since
    assert not list(folder.glob("*.db"))


def test_live_figures_of_an_ended_process_are_forgotten_and_what_it_counted_is_not(tmp_path):
    serving.sort_figures(tmp_path, "1")
    for process in (os.getpid(), ENDED):
        for kind in ("gauge_livesum", "counter", "gauge_max"):
            (tmp_path / f"{kind}_{process}.db").write_bytes(b"x")

    serving.sort_figures(tmp_path, "1")

    assert {file.name for file in tmp_path.glob("*.db")} == {
        f"{kind}_{process}.db" for kind in ("counter", "gauge_max") for process in (os.getpid(), ENDED)
    } | {f"gauge_livesum_{os.getpid()}.db"}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to find the child")
def test_a_process_ends_with_its_server_when_it_is_killed():
    server = textwrap.dedent("""
        import multiprocessing, time
        from config import serving
        def work():
            serving._end_with_server()
            time.sleep(60)
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        print(child.pid, flush=True)
        child.join()
    """)
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, text=True) as running:
        child = int(running.stdout.readline())
        time.sleep(0.5)
        running.send_signal(signal.SIGKILL)
        running.wait()

    deadline = time.monotonic() + 10
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
