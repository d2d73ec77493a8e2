"""The programs of scripts/ are checked as the package is, and start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = [
    path
    for path in sorted((ROOT / "scripts").iterdir())
    if path.is_file() and path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")
]


def test_every_program_in_python_is_checked() -> None:
    """Without the ending .py, ruff looks at a file only where pyproject.toml names it."""
    shown = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--show-files", str(ROOT / "scripts")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert PROGRAMS
    assert {str(path) for path in PROGRAMS} <= set(shown.stdout.splitlines())


@pytest.mark.parametrize(
    "name", ["bench", "bench_assembly", "bench_html", "bench_sparql", "score_public"]
)
def test_a_program_says_what_it_does_from_anywhere(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / name), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: ")
