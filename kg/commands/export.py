"""``kg export``: write a graph in another format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from kg.commands.output import add_json, print_json
from kg.errors import UsageError
from kg.exporters import BASE, exporter, names

DESCRIPTION: Final = """\
Write a graph in another format.

  kg export out --to turtle -o graph.ttl
  kg export out --to nquads -o graph.nq --also fair4ml,schema,inferred
  kg export out --to trig -o - --base-iri https://example.org/kg/

turtle (what is believed), provenance (why), nquads and trig (both, in named graphs), ntriples and
rdfxml (both, in one graph), jsonld (what is believed), void (counts), rdf12 (assertions reify
triple terms), nanopub (an unsigned nanopublication for each accepted edge), and others below.
--also adds triples in other vocabularies (fair4ml, mldcat-ap, schema) or what follows (inferred:
all ancestors, and teachers through data).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg export``."""
    parser.add_argument("where", metavar="DIR", help="the folder that kg build wrote")
    parser.add_argument(
        "--to", required=True, metavar="FORMAT", help=f"one of {', '.join(names())}"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="where to write; - for stdout"
    )
    parser.add_argument(
        "--also", default="", metavar="NAMES", help="fair4ml, mldcat-ap, schema, inferred"
    )
    parser.add_argument(
        "--base-iri", default=BASE, metavar="IRI", help="where entities live (default %(default)s)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the file; return the exit status."""
    from kg.store import StoredGraph

    write_graph = exporter(arguments.to)
    graph = StoredGraph(arguments.where)
    also = tuple(name.strip() for name in arguments.also.split(",") if name.strip())
    write = partial(write_graph, graph, base=arguments.base_iri, also=also)
    if arguments.output == "-":
        if arguments.json:
            raise UsageError("--json cannot be joined with -o -: both want standard output")
        return _to_stdout(write)
    path = Path(arguments.output)
    write(path)
    if arguments.json:
        print_json({"format": arguments.to, "path": str(path)})
    else:
        print(f"wrote {path}", file=sys.stderr)
    return 0


def _to_stdout(write: Callable[[Path], None]) -> int:
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="kg-") as folder:
        path = Path(folder) / "export"
        write(path)
        if path.is_dir():
            raise UsageError("this format is a folder of files; give -o a folder's name")
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
    return 0
