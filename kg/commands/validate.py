"""``kg validate``: check a graph against the SHACL shapes."""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kg.commands.output import add_json, console, note_part, print_json

if TYPE_CHECKING:
    from kg.validation import Violation

DESCRIPTION: Final = """\
Check a graph against the SHACL shapes: every edge has an assertion with evidence, offsets select
the sentence, a triple is plain if and only if it is accepted, nothing is its own ancestor.

  kg validate out
  kg validate out/graph.ttl out/provenance.ttl
  kg validate out --shapes mine.ttl

Exit status: 0 where no shape is violated (there may be warnings), 3 otherwise.
"""
#: How many things are shown of each kind of violation.
_SHOWN: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg validate``."""
    parser.add_argument(
        "where", nargs="+", metavar="DIR", help="a graph's folder, or RDF files checked together"
    )
    parser.add_argument("--shapes", metavar="FILE", help="other shapes than ours, in Turtle")
    parser.add_argument(
        "--all", action="store_true", help=f"show everything, not {_SHOWN} of each kind"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check the graph; return 3 where a shape is violated."""
    import msgspec
    import pyoxigraph as ox

    from kg.query.sources import opening
    from kg.query.stores import load
    from kg.validation import constraints, unchecked, validate

    store = ox.Store()
    for where in arguments.where:
        with opening(Path(where)) as source:
            note_part(Path(where), Path(source.path))
            load(store, Path(source.path))
    shapes = Path(arguments.shapes) if arguments.shapes else None
    found = validate(store, shapes)
    violated = any(violation.severity == "violation" for violation in found)
    notes = [
        f"not checked, since there is no provenance here: {shape}; give graph.nq, or "
        "provenance.ttl as well"
        for shape in unchecked(store, shapes)
    ]
    if arguments.json:
        data = {"conforms": not violated, "violations": msgspec.to_builtins(found)}
        print_json(data, notes)
    else:
        for note in notes:
            print(f"kg: {note}", file=sys.stderr)
        checked = len({constraint.shape for constraint in constraints(shapes)})
        _report(found, checked, len(store), _SHOWN if not arguments.all else len(found))
    return 3 if violated else 0


def _report(found: list[Violation], checked: int, triples: int, most: int) -> None:
    from rich.text import Text

    from kg.schema import curie

    screen = console()
    counts = {
        severity: sum(1 for violation in found if violation.severity == severity)
        for severity in ("violation", "warning")
    }
    for (shape, severity, message), group in groupby(
        found, key=lambda violation: (violation.shape, violation.severity, violation.message)
    ):
        members = list(group)
        colour = "red" if severity == "violation" else "yellow"
        line = Text(f"{severity} ", colour)
        line.append(shape, "bold")
        line.append(f": {message} ({len(members)})")
        screen.print(line)
        for violation in members[:most]:
            value = f"  {curie(violation.value)}" if violation.value else ""
            screen.print(Text(f"  {curie(violation.focus)}{value}"), soft_wrap=True)
        if len(members) > most:
            screen.print(Text(f"  and {len(members) - most} more; --all shows them", "dim"))
    verdict = "conforms" if not counts["violation"] else "does not conform"
    screen.print(
        f"{verdict}: {checked} shapes, {triples} triples, "
        f"{counts['violation']} violations, {counts['warning']} warnings"
    )
