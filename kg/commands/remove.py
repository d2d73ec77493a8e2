"""``kg remove``: take documents out of a graph, and all that rested on them alone."""

from __future__ import annotations

import argparse
from typing import Final

from kg.commands.build import progress_bar, tell
from kg.commands.output import add_json

DESCRIPTION: Final = """\
Take documents out of a graph. What rested on them alone goes too; what others say as well stays,
with its confidence counted anew. The outcome equals a build without them, byte for byte.

  kg remove out 2504.13837
  kg remove out 2504.13837 2501.12948 --overrides overrides.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg remove``."""
    parser.add_argument("folder", metavar="DIR", help="the folder that kg build wrote")
    parser.add_argument("documents", nargs="+", metavar="DOCUMENT", help="the id of a document")
    parser.add_argument("--overrides", metavar="FILE", help="corrections: an overrides.yaml")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Remove, say what is left, and return the exit status."""
    from kg import overrides
    from kg.pipeline.build import remove

    rules = overrides.load(arguments.overrides) if arguments.overrides else None
    with progress_bar(quiet=arguments.json) as progress:
        report = remove(arguments.folder, arguments.documents, overrides=rules, progress=progress)
    return tell(report, as_json=arguments.json, removed=True)
