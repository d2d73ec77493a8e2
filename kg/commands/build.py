"""``kg build``: papers and cards in, a folder with the graph in every format out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from kg.commands.output import add_gear, add_json, at_least, console, print_json, probability
from kg.text import counted

if TYPE_CHECKING:
    from rich.progress import TaskID

    from kg.pipeline.build import BuildReport, Progress

DESCRIPTION: Final = """\
Read papers and cards and write their graph into a folder, in every format.

  kg build papers.jsonl -o out                  titles and abstracts: JSON, JSONL, CSV, .gz, a page
  kg build papers.jsonl cards/ -o out           and a folder of Hugging Face cards
  kg build more.jsonl -o out --add              new documents into a graph that is there
  kg build papers.jsonl -o out --formats turtle,html,neo4j

What was read once is not read again: a build that was stopped goes on where it was, and one with
new documents does only the new work. The outcome is the same, byte for byte, however the work was
cut up. Exit status 3: some records were skipped (report.md names them).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg build``."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="a file, a folder, or - (stdin)")
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="where the graph goes")
    add_gear(parser, "the model that finds names")
    parser.add_argument("--reader", metavar="NAME", help="read every input with this reader")
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first record that cannot be read"
    )
    parser.add_argument(
        "--add", action="store_true", help="keep the documents of the graph that is there"
    )
    parser.add_argument(
        "--formats", metavar="A,B", help="only these formats (default: all but those on request)"
    )
    parser.add_argument(
        "--also", metavar="A,B", default="", help="these formats besides: neo4j, cypher, trig, ..."
    )
    parser.add_argument("--overrides", metavar="FILE", help="corrections: an overrides.yaml")
    parser.add_argument(
        "--min-confidence",
        type=probability,
        default=0.0,
        metavar="P",
        help="edges and scores less sure stay candidates (default: 0.3 or more, by relation)",
    )
    parser.add_argument(
        "--jobs", type=at_least(1), metavar="N", help="processes that read (default: one a core)"
    )
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="read on a Dask cluster")
    parser.add_argument(
        "--checkpoints", metavar="URL", help="keep readings there too, for builds elsewhere"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Build, say what was done, and return the exit status."""
    from kg import overrides
    from kg.exporters import FILES
    from kg.pipeline.build import build

    formats = _names(arguments.formats) if arguments.formats else list(FILES)
    formats += [name for name in _names(arguments.also) if name not in formats]
    rules = overrides.load(arguments.overrides) if arguments.overrides else None
    with progress_bar(quiet=arguments.json) as progress:
        report = build(
            arguments.inputs,
            arguments.out,
            gear=arguments.gear,
            reader=arguments.reader,
            strict=arguments.strict,
            add=arguments.add,
            formats=formats,
            jobs=arguments.jobs,
            scheduler=arguments.scheduler,
            checkpoints=arguments.checkpoints,
            overrides=rules,
            min_confidence=arguments.min_confidence,
            progress=progress,
        )
    return tell(report, as_json=arguments.json)


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def tell(report: BuildReport, *, as_json: bool, removed: bool = False) -> int:
    """Say what a build did, or a removal if ``removed``, and return its exit status."""
    skipped = report.skipped
    if as_json:
        data = msgspec.to_builtins(report, enc_hook=str)
        print_json(data, [*report.warnings, *(sentence for _, sentence in report.doubts)])
    else:
        counts = report.counts
        sys.stdout.write(
            f"{report.folder}: {counted(counts['documents'], 'document')} "
            f"({report.read:,} read now), {counted(counts['entities'], 'entity')}, "
            f"{counted(counts['edges'], 'edge')}, {counted(counts['results'], 'score')}\n"
        )
        if report.repeated:
            came = counted(report.repeated, "record")
            sys.stderr.write(f"{came} came again; the same counts once\n")
        if report.gone and not removed:
            sys.stderr.write(
                f"{counted(report.gone, 'document')} went that the graph in {report.folder} held "
                "before; --add keeps them\n"
            )
    for word, lines in (("warning", report.warnings), ("skipped", skipped)):
        for line in lines[:10]:
            sys.stderr.write(f"{word}: {line}\n")
        if len(lines) > 10:
            sys.stderr.write(f"{word}: {len(lines) - 10:,} more, see {report.folder}/report.md\n")
    return 3 if skipped else 0


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Progress | None]:
    """Give a callback that shows progress, rate and time left where stderr is a terminal.

    Each stage has a line, which goes when the work is done.  Where ``quiet`` or where standard
    error is no terminal nothing is shown, and ``None`` is given.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        *(TextColumn("{task.description:22}"), BarColumn(), MofNCompleteColumn()),
        *(TextColumn("{task.fields[rate]:>9}"), TimeRemainingColumn(), TextColumn("left")),
    )
    with Progress(*columns, console=console(errors=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            kind = stage.partition(" ")[0]
            if kind not in tasks:
                tasks[kind] = bars.add_task(stage, total=total, rate="")
            bars.update(tasks[kind], description=stage, completed=done, total=total)
            speed = bars.tasks[tasks[kind]].speed
            bars.update(
                tasks[kind], rate=f"{speed:,.{0 if speed >= 10 else 1}f}/s" if speed else ""
            )

        yield show
