"""``kg serve``: answer SPARQL on a local port, with a query page in the browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from kg.commands.output import add_json, at_least, print_json, seconds

DESCRIPTION: Final = """\
Serve a graph on this machine: a read-only SPARQL 1.1 endpoint at /sparql, a query page at /query,
the explorer at /, and a page for everything the graph names (/model/..., HTML, Turtle or JSON-LD).

  kg serve out
  kg serve out --port 0 --timeout 5
  curl -H 'Accept: text/csv' --data-urlencode 'query=SELECT * { ?s a mlkg:Model }' \\
      http://127.0.0.1:7878/sparql

It listens on 127.0.0.1 only, takes no updates, calls no other server, and ends queries that run
too long. One that takes more than a second makes way for the quick ones. Stop it with Ctrl-C.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg serve``."""
    parser.add_argument("where", metavar="DIR", help="a graph's folder, or any RDF file")
    parser.add_argument(
        "--port",
        type=at_least(0, 65_535),
        default=7878,
        metavar="N",
        help="default 7878; 0 for any free one",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default 127.0.0.1")
    parser.add_argument(
        "--allow-remote", action="store_true", help="let --host be one that others can reach"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="for each query (default 30)",
    )
    parser.add_argument(
        "--workers",
        type=at_least(1),
        default=2,
        metavar="N",
        help="quick queries at a time (default 2; 2 long ones run besides)",
    )
    parser.add_argument(
        "--memory",
        type=at_least(0),
        default=2048,
        metavar="MB",
        help="for each query (default 2048)",
    )
    parser.add_argument(
        "--cors",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin ask (none may unless given; * for all)",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit status."""
    from kg.serve.app import Settings
    from kg.serve.pool import Limits
    from kg.serve.running import serve

    def started(address: str) -> None:
        if arguments.json:
            print_json({"address": address, "sparql": f"{address}sparql"})
            sys.stdout.flush()
        print(f"serving {address} (SPARQL at {address}sparql); Ctrl-C stops", file=sys.stderr)
        sys.stderr.flush()

    settings = Settings(
        limits=Limits(workers=arguments.workers, timeout=arguments.timeout),
        cors=tuple(arguments.cors),
    )
    try:
        serve(
            Path(arguments.where),
            host=arguments.host,
            port=arguments.port,
            allow_remote=arguments.allow_remote,
            memory=arguments.memory,
            settings=settings,
            started=started,
        )
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0
