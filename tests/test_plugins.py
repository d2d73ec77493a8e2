"""Other packages add readers and exporters by entry points."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kg import exporters
from kg.cli import main
from kg.errors import UsageError
from kg.pipeline.build import save
from kg.plugins import choose, names
from kg.values import Entity, Graph

EXAMPLE = Path(__file__).parent / "plugin_example"
BIBTEX = """\
@article{owl2025,
  title = {Tiny Owls},
  abstract = {DistilBERT is distilled from BERT.},
}
@article{owl2026,
  title = {Small Owls},
  abstract = {DistilBERT is evaluated on GLUE.},
}
@misc{empty,
  title = {Nothing},
}
"""
USE = """
import sys
from kg.cli import command_parser, main

source, out = sys.argv[1:]
assert main(["build", source, "-o", out, "--formats", "nodes", "--also", "names"]) == 3
assert main(["export", out, "--to", "names", "-o", "-"]) == 0
assert " names, " in " ".join(command_parser("export").format_help().split())
assert main(["export", out, "--to", "name", "-o", "-"]) == 4
assert main(["remove", out, "owl2026"]) == 0
"""


def test_builtin_wins_and_unknown_names_answer_with_the_known() -> None:
    builtin = {"b": 1, "a": 2}
    assert (names("owl", builtin), choose("owl", "a", builtin)) == (["a", "b"], 2)
    with pytest.raises(UsageError, match=r"^no owl is called 'c'; there are: a, b$"):
        choose("owl", "c", builtin)


def _with(folder: Path, points: str) -> None:
    info = folder / "broken_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)


def test_plugin_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with(tmp_path, "[kg.owls]\nbad = no_such_module:read\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert names("owl", {}) == ["bad"]
    with pytest.raises(UsageError, match="the owl 'bad' of broken-plugin cannot be loaded"):
        choose("owl", "bad", {})


def test_example_package_installs_and_is_used(tmp_path: Path) -> None:
    """pip installs tests/plugin_example; its reader and its exporter work."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    offline = [*pip, "--no-build-isolation", "--target", str(site), str(EXAMPLE)]
    installed = subprocess.run(offline, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"pip cannot build a package here: {installed.stderr.strip()[-200:]}")
    source = tmp_path / "owls.bib"
    source.write_text(BIBTEX)
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{EXAMPLE.parent.parent}"}
    used = subprocess.run(
        [sys.executable, "-c", USE, str(source), str(out)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (used.returncode, used.stdout.splitlines()[1:4], used.stderr.splitlines()) == (
        0,
        ["GLUE", "BERT", "DistilBERT"],
        [
            f"skipped: {source}, entry empty: it has no title or no abstract",
            "kg: no export format is called 'name'; the nearest are: names",
        ],
    )
    assert (out / "names").read_text() == "BERT\nDistilBERT\n"


def test_an_installed_exporter_is_one_of_the_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with(tmp_path, "[kg.exporters]\nnames = kg_example:write_names\nhtml = no_such_module:no\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    owl = Entity("model/owl", "Model", "Owl")
    for _ in range(2):  # what it wrote is of kg, and may be written again
        save(Graph(entities=(owl,)), tmp_path / "out", formats=["nodes", "names", "html"])
    written = (tmp_path / "out" / "names").read_text()
    assert main(["export", str(tmp_path / "out"), "--to", "names", "-o", "-"]) == 0
    assert (written, capsys.readouterr().out) == ("Owl\n", "Owl\n")
    assert main(["export", str(tmp_path / "out"), "--to", "names", "-o", "-", "--also", "x"]) == 2
    assert exporters.names() == sorted([*exporters.EXPORTERS, "names"])
