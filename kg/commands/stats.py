"""``kg stats``: count what is in a graph."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import Any, Final

from kg.commands.output import add_json, at_least, print_json
from kg.store import StoredGraph
from kg.values import LABELS, STATUSES

DESCRIPTION: Final = """\
Count what is in a graph: documents, entities by type, edges by relation and status, scores, and
the best connected entities.

  kg stats out
  kg stats out --merges          every spelling that joined another, with rule, score, document
  kg stats out --top 50
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg stats``."""
    parser.add_argument("folder", metavar="DIR", help="the folder that kg build wrote")
    parser.add_argument("--merges", action="store_true", help="list the merges of names")
    parser.add_argument(
        "--top", type=at_least(0), default=10, metavar="N", help="best connected entities"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the counts, or the merges."""
    graph = StoredGraph(arguments.folder)
    if arguments.merges:
        return _merges(graph, as_json=arguments.json)
    figures = statistics(graph, arguments.top)
    if arguments.json:
        print_json(figures)
    else:
        sys.stdout.writelines(line + "\n" for line in _page(figures))
    return 0


def statistics(graph: StoredGraph, top: int) -> dict[str, Any]:
    """Return the counts of ``graph`` as plain values."""
    kinds = Counter(document.kind for document in graph.documents)
    types = Counter(entity.type for entity in graph.entities)
    relations: dict[str, Counter[str]] = {}
    evidence: Counter[str] = Counter()
    degrees: Counter[str] = Counter()
    for edge in graph.edges:
        relations.setdefault(edge.relation, Counter())[edge.status] += 1
        evidence.update(item.kind for item in edge.evidence)
        degrees.update((edge.subject, edge.object))
    best = sorted(degrees.items(), key=lambda item: (-item[1], item[0]))[:top]
    return {
        "run": graph.manifest.get("run", ""),
        "documents": {kind: kinds[kind] for kind in sorted(kinds)},
        "entities": {label: types[label] for label in LABELS},
        "edges": {
            name: {status: relations[name][status] for status in STATUSES}
            for name in sorted(relations)
        },
        "evidence": {kind: evidence[kind] for kind in sorted(evidence)},
        "results": len(graph.results),
        "merges": len(graph.merges),
        "best_connected": [{"entity": entity, "edges": count} for entity, count in best],
    }


def _page(figures: dict[str, Any]) -> list[str]:
    lines = [f"run {figures['run'] or 'unnamed'}", "", "documents"]
    lines += [f"  {count:10,}  {kind}" for kind, count in figures["documents"].items()]
    lines += ["", "entities"]
    lines += [f"  {count:10,}  {label}" for label, count in figures["entities"].items()]
    lines += ["", "edges" + " " * 13 + "".join(f"{status:>12}" for status in STATUSES)]
    for relation, counts in figures["edges"].items():
        lines.append(f"  {relation:16}" + "".join(f"{counts[status]:12,}" for status in STATUSES))
    lines += ["", "evidence"]
    lines += [f"  {count:10,}  {kind}" for kind, count in figures["evidence"].items()]
    lines += [
        "",
        f"  {figures['results']:10,}  scores",
        f"  {figures['merges']:10,}  merged spellings",
    ]
    if figures["best_connected"]:
        lines += ["", "best connected"]
        lines += [f"  {row['edges']:10,}  {row['entity']}" for row in figures["best_connected"]]
    return lines


def _merges(graph: StoredGraph, *, as_json: bool) -> int:
    if as_json:
        rows = [
            {"entity": m.entity, "name": m.name, "reason": m.reason, "score": m.score}
            | {"document": m.document}
            for m in graph.merges
        ]
        print_json(rows)
        return 0
    for merge in graph.merges:
        cells = (merge.entity, merge.name, merge.reason, f"{merge.score:.2f}", merge.document)
        sys.stdout.write("\t".join(cells) + "\n")
    return 0
