"""``report.md``: what was read, skipped, found, and what is doubtful, for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from kg.values import LABELS, STATUSES, GraphView

#: How many of each list are shown.
_SHOWN: Final = 25


def write_report(
    graph: GraphView,
    path: Path,
    skipped: Sequence[str],
    notes: Sequence[str],
    doubts: Iterable[tuple[str, str]],
    warnings: Sequence[str] = (),
) -> None:
    """Write the report of ``graph`` to ``path``."""
    with path.open("w", encoding="utf-8", newline="\n") as page:
        page.writelines(line + "\n" for line in report(graph, skipped, notes, doubts, warnings))


def report(
    graph: GraphView,
    skipped: Sequence[str],
    notes: Sequence[str],
    doubts: Iterable[tuple[str, str]],
    warnings: Sequence[str] = (),
) -> Iterable[str]:
    """Yield the report's lines, as Markdown."""
    kinds = Counter(document.kind for document in graph.documents)
    yield "# What this graph was made from, and what is in it"
    yield ""
    yield f"Run `{graph.manifest.get('run', '')}`, kg {graph.manifest.get('kg', '')}."
    yield ""
    yield "## Read"
    yield ""
    for kind, count in sorted(kinds.items()):
        yield f"- {count:,} of kind {kind}"
    yield ""
    yield "## Skipped"
    yield ""
    yield from _listed(skipped, "nothing was skipped")
    if warnings:
        yield ""
        yield "Read, but perhaps not as it was meant:"
        yield ""
        yield from _listed(warnings, "")
    if notes:
        yield ""
        yield "Passed over, without a loss:"
        yield ""
        yield from _listed(notes, "")
    yield ""
    yield "## Found"
    yield ""
    types = Counter(entity.type for entity in graph.entities)
    yield "| type | entities |"
    yield "|---|---:|"
    for label in LABELS:
        yield f"| {label} | {types[label]:,} |"
    yield ""
    relations: Counter[tuple[str, str]] = Counter()
    weak: list[tuple[float, str]] = []
    for edge in graph.edges:
        relations[edge.relation, edge.status] += 1
        if edge.status in ("candidate", "disputed"):
            weak.append((-edge.confidence, f"{' '.join(edge.key)} ({edge.confidence:.2f})"))
            if len(weak) > 4 * _SHOWN:
                weak = sorted(weak)[:_SHOWN]
    yield "| relation | " + " | ".join(STATUSES) + " |"
    yield "|---" + "|---:" * len(STATUSES) + "|"
    for relation in sorted({relation for relation, _ in relations}):
        cells = (f"{relations[relation, status]:,}" for status in STATUSES)
        yield f"| {relation} | " + " | ".join(cells) + " |"
    yield ""
    yield f"{len(graph.results):,} scores; {len(graph.merges):,} spellings joined another."
    yield ""
    yield "## Doubtful"
    yield ""
    yield from _listed([sentence for _, sentence in doubts], "the assembly left no doubts")
    if weak:
        yield ""
        yield "The surest of the edges that were not accepted (`kg review` goes through all):"
        yield ""
        yield from (f"- {_plain(line)}" for _, line in sorted(weak)[:_SHOWN])


def _listed(items: Sequence[str], none: str) -> Iterable[str]:
    if not items:
        yield none[0].upper() + none[1:] + "."
    for item in items[:_SHOWN]:
        yield f"- {_plain(item)}"
    if len(items) > _SHOWN:
        yield f"- and {len(items) - _SHOWN:,} more"


def _plain(text: str) -> str:
    """Return ``text`` on one line, with what Markdown or HTML would act on made harmless."""
    line = " ".join(text.split())
    for character in "\\`*_[]<>|":
        line = line.replace(character, "\\" + character)
    return line if len(line) <= 400 else line[:400] + " …"
