"""``kg diff``: what appeared, vanished or changed between two graphs."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import Final

import msgspec

from kg.commands.output import add_json, print_json
from kg.store import StoredGraph

DESCRIPTION: Final = """\
Say what differs between two graphs: documents, entities, edges and scores that appeared (+),
vanished (-) or changed (~) their name, licence, status, confidence or evidence.

  kg diff old new
  kg diff old new --kind edge            edges only
  kg diff old new --summary              counts only
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg diff``."""
    parser.add_argument("old", metavar="OLD", help="a folder that kg build wrote")
    parser.add_argument("new", metavar="NEW", help="another")
    parser.add_argument(
        "--kind",
        choices=("document", "entity", "edge", "result"),
        action="append",
        help="only these; may be given several times",
    )
    parser.add_argument("--summary", action="store_true", help="counts only")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the differences; return 0 whether there are any or not."""
    from kg.pipeline.changes import changes

    counts: Counter[tuple[str, str]] = Counter()
    kept = []
    for change in changes(StoredGraph(arguments.old), StoredGraph(arguments.new)):
        if arguments.kind and change.kind not in arguments.kind:
            continue
        counts[change.kind, change.what] += 1
        if arguments.json and not arguments.summary:
            kept.append(msgspec.to_builtins(change))
        elif not arguments.json and not arguments.summary:
            sys.stdout.write(f"{change}\n")
    summary = {f"{kind} {what}": count for (kind, what), count in sorted(counts.items())}
    if arguments.json:
        print_json({"counts": summary, "changes": kept})
    elif arguments.summary:
        for line, count in summary.items():
            sys.stdout.write(f"{count:8,}  {line}\n")
    if not counts and not arguments.json:
        sys.stderr.write("the two graphs say the same\n")
    return 0
