"""``kg config``: what is configured, and where it comes from."""

from __future__ import annotations

import argparse
from typing import Final

from kg import config
from kg.commands import COMMANDS
from kg.commands.output import add_json, console, print_json

DESCRIPTION: Final = """\
Show the options that are set in kg.toml, in [tool.kg] of pyproject.toml or in the environment.
A section is a command, a key is one of its long options:

  # kg.toml
  [build]
  overrides = "overrides.yaml"

  KG_BUILD_GEAR=accurate kg build papers.jsonl -o out

A flag wins over the environment, the environment over kg.toml, kg.toml over pyproject.toml.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg config``."""
    parser.add_argument(
        "action", nargs="?", choices=("show",), default="show", help="(the default)"
    )
    parser.add_argument("--origin", action="store_true", help="say where each value comes from")
    parser.add_argument("--all", action="store_true", help="the defaults too")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the configuration; return the exit status."""
    from kg.cli import command_parser

    found = [
        setting
        for command in COMMANDS
        for setting in config.settings(command, command_parser(command), COMMANDS)
        if arguments.all or setting.origin != "default"
    ]
    if arguments.json:
        print_json(
            [
                {"command": s.command, "key": s.key, "value": s.value, "origin": s.origin}
                for s in found
            ]
        )
        return 0
    if not found:
        console(errors=True).print("nothing is configured; kg config --all shows the defaults")
    for setting in found:
        origin = f"  ({setting.origin})" if arguments.origin else ""
        console().print(f"{setting.command}.{setting.key} = {setting.value!r}{origin}")
    return 0
