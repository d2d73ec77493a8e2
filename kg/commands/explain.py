"""``kg explain``: where a node, an alias, an edge or a merge comes from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kg.commands.output import add_json, console, print_json
from kg.errors import NotFound, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from kg.store import StoredGraph
    from kg.values import Edge, Entity

DESCRIPTION: Final = """\
Say where something in the graph comes from.

  kg explain out Qwen2.5                                       a node, its names and its merges
  kg explain out "Light-R1-32B" fineTunedFrom "Qwen2.5-32B"    an edge and all that speaks for it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg explain``."""
    parser.add_argument("folder", metavar="DIR", help="the folder that kg build wrote")
    parser.add_argument("name", metavar="NAME", help="a name, an alias or an id")
    parser.add_argument("relation", nargs="?", help="with OBJECT: the edge's relation")
    parser.add_argument("object", nargs="?", metavar="OBJECT", help="the name at the other end")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Explain a node or an edge; return the exit status."""
    from kg.lineage import find
    from kg.store import StoredGraph

    graph = StoredGraph(arguments.folder)
    entity = find(graph, arguments.name)
    if arguments.relation is None:
        return _entity(graph, entity, as_json=arguments.json)
    if arguments.object is None:
        raise UsageError(
            f"an edge has two ends: kg explain {arguments.folder} {arguments.name!r} "
            f"{arguments.relation} OBJECT; for the node alone leave {arguments.relation} out"
        )
    other = find(graph, arguments.object)
    edges = [e for e in graph.edges if {e.subject, e.object} == {entity.id, other.id}]
    chosen = [e for e in edges if e.key == (entity.id, arguments.relation, other.id)]
    if not chosen:
        between = "; ".join(" ".join(e.key) for e in edges) or "nothing"
        raise NotFound(
            f"no document says: {entity.id} {arguments.relation} {other.id}. "
            f"Between the two the graph knows: {between}"
        )
    return _edge(graph, chosen[0], as_json=arguments.json)


def _entity(graph: StoredGraph, entity: Entity, *, as_json: bool) -> int:
    merges = [merge for merge in graph.merges if merge.entity == entity.id]
    edges = [edge for edge in graph.edges if entity.id in (edge.subject, edge.object)]
    if as_json:
        data: dict[str, Any] = msgspec.to_builtins(entity)
        data["merges"] = msgspec.to_builtins(merges)
        data["edges"] = [
            {"subject": e.subject, "relation": e.relation, "object": e.object, "status": e.status}
            for e in edges
        ]
        print_json(data)
        return 0
    screen = console()
    titles = {document.id: document.title for document in graph.documents}
    _line(screen, entity.name, f"{entity.type} · {entity.id} · confidence {entity.confidence:.2f}")
    _list(screen, "also written", entity.aliases)
    _list(screen, "on the Hub", entity.repositories)
    _list(
        screen, "facts", [f"{key}: {value}  ({document})" for key, value, document in entity.facts]
    )
    _list(screen, "introduced in", [f"{d}  {titles.get(d, '')}" for d in entity.introduced_in])
    mentions = [
        f"{document}  {'once' if count == 1 else f'{count} times'}  {titles.get(document, '')}"
        for document, count in entity.mentioned_in
    ]
    _list(screen, "mentioned in", mentions)
    joined = [
        f"{m.name}: {m.reason}, {m.score:.2f}" + (f", {m.document}" if m.document else "")
        for m in merges
    ]
    _list(screen, "merged into it", joined)
    shown = [f"{e.subject} {e.relation} {e.object}  {e.status} {e.confidence:.2f}" for e in edges]
    _list(screen, "edges", shown)
    return 0


def _edge(graph: StoredGraph, edge: Edge, *, as_json: bool) -> int:
    if as_json:
        print_json(msgspec.to_builtins(edge))
        return 0
    screen = console()
    wanted = {evidence.document for evidence in edge.evidence}
    titles = {d.id: f"{d.title}  {d.url}" for d in graph.documents if d.id in wanted}
    documents = "document" if len(wanted) == 1 else "documents"
    _line(
        screen,
        f"{edge.subject} {edge.relation} {edge.object}",
        f"{edge.status}, confidence {edge.confidence:.2f}, {len(wanted)} {documents}",
    )
    for evidence in edge.evidence:
        denial = "denies it, " if evidence.negated else ""
        head = f"{denial}{evidence.kind} by {evidence.extractor} ({evidence.rule})"
        place = f"{evidence.document} {evidence.field} {evidence.span.start}:{evidence.span.end}"
        _line(
            screen,
            "",
            f"\n{head}, {evidence.confidence:.2f}\n{place}  {titles.get(evidence.document, '')}",
        )
        screen.print(f"  {evidence.sentence}")
        _list(screen, "rests on", evidence.premises)
    return 0


def _line(screen: Console, strong: str, rest: str) -> None:
    from rich.text import Text

    text = Text(strong, "bold")
    text.append(f"  {rest}" if strong else rest, "dim")
    screen.print(text)


def _list(screen: Console, title: str, items: Any, most: int = 40) -> None:
    items = list(items)
    if not items:
        return
    screen.print(title, style="bold")
    for item in items[:most]:
        screen.print(f"  {item}")
    if len(items) > most:
        screen.print(f"  and {len(items) - most} more; --json lists all")
