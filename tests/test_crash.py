"""Killed at any moment, a build goes on where it was and ends as if nothing had happened."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import building
from tests.building import QUICK, corpus, in_memory, outputs, papers

RUNNER = [sys.executable, str(Path(building.__file__))]
KILLS = 20


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder in memory: SIGKILL loses nothing that was written, wherever that is."""
    with TemporaryDirectory(dir=in_memory()) as folder:
        yield Path(folder)


def start(source: Path, out: Path, delay: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*RUNNER, "build", str(source), "-o", str(out), *QUICK],
        env={**os.environ, "KG_TEST_DELAY": str(delay)},
        stdout=subprocess.DEVNULL,
    )


def test_twenty_kills_at_random_moments_leave_twenty_times_the_same_graph(home: Path) -> None:
    source = papers(home / "papers.jsonl", corpus(256))
    begin = time.monotonic()
    assert start(source, home / "undisturbed", 0.002).wait(120) == 0
    duration = time.monotonic() - begin
    expected = outputs(home / "undisturbed")
    chance = random.Random(20)  # noqa: S311 - moments, not secrets
    for attempt in range(KILLS):
        out = home / f"out-{attempt}"
        process = start(source, out, 0.002)
        time.sleep(chance.uniform(0.1, 1.0) * duration)
        process.kill()
        process.wait(10)
        # Whole or not at all: what stands there is the graph, or there is none.
        if (out / "manifest.json").exists():
            assert outputs(out) == expected
        assert start(source, out, 0).wait(120) == 0
        assert outputs(out) == expected
        assert not any((out / ".kg").glob("new*"))


def test_what_was_read_before_the_kill_is_not_read_again(home: Path) -> None:
    source = papers(home / "papers.jsonl", corpus(256))
    out = home / "out"
    process = start(source, out, 0.02)
    deadline = time.monotonic() + 60
    while not (out / ".kg" / "readings.db").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(2.5)
    process.kill()
    process.wait(10)
    done = subprocess.run(
        [*RUNNER, "build", str(source), "-o", str(out), *QUICK],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "256 documents" in done.stdout
    assert "(256 read now)" not in done.stdout


def test_worker_processes_die_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "from kg.pipeline.workers import _start_worker\n"
        "if __name__ == '__main__':\n"
        "    pool = ProcessPoolExecutor(1, get_context('spawn'),\n"
        "        initializer=_start_worker, initargs=(os.getpid(),))\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    pool.submit(time.sleep, 600)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait(10)
    deadline = time.monotonic() + 10
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
