"""The package imports downwards only, and the version of readings covers all that they import."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

from kg.pipeline import reading

PACKAGE = Path(__file__).parent.parent / "kg"

#: From the top down: a module may import from its own layer and from those below it.
LAYERS = [
    *("cli", "commands", "api", "serve", "review", "pipeline", "query", "validation", "exporters"),
    *("lineage", "assemble", "linker", "ner", "readers", "evaluation", "names"),
    *("graph", "overrides", "store", "schema", "config", "plugins", "resources", "weights", "text"),
    *("values", "errors"),
]
#: ``kg/__init__.py`` hands out the public names; it may be imported anywhere.
ROOT = "kg"


def layer(module: str) -> int:
    """Return how far down a module stands, 0 at the top."""
    return LAYERS.index(module.split(".")[1])


def kg_imports(path: Path) -> set[str]:
    """Return the modules of kg that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == ROOT:
            found.update(f"kg.{alias.name}" for alias in node.names if alias.name in LAYERS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kg."):
            found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("kg."))
    return found


def modules() -> list[Path]:
    """Return every module but those that stand above the layers."""
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in ("__init__.py", "__main__.py")
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_downwards_only(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    here = layer(".".join(("kg", *parts)))
    upwards = {name for name in kg_imports(path) if layer(name) < here}
    # A command may ask the command line itself for the parsers it describes.
    if parts[:1] == ("commands",):
        upwards -= {"kg.cli"}
    assert upwards == set()


def test_the_table_of_layers_is_the_order_that_is_tested() -> None:
    table = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `kg/")]
    shown = [name for row in rows for name in re.findall(r"`kg/(\w+)(?:/|\.py)`", row)]
    assert shown == LAYERS
    there = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    assert {*there} - {"__init__", "__main__"} == {*shown}


def plain(distribution: str) -> str:
    """Return a distribution's name, which has many spellings, as indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).casefold()


def test_every_package_that_kg_imports_is_declared() -> None:
    text = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {plain(re.split(r"[^\w.-]", line)[0]) for line in lines}
    imported = set()
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
    installed = packages_distributions()
    for name in imported - sys.stdlib_module_names - {ROOT}:
        assert declared & set(map(plain, installed.get(name, [name]))), name


def test_the_version_of_readings_covers_every_module_and_table_that_reading_uses() -> None:
    waiting = [
        *(PACKAGE / "ner").glob("*.py"),
        *(PACKAGE / "linker").glob("*.py"),
        PACKAGE / "pipeline" / "reading.py",
    ]
    reached: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for name in kg_imports(path):
            home = PACKAGE.joinpath(*name.split(".")[1:])
            waiting.append(home / "__init__.py" if home.is_dir() else home.with_suffix(".py"))
    names = {path.relative_to(PACKAGE).as_posix() for path in reached}
    assert {n for n in names if not n.startswith(("ner/", "linker/"))} == set(reading._MODULES)
    texts = "".join(path.read_text(encoding="utf-8") for path in reached)
    assert set(re.findall(r'\bontology\("([^"]+)"\)', texts)) == set(reading._DATA)


@pytest.mark.parametrize("package", ["ner", "linker"])
def test_the_version_of_readings_covers_every_file_beside_the_modules(package: str) -> None:
    """What is no module is a file of weights, which the manifest that is hashed names."""
    home = PACKAGE / package
    beside = {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    named = json.loads((home / "weights" / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert beside == {"weights/manifest.json", *(f"weights/{name}" for name in named)}
