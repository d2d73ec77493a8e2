"""``kg explore``: the interactive page, or a still picture, of a graph or a part of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from kg.commands.output import add_json, at_least, print_json
from kg.errors import UsageError

DESCRIPTION: Final = """\
Write the interactive page of a graph: one HTML file that works without a network. A click on a
node or an edge shows the sentences behind it.

  kg explore out --open                                 the page of the whole graph
  kg explore out --focus Qwen2.5 --hops 1 -o qwen.html  a small page of a part, to mail
  kg explore out --focus DeepSeek-R1 --format svg -o figure.svg   a picture for a paper

Without -o the page goes to DIR/graph.html; a part or a picture to the current folder.
"""

FORMATS: Final = ("html", "svg", "png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg explore``."""
    parser.add_argument("graph", metavar="DIR", help="a folder that kg build wrote")
    parser.add_argument("--focus", metavar="NAME", help="only what lies around this entity")
    parser.add_argument(
        "--hops",
        type=at_least(0, 6),
        default=2,
        metavar="N",
        help="how far around it, 0 to 6 (default 2)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; - for stdout")
    parser.add_argument(
        "--format", choices=FORMATS, help="html (default), svg or png; else by the file's ending"
    )
    parser.add_argument("--title", default="Knowledge graph", help="what the page is headed")
    parser.add_argument(
        "--renderer",
        choices=("canvas", "pyvis"),
        default="canvas",
        help="what draws the page: our canvas (default), or pyvis's vis-network",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark"), default="light", help="colours of a picture"
    )
    parser.add_argument("--open", action="store_true", help="open the result in the browser")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the page or picture; return the exit status."""
    from kg.exporters.html import page
    from kg.exporters.parts import neighbourhood
    from kg.exporters.picture import png, svg
    from kg.store import StoredGraph

    form = _form(arguments)
    graph = StoredGraph(arguments.graph)
    part = neighbourhood(graph, arguments.focus, arguments.hops) if arguments.focus else graph
    if form == "html":
        text = page(part, title=arguments.title, renderer=arguments.renderer)
        content = text.encode("utf-8", "replace")
    elif form == "svg":
        content = svg(part, theme=arguments.theme).encode("utf-8", "replace")
    else:
        content = png(part, theme=arguments.theme)
    if arguments.output == "-":
        sys.stdout.buffer.write(content)
        return 0
    path = _destination(arguments, form)
    path.write_bytes(content)
    if arguments.json:
        counts = {"entities": len(part.entities), "edges": len(part.edges)}
        print_json({"file": str(path), "format": form, "bytes": len(content), **counts})
    else:
        print(path)
    if arguments.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0


def _form(arguments: argparse.Namespace) -> str:
    """Return the format that was asked for, by name or by the ending of the file."""
    ending = Path(arguments.output or "").suffix.lstrip(".").lower()
    ending = {"htm": "html"}.get(ending, ending)
    if arguments.format:
        return str(arguments.format)
    if not ending:
        return "html"
    if ending not in FORMATS:
        raise UsageError(f"{arguments.output}: the ending is none of {', '.join(FORMATS)}")
    return ending


def _destination(arguments: argparse.Namespace, form: str) -> Path:
    if arguments.output:
        return Path(arguments.output)
    if form == "html" and not arguments.focus:
        return Path(arguments.graph) / "graph.html"
    from kg.text import slug

    return Path(f"{slug(arguments.focus) if arguments.focus else 'graph'}.{form}")
