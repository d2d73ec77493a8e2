"""What commands share in how they speak: the JSON envelope, and a terminal that obeys NO_COLOR."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

#: The version of the envelope that ``--json`` prints; raised when a key changes its meaning.
SCHEMA_VERSION: Final = 1

#: The gears of :mod:`kg.ner`, which is imported only by who reads; the first is the default.
GEARS: Final = ("fast", "accurate")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_gear(parser: argparse.ArgumentParser, about: str) -> None:
    """Give a command the option ``--gear``; ``about`` says what the gear is for."""
    parser.add_argument("--gear", choices=GEARS, default=GEARS[0], help=about)


def probability(text: str) -> float:
    """Return what an option gives as a probability; argparse says what is wrong with another."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError("a probability is wanted: a number from 0 to 1")
    return value


def at_least(minimum: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads an option that counts, from ``minimum`` up, or to ``most``."""

    def count(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum or (most is not None and value > most):
            bounds = f"from {minimum} up" if most is None else f"from {minimum} to {most}"
            raise argparse.ArgumentTypeError(f"a whole number {bounds} is wanted")
        return value

    return count


def seconds(text: str) -> float:
    """Return what an option gives as a time; argparse says what is wrong with another."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError("a number of seconds is wanted, from 0 up")
    return value


@contextmanager
def opened(output: str | None) -> Iterator[IO[bytes]]:
    """Open standard output, or a file that appears only once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        return
    if output == os.devnull:
        with open(output, "wb") as file:
            yield file
        return
    path = Path(output)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def print_json(data: Any, warnings: Iterable[str] = ()) -> None:
    """Print ``data`` in the envelope ``{"schema_version", "data", "warnings"}``."""
    envelope = {"schema_version": SCHEMA_VERSION, "data": data, "warnings": list(warnings)}
    encoded = msgspec.json.encode(envelope, order="deterministic")
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


def note_part(where: Path, asked: Path) -> None:
    """Say on standard error that of the folder ``where`` only a part, ``graph.ttl``, is there."""
    if where.is_dir() and asked.name == "graph.ttl":
        print(
            f"kg: {where} holds neither store/ nor graph.nq: what is believed is read from "
            f"{asked.name}, and why is not known here",
            file=sys.stderr,
        )


def console(*, errors: bool = False) -> Console:
    """Return a rich console on standard output, or on standard error.

    Where the stream is no terminal there is no colour, and the width is 100.  Names of strangers
    hold brackets and colons, so text is markup only where a caller says so.
    """
    from rich.console import Console

    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() else 100
    return Console(
        file=stream, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False
    )
