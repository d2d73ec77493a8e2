"""``kg completion``: completion for the shell."""

from __future__ import annotations

import argparse
import importlib
from typing import Final

from kg.commands import COMMANDS, module_of
from kg.commands.output import add_json, print_json

DESCRIPTION: Final = """\
Print completion of kg's commands and options for a shell. To switch it on:

  bash:  kg completion bash > ~/.local/share/bash-completion/completions/kg
  zsh:   kg completion zsh > "${fpath[1]}/_kg"
  fish:  kg completion fish > ~/.config/fish/completions/kg.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg completion``."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    add_json(parser)


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser that knows every command and all their options."""
    parser = argparse.ArgumentParser(prog="kg")
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, line in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=line)
        importlib.import_module(module_of(name)).add_arguments(command)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the completion script; return the exit status."""
    import shtab

    script = shtab.complete(whole_parser(), arguments.shell)
    if arguments.json:
        print_json({"shell": arguments.shell, "script": script})
    else:
        print(script)
    return 0
