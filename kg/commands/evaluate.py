"""``kg evaluate``: score extracted documents against annotated ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kg.commands.output import add_gear, add_json, at_least, console, print_json

if TYPE_CHECKING:
    from kg.evaluation import Marked, Report

DESCRIPTION: Final = """\
Score what was extracted against what people marked: exact spans with labels, entities, typed
edges, scores; with 95 % bootstrap intervals, confusions, calibration and the worst mistakes.

  kg evaluate dev.jsonl                          extract dev's texts and score the outcome
  kg evaluate dev.jsonl --gear accurate          the same with the slower, better model
  kg evaluate dev.jsonl predicted.jsonl          score a file that kg extract wrote
  kg evaluate dev.jsonl --errors 20              and show twenty mistakes of each kind
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg evaluate``."""
    parser.add_argument("gold", type=Path, metavar="GOLD", help="annotated documents, JSON lines")
    parser.add_argument(
        "predicted", type=Path, nargs="?", metavar="PREDICTED", help="what kg extract wrote"
    )
    add_gear(parser, "without PREDICTED: which model extracts (default: fast)")
    parser.add_argument(
        "--errors", type=at_least(0), default=5, metavar="N", help="mistakes shown of each kind (5)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Score, and print the tables; return the exit status."""
    from kg import evaluation

    gold = evaluation.load(arguments.gold)
    if arguments.predicted:
        predicted = evaluation.load(arguments.predicted)
    else:
        predicted = _extract(gold, arguments.gear)
    report = evaluation.evaluate(gold, predicted)
    if arguments.json:
        print_json(_data(report, arguments.errors))
    else:
        _print(report, arguments.errors)
    return 0


def _extract(gold: dict[str, Marked], gear: Any) -> dict[str, Marked]:
    from kg import evaluation
    from kg.linker import accepted
    from kg.pipeline.reading import read
    from kg.values import Document

    documents = [
        Document(one.id, "paper", one.text.partition("\n")[0], one.text) for one in gold.values()
    ]
    return {
        reading.document.id: evaluation.marked(accepted(reading))
        for reading in read(documents, gear=gear)
    }


def _data(report: Report, errors: int) -> dict[str, Any]:
    return {
        "documents": report.documents,
        "predicted": report.predicted,
        "scores": msgspec.to_builtins(dict(report.scores)),
        "label_confusion": _table(report.confusion),
        "relation_confusion": _table(report.relation_confusion),
        "calibration": msgspec.to_builtins(dict(report.calibration)),
        "mistakes": msgspec.to_builtins(_worst(report, errors)),
    }


def _table(confusion: Any) -> list[dict[str, Any]]:
    return [
        {"gold": gold, "predicted": predicted, "count": count}
        for (gold, predicted), count in confusion.items()
    ]


def _worst(report: Report, count: int) -> list[Any]:
    """Return so many mistakes of each kind: the surest of the spurious, the first of the missed."""
    chosen = []
    for kind in ("mention", "edge", "result"):
        for how in ("spurious", "missed"):
            found = [m for m in report.mistakes if (m.kind, m.how) == (kind, how)]
            chosen += sorted(found, key=lambda m: -m.confidence)[:count]
    return chosen


def _print(report: Report, errors: int) -> None:
    from rich.table import Table

    screen = console()
    screen.print(f"{report.documents} documents, {report.predicted} predicted")
    table = Table("measure", box=None, pad_edge=False)
    for column in ("P", "R", "F1", "95 % interval", "gold"):
        table.add_column(column, justify="right")
    for measure, score in report.scores.items():
        table.add_row(
            measure,
            f"{score.p:.3f}",
            f"{score.r:.3f}",
            f"{score.f1:.3f}",
            f"{score.low:.3f}-{score.high:.3f}",
            str(score.gold),
        )
    screen.print(table)
    _print_confusion(report)
    _print_relations(report)
    _print_calibration(report)
    for mistake in _worst(report, errors):
        sure = f" ({mistake.confidence:.2f})" if mistake.confidence else ""
        screen.print(f"\n{mistake.document}  {mistake.how} {mistake.kind}{sure}: {mistake.what}")
        screen.print(f"  {mistake.sentence}")


def _print_confusion(report: Report) -> None:
    from rich.table import Table

    from kg.values import LABELS

    names = (*LABELS, "—")
    table = Table("marked as", title="label confusion (rows: marked, columns: found)", box=None)
    for name in names:
        table.add_column(name, justify="right")
    for gold in names:
        cells = [str(report.confusion.get((gold, found), "")) for found in names]
        table.add_row(gold, *cells)
    console().print("", table)


def _print_relations(report: Report) -> None:
    from rich.table import Table

    wrong = [(n, g, p) for (g, p), n in report.relation_confusion.items() if g != p]
    confused = sorted(((n, g, p) for n, g, p in wrong if "—" not in (g, p)), reverse=True)[:12]
    if not confused:
        return
    table = Table("marked", "found", "pairs", title="relations most often confused", box=None)
    for count, gold, predicted in confused:
        table.add_row(gold, predicted, str(count))
    console().print("", table)


def _print_calibration(report: Report) -> None:
    from rich.table import Table

    for kind, found in report.calibration.items():
        title = f"reliability of {kind} confidences; expected calibration error {found.error:.3f}"
        table = Table("confidence", title=title, box=None)
        for column in ("predictions", "mean confidence", "share right"):
            table.add_column(column, justify="right")
        for one in found.bins:
            table.add_row(
                f"{one.low:.1f}-{one.high:.1f}",
                str(one.count),
                f"{one.confidence:.3f}",
                f"{one.right:.3f}",
            )
        console().print("", table)
