"""Other packages add readers, linkers and exporters by entry points."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kg.errors import UsageError
from kg.plugins import choose, names

EXAMPLE = Path(__file__).parent / "plugin_example"
BIBTEX = """\
@article{owl2025,
  title = {Tiny Owls},
  abstract = {TinyOwl belongs to the Owl family.},
}
@misc{empty,
  title = {Nothing},
}
"""
USE = """
import json, sys
from kg.plugins import choose, names
from kg.readers import READERS, read
from kg.values import Entity, Graph, Reading
from pathlib import Path

skipped = []
(document,) = read([sys.argv[1]], on_skip=lambda s: skipped.append(s.reason))
(edge,) = choose("linker", "teams", {})(Reading(document))
graph = Graph(entities=(Entity("model/tinyowl", "Model", "TinyOwl"),))
choose("exporter", "names", {})(graph, Path(sys.argv[2]))
print(json.dumps([names("reader", READERS), document.id, skipped,
                  [edge.head, edge.relation, edge.tail], Path(sys.argv[2]).read_text()]))
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
    """pip installs tests/plugin_example; its reader, linker and exporter work."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    offline = [*pip, "--no-build-isolation", "--target", str(site), str(EXAMPLE)]
    installed = subprocess.run(offline, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"pip cannot build a package here: {installed.stderr.strip()[-200:]}")
    source = tmp_path / "owls.bib"
    source.write_text(BIBTEX)
    out = tmp_path / "names.txt"
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{EXAMPLE.parent.parent}"}
    used = subprocess.run(
        [sys.executable, "-c", USE, str(source), str(out)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert used.stderr == ""
    assert used.stdout.strip() == (
        '[["bibtex", "card", "csv", "page", "papers", "text"], "owl2025", '
        '["it has no title or no abstract"], ["TinyOwl", "memberOf", "Owl"], "TinyOwl\\n"]'
    )
