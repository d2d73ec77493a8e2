"""``kg extract``: write what was found in each document, a JSON line a document."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from kg.readers import Skipped

from kg.commands.output import add_gear, add_json, opened, print_json
from kg.errors import ChecksFailed
from kg.text import counted

DESCRIPTION: Final = """\
Write the entities, edges and scores that were found in each document: one JSON line a document,
in the form of the annotated corpora, offsets counting into title + line feed + abstract.

  kg extract papers.jsonl -o found.jsonl
  kg extract papers.jsonl | jq -r '.entities[].canonical'
  kg extract dev.jsonl -o found.jsonl && kg evaluate dev.jsonl found.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg extract``."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="papers, cards, texts, folders; - is standard input",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where the lines go (default: standard output)"
    )
    add_gear(parser, "fast, or accurate and slower (default: fast)")
    parser.add_argument(
        "--accurate",
        dest="gear",
        action="store_const",
        const="accurate",
        help="the same as --gear accurate",
    )
    parser.add_argument("--reader", metavar="NAME", help="read every input with this reader")
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first record that cannot be read"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Extract, and tell on standard error what was skipped; return the exit status."""
    from kg.evaluation import as_row
    from kg.linker import accepted
    from kg.pipeline.reading import read
    from kg.readers import read as read_documents

    lost: list[str] = []

    def note(skipped: Skipped) -> None:
        print(f"kg: {skipped}", file=sys.stderr)
        if skipped.lost:
            lost.append(str(skipped))

    documents = read_documents(
        arguments.inputs, reader=arguments.reader, strict=arguments.strict, on_skip=note
    )
    count = entities = edges = 0
    output = arguments.output or (os.devnull if arguments.json else None)
    with opened(output) as lines:
        for reading in map(accepted, read(documents, gear=arguments.gear)):
            lines.write(msgspec.json.encode(as_row(reading)) + b"\n")
            count += 1
            entities += len(reading.entities)
            edges += len(reading.edges)
    if arguments.json:
        data = {
            "documents": count,
            "entities": entities,
            "edges": edges,
            "output": arguments.output,
        }
        print_json(data, lost)
    else:
        said = (counted(count, "document"), counted(entities, "entity"), counted(edges, "edge"))
        print(", ".join(said), file=sys.stderr)
    return ChecksFailed.exit_status if lost else 0
