"""A lineage in the terminal: a tree that says its kinds in words and in colour, at any width."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from kg import schema
from kg.lineage import licences
from kg.lineage.formats import label, said
from kg.lineage.network import Hop, Network
from kg.lineage.tree import Lineage, Step
from kg.store import StoredGraph
from kg.values import Edge, Evidence

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

#: Colour of what is handed down; the words beside it say the same.
STRAND_STYLE: Final = {
    "weights": "bold cyan",
    "knowledge": "bold magenta",
    "data": "bold green",
    None: "bold",
}
_KIND_STYLE: Final = {
    "curated": "green",
    "declared": "green",
    "extracted": "blue",
    "inferred": "yellow",
}
#: What a canned question tells of things that have no lineage, or seldom one: its name, a
#: parameter that takes the thing, and what it tells.
_QUESTIONS: Final = {
    "Method": ("methods", "", "methods by how many use them"),
    "Benchmark": ("tested-on", "benchmark", "what was evaluated on it"),
}
_MARK_SIGN: Final = {"cycle": "↺ ", "gap": "? ", "class": "? "}
_SHOWN: Final = 40
#: Columns that a line must have left beside its guides; a branch that is deeper ends in dots.
_NARROWEST: Final = 16


def as_text(lineage: Lineage, *, width: int = 100) -> str:
    """Return the tree as plain text without colour, ending in a line feed."""
    from rich.console import Console

    console = Console(width=width, no_color=True, color_system=None, force_terminal=False)
    with console.capture() as captured:
        show(lineage, console)
    return captured.get()


def show(
    lineage: Lineage,
    console: Console,
    *,
    evidence: str = "short",
    limit: int = _SHOWN,
    problems: Sequence[str] = (),
) -> None:
    """Print the tree on ``console``; ``evidence`` is ``full``, ``short`` or ``none``.

    Of more than ``limit`` children the rest is counted; 0 shows all.
    """
    painter = _Painter(lineage, console.width, evidence, limit)
    console.print(painter.header())
    for title, steps, up in (
        ("comes from", lineage.up, True),
        *(
            (f"its family {lineage.network.name(step.entity)} comes from", step.children, True)
            for step in lineage.families
        ),
        ("what came of it", lineage.down, False),
        ("members of the family", lineage.members, False),
    ):
        if steps:
            console.print(painter.tree(title, steps, up=up))
    for gap in lineage.gaps:
        console.print(painter.note(f"? {gap}"))
    for line in nothing_known(lineage):
        console.print(painter.note(line), soft_wrap=True)
    if lineage.cut:
        console.print(painter.note(f"steps left out of a tree too large to show: {lineage.cut:,}"))
    for problem in problems:
        console.print(painter.note(f"! {problem}"))
    if has_lineage(lineage):
        console.print(painter.coverage())


def has_lineage(lineage: Lineage) -> bool:
    """Whether things of the root's type descend from others, or this one does all the same."""
    root, network = lineage.root, lineage.network
    descending = {
        end
        for relation in schema.relations().values()
        if relation.lineage
        for pair in relation.pairs
        for end in pair
    }
    return root.type in descending or bool(network.up(root.id) or network.down(root.id))


def nothing_known(lineage: Lineage) -> list[str]:
    """Return what is said instead of an empty tree: that it is empty, and what to ask instead."""
    families = any(step.children for step in lineage.families)
    if lineage.up or lineage.down or lineage.members or families:
        return []
    root, graph = lineage.root, lineage.network.graph
    if has_lineage(lineage):
        lines = ["nothing here says what it comes from, or what came of it"]
        if root.type not in _QUESTIONS:
            return lines
    else:
        lines = [f"a {root.type.lower()} has no lineage: models and datasets have one"]
    folder = shlex.quote(str(graph.folder)) if isinstance(graph, StoredGraph) else "DIR"
    if root.type in _QUESTIONS:
        question, parameter, tells = _QUESTIONS[root.type]
        asked = f" --param {parameter}={shlex.quote(root.name)}" if parameter else ""
        lines.append(f"{tells}: kg query {folder} {question}{asked}")
    lines.append(f"its names, documents and edges: kg explain {folder} {shlex.quote(root.name)}")
    return lines


class _Painter:
    def __init__(self, lineage: Lineage, width: int, evidence: str, limit: int) -> None:
        self.lineage, self.width = lineage, width
        self.evidence, self.limit = evidence, limit

    def header(self) -> Text:
        from rich.text import Text

        root, network = self.lineage.root, self.lineage.network
        line = Text(root.name, style="bold")
        parts = [root.type.lower()]
        if self.lineage.families:
            chain = " ⊂ ".join(network.name(step.entity) for step in self.lineage.families)
            parts.append(f"family {chain}")
        if stated := licences.values(root):
            parts.append(f"licence {', '.join(stated)}")
        documents = len(root.mentioned_in)
        parts.append(f"{documents} document{'' if documents == 1 else 's'}")
        line.append("  " + " · ".join(parts), style="dim")
        return line

    def tree(self, title: str, steps: Sequence[Step], *, up: bool) -> Tree:
        from rich.text import Text
        from rich.tree import Tree

        tree = Tree(Text(title, style="underline"), guide_style="dim")
        self._add(tree, steps, up, 1)
        return tree

    def _add(self, tree: Tree, steps: Sequence[Step], up: bool, level: int) -> None:
        from rich.text import Text

        if steps and self.width - 4 * level < _NARROWEST:
            tree.add(Text("... goes on", "dim"))
            return
        shown = steps if not self.limit else steps[: self.limit]
        for step in shown:
            branch = tree.add(self._label(step, up, level))
            self._add(branch, step.children, up, level + 1)
        if len(shown) < len(steps):
            tree.add(Text(f"... and {len(steps) - len(shown):,} more; --limit 0 shows all", "dim"))

    def _label(self, step: Step, up: bool, level: int) -> Text:
        from rich.text import Text

        network = self.lineage.network
        entity = network.entities.get(step.entity)
        name = network.name(step.entity)
        if step.hop is None:
            return Text(name)
        if step.mark == "member":
            line = Text(name, style="bold yellow")
            line.append("  ")
            self._kind(line, step.hop)
            if self.evidence != "none" and step.hop.kind == "inferred":
                best = self.lineage.edge(step.hop).best
                line.append("" if best.premises else "  by its name", style="dim")
            if step.note:
                line.append(f"  {step.note}", style="dim")
            return line
        words, style = label(step.hop.relation), _style(step.hop.relation)
        line = Text(overflow="fold")
        if up or step.mark == "within":
            line.append(words + " ", style=style)
            line.append(name, style="bold")
        else:
            line.append(name, style="bold")
            line.append(f" {words} it", style=style)
        if entity is not None and entity.type != "Model":
            line.append(f" ({entity.type.lower()})", style="dim")
        line.append("  ")
        self._kind(line, step.hop)
        if step.note:
            sign = _MARK_SIGN.get(step.mark, "")
            style = "yellow" if sign else "dim"
            line.append(f"  {sign}{step.note}", style=style)
        if self.evidence != "none" and step.mark != "shown":
            edge = self.lineage.edge(step.hop)
            items = sorted(edge.evidence) if self.evidence == "full" else [edge.best]
            for item in items:
                line.append("\n")
                line.append_text(self._quote(item, edge, level))
        return line

    def _kind(self, line: Text, hop: Hop) -> None:
        line.append(hop.kind, style=_KIND_STYLE.get(hop.kind, ""))
        line.append(f" {_support(hop)}", style="dim")

    def _quote(self, item: Evidence, edge: Edge, level: int) -> Text:
        from rich.text import Text

        if item.kind == "inferred":
            return Text(f"{said(item)} {item.document}", style="dim")
        # Two lines: enough for most sentences, and for the part with the names of the others.
        room = max(40, 2 * (self.width - 4 * level) - len(item.document) - 10)
        start, end = _window(item, room if self.evidence != "full" else 10_000)
        quote = Text("“", style="dim")
        before = "…" if start else ""
        after = "…" if end < len(item.sentence) else ""
        shown = Text(before + item.sentence[start:end].replace("\n", " ") + after, style="italic")
        for span in (item.subject, item.object):
            if span is not None:
                first = span.start - item.span.start - start + len(before)
                last = span.end - item.span.start - start + len(before)
                if 0 <= first < last <= len(shown):
                    shown.stylize("bold", first, last)
        quote.append_text(shown)
        quote.append(f"” {item.document}", style="dim")
        return quote

    def note(self, words: str) -> Text:
        from rich.text import Text

        return Text(words, style="yellow")

    def coverage(self) -> Text:
        from rich.text import Text

        return Text(str(self.lineage.coverage), style="dim")


def _style(relation: str) -> str:
    known = schema.relations().get(relation)
    return STRAND_STYLE.get(known.strand if known is not None else None, "bold")


def _support(hop: Hop) -> str:
    documents = f"{hop.documents} documents" if hop.documents > 1 else "1 document"
    return f"{hop.confidence:.2f} · {documents}"


def _window(item: Evidence, room: int) -> tuple[int, int]:
    """Return the part of a sentence to show in ``room`` characters: the one with the names."""
    length = len(item.sentence)
    if length <= room:
        return 0, length
    marks = [span.start - item.span.start for span in (item.subject, item.object) if span]
    ends = [span.end - item.span.start for span in (item.subject, item.object) if span]
    first, last = (min(marks), max(ends)) if marks else (0, room)
    if last <= room:
        return 0, _word_end(item.sentence, room)
    start = max(0, min(first - 10, length - room))
    if last - start > room:  # the names stand too far apart: show the last one
        start = max(0, min(last - room + 5, length - room))
    start = _word_start(item.sentence, start)
    return start, _word_end(item.sentence, start + room)


def _word_start(text: str, place: int) -> int:
    blank = text.find(" ", place)
    return place if place == 0 or blank < 0 or blank - place > 15 else blank + 1


def _word_end(text: str, place: int) -> int:
    if place >= len(text):
        return len(text)
    blank = text.rfind(" ", 0, place)
    return place if blank < 0 or place - blank > 15 else blank


def quote_lines(network: Network, hops: Iterable[Hop], *, full: bool = False) -> list[str]:
    """Return what speaks best for each hop, or all that does, with its document.

    A sentence that speaks for several hops stands once, after all that it says.
    """
    found: dict[str, dict[str, None]] = {}
    for hop in hops:
        edge = network.edge(hop)
        for item in sorted(edge.evidence) if full else [edge.best]:
            words = said(item) if item.kind == "inferred" else f"“{said(item)}”"
            says = found.setdefault(f"{words} {item.document}", {})
            says[f"{label(hop.relation)} ({item.kind})"] = None
    return [f"{', '.join(says)}: {quote}" for quote, says in found.items()]


def show_hops(
    network: Network,
    hops: Sequence[Hop],
    console: Console,
    heading: Sequence[str] = (),
    *,
    evidence: str = "short",
) -> None:
    """Print a chain of hops, one below the other, each with its sentence."""
    from rich.text import Text

    for words in heading:
        console.print(Text(words, style="bold"))
    for hop in hops:
        words, style = label(hop.relation), _style(hop.relation)
        line = Text(network.name(hop.subject), style="bold")
        line.append(f" {words} ", style=style)
        line.append(network.name(hop.object), style="bold")
        line.append(f"  {hop.kind} ", style=_KIND_STYLE.get(hop.kind, ""))
        line.append(_support(hop), style="dim")
        show_indented(console, line, 4, 2)
        if evidence != "none":
            for text in quote_lines(network, [hop], full=evidence == "full"):
                show_indented(console, Text(text.partition(": ")[2], style="italic"), 4)


def show_indented(console: Console, text: Text, indent: int, first: int | None = None) -> None:
    """Print ``text``, each of its lines after ``indent`` blanks; the first after ``first``."""
    from rich.text import Text

    first = indent if first is None else first
    lines = text.wrap(console, max(20, console.width - max(indent, first)))
    for number, line in enumerate(lines):
        line.rstrip()
        console.print(Text(" " * (indent if number else first)).append_text(line))
