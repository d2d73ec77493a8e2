"""``kg doctor``: is this installation whole?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from kg import __version__
from kg.commands.output import GEARS, add_json, console, print_json
from kg.errors import KGError

DESCRIPTION: Final = """\
Check this installation: Python, the packages kg needs, the data files, the shipped models.
Exit status 3 where something is amiss, with what to do about it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg doctor``."""
    add_json(parser)


def _python() -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 (said by a program that may run anywhere)
        raise KGError("kg needs Python 3.11 or later")
    return sys.version.split()[0]


def _packages() -> str:
    found = []
    for line in requires("mlkg") or []:
        if "extra ==" in line:
            continue
        name = line.split(";")[0].split("[")[0]
        for sign in "<>=!~ ":
            name = name.split(sign)[0]
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError as error:
            raise KGError(f"{name} is not installed; pip install --upgrade mlkg") from error
    return ", ".join(found)


def _ontology() -> str:
    from kg import schema

    return f"{len(schema.relations())} relations"


def _models() -> str:
    from kg.pipeline import reading

    return ", ".join(f"{gear} {reading.version(gear)[:12]}" for gear in GEARS)


def _extraction() -> str:
    from kg.pipeline import reading
    from kg.values import Document

    title = "TinyNet: a small model"
    text = f"{title}\nTinyNet is distilled from BERT and evaluated on GLUE."
    (found,) = reading.read([Document("doctor", "paper", title, text)])
    if not found.edges:
        raise KGError("nothing was found in a sentence that states two facts; reinstall mlkg")
    return f"{len(found.entities)} names and {len(found.edges)} edges in a test sentence"


_CHECKS: Final[dict[str, Callable[[], str]]] = {
    "python": _python,
    "packages": _packages,
    "ontology": _ontology,
    "models": _models,
    "extraction": _extraction,
}


def checks() -> Iterator[tuple[str, bool, str]]:
    """Yield each check's name, whether it passed, and what it saw or what to do."""
    for name, check in _CHECKS.items():
        try:
            yield name, True, check()
        except (KGError, ImportError, OSError) as error:
            yield name, False, str(error)


def run(arguments: argparse.Namespace) -> int:
    """Print the checks; return 0, or 3 where one failed."""
    results = list(checks())
    if arguments.json:
        rows = [{"check": name, "ok": ok, "says": says} for name, ok, says in results]
        print_json({"version": __version__, "checks": rows})
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, ok, says in results:
            sign = Text("ok", "green") if ok else Text("amiss", "red")
            table.add_row(sign, Text(name, "bold"), Text(says))
        console().print(f"kg {__version__}")
        console().print(table)
    return 0 if all(ok for _, ok, _ in results) else 3
