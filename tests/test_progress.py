"""What a terminal sees of a build under way, and that nobody else sees it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kg.pipeline import reading
from kg.pipeline.build import build
from tests import building
from tests.building import QUICK, corpus, papers

#: What terminals are told besides text: colours, moves of the cursor.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(folder: Path, *more: str) -> tuple[str, str]:
    """Build 320 papers with standard error on a terminal; return both streams, as text."""
    ours, theirs = pty.openpty()
    source = papers(folder / "papers.jsonl", corpus(320))
    command = [sys.executable, str(Path(building.__file__)), "build", source, "-o", "out"]
    terminal = {"COLUMNS": "100", "LINES": "40", "TERM": "xterm", "KG_TEST_DELAY": "0.01"}
    running = subprocess.Popen(
        [*command, *QUICK, *more],
        cwd=folder,
        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **terminal},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed.
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert running.stdout is not None
    printed = running.stdout.read().decode()
    running.stdout.close()
    assert running.wait(60) == 0
    return printed, CONTROL.sub("", shown.decode())


def test_a_terminal_sees_how_much_is_done_how_fast_and_how_long_it_takes(tmp_path: Path) -> None:
    printed, shown = on_a_terminal(tmp_path)
    assert re.fullmatch(r"out: 320 documents \(320 read now\), .* scores\n", printed)
    lines = [" ".join(line.split()) for line in re.split(r"[\r\n]+", shown)]
    # Chunks of 64 papers, a hundredth of a second each: a rate is known after the second.
    running = [
        match
        for line in lines
        if (
            match := re.fullmatch(
                r"read \S+(?: \S+)? (\d+)/320 ([\d.,]+)/s 0:(\d\d:\d\d) left", line
            )
        )
    ]
    assert {match[1] for match in running} & {"128", "192", "256"}
    assert all(0 < float(match[2].replace(",", "")) <= 100 for match in running)
    assert any(match[3] > "00:00" for match in running)


@pytest.mark.parametrize("how", ["pipe", "json"])
def test_pipes_and_json_see_no_progress(tmp_path: Path, how: str) -> None:
    if how == "json":
        printed, shown = on_a_terminal(tmp_path, "--json")
        assert (printed[0], shown) == ("{", "")
        return
    source = papers(tmp_path / "papers.jsonl", corpus(320))
    command = [sys.executable, str(Path(building.__file__)), "build", source, "-o", "out"]
    done = subprocess.run([*command, *QUICK], cwd=tmp_path, capture_output=True, check=True)
    assert (done.stdout[:5], done.stderr) == (b"out: ", b"")


def test_every_stage_tells_its_beginning_or_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "read", building.read)
    monkeypatch.setattr(reading, "version", lambda gear="fast": f"test {gear}")
    told: list[tuple[str, int, int | None]] = []
    source = papers(tmp_path / "papers.jsonl", corpus(130))
    build(
        *([source], tmp_path / "out"),
        formats=("nodes", "edges"),
        jobs=1,
        progress=lambda *state: told.append(state),
    )
    assert told == [
        ("collect", 100, None),
        *(("read", 0, 130), ("read", 64, 130), ("read", 128, 130), ("read", 130, 130)),
        *(("assemble", 100, 260), ("assemble", 200, 260), ("assemble", 260, 260)),
        *(("write edges.csv", 0, 2), ("write nodes.csv", 1, 2), ("write", 2, 2)),
    ]
