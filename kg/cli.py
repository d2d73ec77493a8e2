"""The command ``kg``: parse, call, and turn errors into sentences and exit statuses.

Data goes to standard output; messages, progress and logs to standard error.  Exit statuses: 0
done, 1 failed, 2 usage, 3 checks found problems, 4 not found, 5 timed out, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from kg import __version__, config
from kg.commands import COMMANDS, module_of
from kg.errors import KGError, NotFound, UsageError
from kg.text import did_you_mean

_EPILOG = """\
a first graph:
  kg build papers.jsonl cards/ -o out
  kg explore out --open
  kg query out --list
  kg lineage out DeepSeek-R1

exit status: 0 done, 1 failed, 2 usage, 3 checks found problems, 4 not found, 5 timed out
"""


class _Misused(UsageError):
    """A command was called wrongly; the message begins with its name."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence that names the nearest word there is."""

    def parse_known_intermixed_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Parse, and complain of options that there are not before of what is missing."""
        known = tuple(self._option_string_actions)
        for word in args or ():
            if word == "--":
                break
            option = word.partition("=")[0]
            is_long = option.startswith("--") and not any(o.startswith(option) for o in known)
            if is_long:
                hint = did_you_mean(option, known, f"{self.prog} --help lists them")
                raise _Misused(f"{self.prog} has no option {option}; {hint}")
        return super().parse_known_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise the complaint; ``main`` prints it."""
        raise _Misused(f"{self.prog}: {message}; {self.prog} --help shows how it is called")


def _parser() -> argparse.ArgumentParser:
    """Return the parser of ``kg`` itself, which knows the commands' names but loads none."""
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:{width}}  {line}" for name, line in COMMANDS.items())
    parser = Parser(
        prog="kg",
        usage="kg [--version] COMMAND ...",
        description="Build, explore, query and trace a knowledge graph of machine learning,\n"
        "with the sentence behind every edge.\n\ncommands (kg COMMAND --help teaches each):\n"
        + listing,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kg {__version__}")
    parser.add_argument("command", metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def command_parser(command: str) -> argparse.ArgumentParser:
    """Return the parser of one command, importing its module."""
    module = importlib.import_module(module_of(command))
    parser = Parser(
        prog=f"kg {command}",
        description=module.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return parser


def configured_parser(command: str) -> argparse.ArgumentParser:
    """Return the parser of one command with the defaults that files and environment set."""
    parser = command_parser(command)
    config.apply(command, parser, COMMANDS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``kg`` with ``argv``; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        _parser().print_help(sys.stderr)
        return 2
    try:
        parsed = _parser().parse_args(given)
        if parsed.command not in COMMANDS:
            hint = did_you_mean(parsed.command, COMMANDS, "kg --help lists them")
            raise UsageError(f"there is no command '{parsed.command}'; {hint}")
        # Intermixed: `kg query DIR --limit 5 QUERY` is as good as `kg query --limit 5 DIR QUERY`.
        parser = configured_parser(parsed.command)
        arguments = parser.parse_intermixed_args(parsed.arguments)
        status = int(importlib.import_module(module_of(parsed.command)).run(arguments))
        sys.stdout.flush()
        return status
    except KGError as error:
        print(error if isinstance(error, _Misused) else f"kg: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        # The reader of our output has left (`kg ... | head`): not an error, but nothing more can
        # be written, so standard output is pointed away before Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        again = "; the same command goes on where it was" if given[0] == "build" else ""
        print(f"kg: interrupted{again}", file=sys.stderr)
        return 130
    except UnicodeDecodeError as error:
        print(f"kg: an input is not {error.encoding} ({error}); save it as UTF-8", file=sys.stderr)
        return 1
    except RecursionError:
        print("kg: an input is nested too deeply to be read; make it flatter", file=sys.stderr)
        return 1
    except MemoryError:
        print(
            "kg: not enough memory; ask for less (kg build: --jobs 1, --formats)", file=sys.stderr
        )
        return 1
    except OSError as error:
        where = f" {error.filename}:" if error.filename else ""
        print(f"kg:{where} {error.strerror or error}", file=sys.stderr)
        return NotFound.exit_status if isinstance(error, FileNotFoundError) else 1
