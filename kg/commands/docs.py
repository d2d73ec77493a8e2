"""``kg docs``: the documentation that ships with kg."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from kg.commands.output import add_json, console, print_json
from kg.errors import NotFound
from kg.resources import PACKAGE

DESCRIPTION: Final = """\
List the pages of the documentation, or show one in the terminal. Nothing is fetched.

  kg docs
  kg docs lineage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg docs``."""
    parser.add_argument("page", nargs="?", help="the page to show; without it, all are listed")
    parser.add_argument("--path", action="store_true", help="print where the page's file is")
    add_json(parser)


def pages() -> dict[str, Path]:
    """Return the files of the documentation by the name of their page."""
    return {path.stem: path for path in sorted((PACKAGE / "docs").glob("*.md"))}


def run(arguments: argparse.Namespace) -> int:
    """Show a page or the list of pages; return the exit status."""
    found = pages()
    if arguments.page and arguments.page not in found:
        raise NotFound(f"no page of the documentation is called {arguments.page!r}", nearest=found)
    if arguments.page and arguments.path:
        print(found[arguments.page])
    elif arguments.page and arguments.json:
        print_json({"page": arguments.page, "text": found[arguments.page].read_text("utf-8")})
    elif arguments.page:
        from rich.markdown import Markdown

        console().print(Markdown(found[arguments.page].read_text("utf-8")))
    else:
        titles = {
            name: path.read_text("utf-8").partition("\n")[0].lstrip("# ")
            for name, path in found.items()
        }
        if arguments.json:
            print_json(titles)
        else:
            for name, title in titles.items():
                console().print(f"[bold]{name:14}[/] {title}", markup=True)
    return 0
