"""A cluster gives the same bytes as this machine, even when a worker dies at work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.errors import KGError
from kg.pipeline import reading
from kg.pipeline.build import build
from tests import building
from tests.building import corpus, outputs, papers

distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

FORMATS = ("turtle", "provenance", "nodes", "edges")
PRELOAD = Path(__file__).parent / "dask_reader.py"


@pytest.fixture(autouse=True)
def _simple_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read", building.read)
    monkeypatch.setattr(reading, "version", lambda gear="fast": f"test {gear}")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A real scheduler and two real worker processes on loopback."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(building.ROOT),
        "KG_TEST_DELAY": "0.03",
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "5",
    }
    address_file = tmp_path / "scheduler.json"
    common = ["--no-dashboard"]
    started = []

    def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, *common]
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    start(
        "dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--scheduler-file",
        str(address_file),
    )
    worker = ("--scheduler-file", str(address_file), "--nthreads", "1", "--no-nanny")
    workers = [
        start("dask_worker", *worker, "--host", "127.0.0.1", "--preload", str(PRELOAD))
        for _ in range(2)
    ]
    try:
        with distributed.Client(scheduler_file=str(address_file), timeout="60s") as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, workers
    finally:
        for process in reversed(started):
            process.kill()
            process.wait(10)


def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed_at_work(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    source = papers(tmp_path / "papers.jsonl", corpus(400))
    build([source], tmp_path / "local", formats=FORMATS, jobs=1)
    killed = []

    def kill_one(stage: str, done: int, total: int | None) -> None:
        # Both workers have more chunks waiting when the first comes back.
        if stage == "read" and not killed and total is not None and 0 < done < total:
            with distributed.Client(address, set_as_default=False) as client:
                busy = client.processing()
            assert any(busy.values())
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait(10)
            killed.append(done)

    report = build(
        [source], tmp_path / "cluster", formats=FORMATS, scheduler=address, progress=kill_one
    )
    assert killed
    assert (report.read, report.skipped) == (400, ())
    assert outputs(tmp_path / "cluster") == outputs(tmp_path / "local")


def test_readings_kept_elsewhere_serve_a_build_on_a_new_machine(tmp_path: Path) -> None:
    source = papers(tmp_path / "papers.jsonl", corpus(100))
    shared = f"file://{tmp_path}/shared"
    first = build([source], tmp_path / "one", formats=FORMATS, checkpoints=shared)
    second = build([source], tmp_path / "two", formats=FORMATS, checkpoints=shared)
    assert (first.read, second.read) == (100, 0)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_a_damaged_checkpoint_is_read_again(tmp_path: Path) -> None:
    source = papers(tmp_path / "papers.jsonl", corpus(100))
    shared = f"file://{tmp_path}/shared"
    build([source], tmp_path / "one", formats=FORMATS, checkpoints=shared)
    segment = next((tmp_path / "shared").rglob("*.readings"))
    segment.write_bytes(segment.read_bytes()[:50])
    build([source], tmp_path / "two", formats=FORMATS, checkpoints=shared)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_inputs_are_read_from_any_file_system(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    source = papers(tmp_path / "papers.jsonl", corpus(5))
    fsspec.filesystem("memory").pipe_file("/papers.jsonl", source.read_bytes())
    build([source], tmp_path / "local", formats=FORMATS)
    build(["memory://papers.jsonl"], tmp_path / "remote", formats=FORMATS)
    assert outputs(tmp_path / "remote") == outputs(tmp_path / "local")


def test_an_address_that_leads_nowhere_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(KGError, match=r"memory://gone.jsonl: cannot be read"):
        build(["memory://gone.jsonl"], tmp_path / "out", formats=FORMATS)
    with pytest.raises(KGError, match="cannot be read"):
        build(["nosuch://gone.jsonl"], tmp_path / "out", formats=FORMATS)


def test_a_scheduler_that_does_not_answer_is_one_sentence_in_bounded_time(tmp_path: Path) -> None:
    source = papers(tmp_path / "papers.jsonl", corpus(3))
    begin = time.monotonic()
    with pytest.raises(KGError, match="no Dask scheduler answers there"):
        build([source], tmp_path / "out", formats=FORMATS, scheduler="tcp://127.0.0.1:1")
    assert time.monotonic() - begin < 30
