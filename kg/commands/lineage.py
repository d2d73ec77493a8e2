"""``kg lineage``: where a model comes from, what came of it, and how we know."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kg.commands.output import (
    SCHEMA_VERSION,
    add_json,
    at_least,
    console,
    opened,
    print_json,
    probability,
)
from kg.errors import ChecksFailed, UsageError
from kg.text import counted

if TYPE_CHECKING:
    from kg.lineage.compare import Comparison, Family
    from kg.lineage.licences import Report
    from kg.lineage.network import Filter, Hop, Network
    from kg.lineage.problems import Problem
    from kg.lineage.tree import Lineage

DESCRIPTION: Final = """\
Show where a model comes from and what came of it: every hop with its kind, how sure it is, and
the sentence that says so. Families are shown as families, not as ancestry.

  kg lineage out DeepSeek-R1                        ancestors and descendants as a tree
  kg lineage out qwen2.5 --down --folded            descendants, families folded
  kg lineage out X --no-inferred --min-confidence 0.8
  kg lineage out --path Light-R1-32B Qwen2.5        the chain of hops between two
  kg lineage out --common A B                       their nearest common ancestors
  kg lineage out --compare Qwen2.5 "Llama 3.1"      two families side by side
  kg lineage out X --licences                       what the licences of ancestors hand down
  kg lineage out --conflicts                        where sources disagree
  kg lineage out X --check                          exit 3 on circles, gaps, licence conflicts
  kg lineage out X --format html -o x.html          also: json mermaid dot svg cyclonedx
"""
_FORMATS: Final = ("tree", "json", "mermaid", "dot", "svg", "html", "cyclonedx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg lineage``."""
    parser.add_argument("graph", metavar="DIR", help="a folder that kg build wrote")
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="a model or dataset, spelt anyhow, or its id"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--up", dest="direction", action="store_const", const="up", help="only what it comes from"
    )
    way.add_argument(
        "--down", dest="direction", action="store_const", const="down", help="only what came of it"
    )
    way.add_argument(
        "--both", dest="direction", action="store_const", const="both", help="both (the default)"
    )
    parser.add_argument("--depth", type=at_least(1), metavar="N", help="no more than N hops away")
    parser.add_argument(
        "--relation",
        action="append",
        metavar="R",
        help="follow only this relation and those under it; may be repeated, or a,b",
    )
    parser.add_argument(
        "--min-confidence",
        type=probability,
        default=0.0,
        metavar="P",
        help="only hops at least so sure",
    )
    parser.add_argument(
        "--inferred",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="follow hops that only a name or a chain suggests (default: yes, marked as such)",
    )
    parser.add_argument(
        "--folded", action="store_true", help="list a family's members without what came of them"
    )
    parser.add_argument(
        "--evidence",
        choices=("full", "short", "none"),
        default="short",
        help="all sentences of a hop, the best one (default), or none",
    )
    parser.add_argument(
        "--limit",
        type=at_least(0),
        default=40,
        metavar="N",
        help="children shown of each (40; 0: all)",
    )
    what = parser.add_argument_group("other questions")
    what.add_argument("--path", nargs=2, metavar=("A", "B"), help="the hops between two")
    what.add_argument("--common", nargs=2, metavar=("A", "B"), help="nearest common ancestors")
    what.add_argument("--compare", nargs=2, metavar=("F", "F"), help="two families side by side")
    what.add_argument("--conflicts", action="store_true", help="where sources disagree")
    what.add_argument("--licences", "--licenses", action="store_true", help="licences on the way")
    what.add_argument("--check", action="store_true", help="exit 3 if something does not hold")
    what.add_argument(
        "--closure", metavar="FILE", help="write every pair of descendant and ancestor as TSV"
    )
    parser.add_argument("--format", choices=_FORMATS, default="tree", help="default: tree")
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, not to the terminal")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer, and return the exit status."""
    from kg.lineage.network import Filter, Network
    from kg.lineage.tree import checked_relations
    from kg.store import StoredGraph

    relations = [r for given in arguments.relation or () for r in given.split(",") if r] or None
    network = Network(StoredGraph(arguments.graph))
    chosen = Filter(checked_relations(relations), arguments.min_confidence, arguments.inferred)
    answer = _question(arguments)
    return answer(arguments, network, chosen)


def _question(
    arguments: argparse.Namespace,
) -> Callable[[argparse.Namespace, Network, Filter], int]:
    asked = [
        (arguments.path, _path),
        (arguments.common, _common),
        (arguments.compare, _compare),
        (arguments.closure, _closure),
        (arguments.check, _check),
        (arguments.conflicts, _conflicts),
        (arguments.licences, _licences),
    ]
    chosen = [answer for given, answer in asked if given]
    if len(chosen) > 1 and not (arguments.check and arguments.licences and len(chosen) == 2):
        raise UsageError(
            "ask one thing at a time: --path, --common, --compare, --closure, --check,"
            " --conflicts or --licences"
        )
    if not arguments.name and (not chosen or chosen[0] is _licences):
        raise UsageError("whose lineage? give a NAME, or --conflicts, --check, --compare")
    return chosen[0] if chosen else _tree


def _emit(arguments: argparse.Namespace, text: str) -> None:
    if arguments.output:
        Path(arguments.output).write_text(text, encoding="utf-8")
        print(f"written: {arguments.output}", file=sys.stderr)
    else:
        sys.stdout.write(text)


def _emit_json(arguments: argparse.Namespace, data: Any, warnings: Sequence[str] = ()) -> None:
    if not arguments.output:
        print_json(data, warnings)
        return
    envelope = {"schema_version": SCHEMA_VERSION, "data": data, "warnings": list(warnings)}
    encoded = msgspec.json.format(msgspec.json.encode(envelope, order="deterministic"), indent=2)
    _emit(arguments, encoded.decode() + "\n")


def _as_json(arguments: argparse.Namespace) -> bool:
    return bool(arguments.json or arguments.format == "json")


def _tree(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """Show the tree in the format asked for."""
    from kg.lineage import formats, picture, text
    from kg.lineage.tree import trace

    lineage = trace(
        network,
        arguments.name,
        direction=arguments.direction or "both",
        depth=arguments.depth,
        relations=chosen.relations,
        min_confidence=chosen.min_confidence,
        inferred=chosen.inferred,
        folded=arguments.folded,
    )
    if _as_json(arguments):
        aside = [] if text.has_lineage(lineage) else text.nothing_known(lineage)
        _emit_json(arguments, formats.as_data(lineage), aside)
    elif arguments.format == "mermaid":
        flowchart, notice = formats.as_mermaid(lineage)
        _emit(arguments, flowchart)
        if notice:
            print(notice, file=sys.stderr)
    elif arguments.format == "dot":
        _emit(arguments, formats.as_dot(lineage))
    elif arguments.format == "svg":
        _emit(arguments, picture.as_svg(lineage))
    elif arguments.format == "html":
        _emit(arguments, picture.as_html(lineage))
    elif arguments.format == "cyclonedx":
        encoded = msgspec.json.encode(formats.as_cyclonedx(lineage))
        _emit(arguments, msgspec.json.format(encoded, indent=2).decode() + "\n")
    elif arguments.output:
        _emit(arguments, str(lineage))
    else:
        problems = [problem.words for problem in _problems_of(network, lineage)]
        text.show(
            lineage,
            console(),
            evidence=arguments.evidence,
            limit=arguments.limit,
            problems=problems,
        )
    return 0


def _problems_of(network: Network, lineage: Lineage) -> list[Problem]:
    from kg.lineage.problems import conflicts

    return conflicts(network, lineage.entities())


def _hop_data(network: Network, hop: Hop) -> dict[str, Any]:
    return {
        "subject": {"id": hop.subject, "name": network.name(hop.subject)},
        "relation": hop.relation,
        "object": {"id": hop.object, "name": network.name(hop.object)},
        "kind": hop.kind,
        "confidence": hop.confidence,
        "evidence": msgspec.to_builtins(network.edge(hop).evidence),
    }


def _path(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """Show the shortest chain of hops between two, in either direction."""
    from kg.lineage.network import FAMILY
    from kg.lineage.text import show_hops

    one, other = (network.find(name) for name in arguments.path)
    hops, over = network.joined(one.id, other.id, chosen)
    weakest = min((hop.confidence for hop in hops), default=1.0)
    if _as_json(arguments):
        data = {
            "hops": [_hop_data(network, hop) for hop in hops],
            "over": over or None,
            "confidence": weakest,
        }
        _emit_json(arguments, data)
        return 0
    lines = []
    if over:
        lines.append(f"neither descends from the other; both come from {network.name(over)}, so:")
    memberships = [hop for hop in hops if hop.relation == FAMILY]
    for end in (one, other):
        if any(hop.object == end.id for hop in memberships):
            lines.append(f"{end.name} is a family; a member stands for it:")
    show_hops(network, hops, console(), lines, evidence=arguments.evidence)
    said = counted(len(hops) - len(memberships), "hop")
    if memberships:
        said += f" and {counted(len(memberships), 'membership')}"
    print(f"{said}; the weakest is {weakest:.2f} sure")
    return 0


def _common(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """Show the nearest common ancestors of two."""
    from kg.lineage.text import show_hops

    one, other = (network.find(name) for name in arguments.common)
    shared = network.common(one.id, other.id, chosen)

    def way(start: str, end: str) -> list[dict[str, Any]]:
        return [_hop_data(network, hop) for hop in network.path(start, end, chosen) or ()]

    if _as_json(arguments):
        data = [
            {
                "id": id_,
                "name": network.name(id_),
                "from_first": way(one.id, id_),
                "from_second": way(other.id, id_),
            }
            for id_, _, _ in shared
        ]
        _emit_json(arguments, data)
        return 0
    if not shared:
        print(f"{one.name} and {other.name} have no common ancestor here")
    for id_, first, second in shared:
        far = f"{counted(first, 'hop')} from {one.name}, {counted(second, 'hop')} from {other.name}"
        hops = [
            *(network.path(one.id, id_, chosen) or ()),
            *(network.path(other.id, id_, chosen) or ()),
        ]
        show_hops(
            network, hops, console(), [f"{network.name(id_)}: {far}"], evidence=arguments.evidence
        )
    return 0


def _compare(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """Show two families side by side."""
    from kg.lineage.compare import compare

    comparison = compare(network, *arguments.compare)
    if _as_json(arguments):
        _emit_json(arguments, msgspec.to_builtins(comparison))
    else:
        _print_comparison(network, comparison)
    return 0


def _print_comparison(network: Network, comparison: Comparison) -> None:
    from rich.table import Table

    from kg.lineage.formats import label

    def names(ids: Sequence[str], most: int = 12) -> str:
        shown = [network.name(id_) for id_ in ids[:most]]
        more = f" and {len(ids) - most} more" if len(ids) > most else ""
        return (", ".join(shown) + more) or "-"

    def related(pairs: Sequence[tuple[str, str]], pattern: str) -> str:
        lines = [pattern.format(label(relation), network.name(id_)) for relation, id_ in pairs[:12]]
        more = [f"and {len(pairs) - 12} more"] if len(pairs) > 12 else []
        return "\n".join([*lines, *more]) or "-"

    def scores(family: Family) -> str:
        told = [f"{who}: {value} on {on}" for on, _, who, value in family.scores if on]
        return "\n".join(told[:10] + ([f"and {len(told) - 10} more"] if told[10:] else [])) or "-"

    left, right = comparison.left, comparison.right
    table = Table(show_lines=True)
    for heading in ("", left.name, right.name, "both"):
        table.add_column(heading, overflow="fold")
    table.add_row("members", *(f"{len(f.members)}: {names(f.members)}" for f in (left, right)), "")
    ups = (related(family.parents, "{0} {1}") for family in (left, right))
    table.add_row("comes from", *ups, names(comparison.shared_ancestors))
    downs = (related(family.descendants, "{1}, {0} it") for family in (left, right))
    table.add_row("came of it", *downs, "")
    for title, ours, theirs, both in (
        ("data", left.data, right.data, comparison.shared_data),
        ("methods", left.methods, right.methods, comparison.shared_methods),
        ("tested on", left.tests, right.tests, comparison.shared_tests),
    ):
        table.add_row(title, names(ours), names(theirs), names(both))
    table.add_row("scores", scores(left), scores(right), "")
    table.add_row("licences", ", ".join(left.licences) or "-", ", ".join(right.licences) or "-", "")
    screen = console()
    screen.print(table)
    for subject, relation, object_ in comparison.links:
        screen.print(f"{network.name(subject)} {label(relation)} {network.name(object_)}")


def _closure(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """Write every pair of descendant and ancestor with the number of hops."""
    subjects = sorted({hop.subject for hop in network.hops()})
    count = 0
    with opened(arguments.closure) as table:
        table.write(b"descendant\tancestor\thops\n")
        for subject in subjects:
            for ancestor, hops in sorted(network.ancestors(subject, chosen).items()):
                table.write(f"{subject}\t{ancestor}\t{hops}\n".encode())
                count += 1
    if arguments.json:
        print_json({"file": arguments.closure, "pairs": count})
    else:
        print(f"{count:,} pairs written to {arguments.closure}", file=sys.stderr)
    return 0


def _scope(arguments: argparse.Namespace, network: Network, chosen: Filter) -> list[str] | None:
    """Return the named entity and its ancestors; ``None``, the whole graph, without a name."""
    if not arguments.name:
        return None
    root = network.find(arguments.name).id
    return [root, *network.ancestors(root, chosen)]


def _conflicts(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """List where sources disagree."""
    from kg.lineage.problems import conflicts

    _show_problems(arguments, network, conflicts(network, _scope(arguments, network, chosen)))
    return 0


def _check(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """List everything that does not hold; exit 3 if some of it matters."""
    from kg.lineage.problems import check

    found = check(network, _scope(arguments, network, chosen))
    _show_problems(arguments, network, found)
    failing = sum(problem.fails for problem in found)
    if failing:
        raise ChecksFailed(f"{failing} problem{'' if failing == 1 else 's'} found")
    return 0


def _show_problems(
    arguments: argparse.Namespace, network: Network, found: Sequence[Problem]
) -> None:
    from rich.text import Text

    from kg.lineage.text import quote_lines, show_indented

    if _as_json(arguments):
        _emit_json(arguments, msgspec.to_builtins(list(found)))
        return
    screen = console()
    if not found:
        screen.print("nothing contradicts anything")
    for problem in found:
        line = Text(f"{problem.kind}  ", style="bold red" if problem.fails else "bold yellow")
        line.append(problem.words, style="default")
        show_indented(screen, line, 2, 0)
        if arguments.evidence != "none":
            hops = [hop for key in problem.edges for hop in network.hops_between(*key)]
            for text in quote_lines(network, hops, full=arguments.evidence == "full"):
                show_indented(screen, Text(text, style="dim"), 4)


def _licences(arguments: argparse.Namespace, network: Network, chosen: Filter) -> int:
    """Show the licences along the ancestry and what they hand down."""
    from kg.lineage.licences import report

    found = report(network, network.find(arguments.name).id, chosen)
    if _as_json(arguments):
        _emit_json(arguments, msgspec.to_builtins(found), [found.advice])
        return 0
    _print_licences(network, found)
    return 0


def _print_licences(network: Network, found: Report) -> None:
    from rich.text import Text

    from kg.lineage.text import show_indented

    screen = console()
    name = network.name(found.root)
    own = ", ".join(f"{o.value} ({o.document or 'terms of its maker'})" for o in found.own)
    show_indented(screen, Text(f"{name}: licence {own or 'not stated here'}", style="bold"), 2, 0)
    for node, licences in found.members:
        said = ", ".join(f"{o.value} ({o.document or 'terms of its maker'})" for o in licences)
        if said:
            show_indented(screen, Text(f"member   {network.name(node)}: {said}"), 11, 2)
    silent = sum(not licences for _, licences in found.members)
    if found.members:
        words = f"a family: what is handed down is a matter of each member; {silent:,} of"
        words += f" {len(found.members):,} members state no licence here"
        show_indented(screen, Text(words, style="yellow"), 4, 2)
    for node, strand, licences, _ in found.ancestors:
        said = ", ".join(
            f"{o.value} ({o.document or 'terms of its maker'})"
            + ("" if o.licence else ", not in our table")
            for o in licences
        )
        line = Text(f"  {strand:8} {network.name(node)}: ")
        line.append(said or "unknown", style="" if said else "yellow")
        show_indented(screen, line, 11, 0)
    styles = {"conflict": "bold red", "review": "bold yellow", "info": "dim"}
    for flag in found.flags:
        line = Text(f"{flag.level:8} ", style=styles[flag.level])
        way = " < ".join(network.name(node) for node in reversed(flag.path))
        clause = f", {flag.clause}" if flag.clause else ""
        line.append(f"{flag.topic}: {flag.words}", style="default")
        line.append(f" [{flag.licence}{clause}]", style="cyan")
        if flag.why:
            line.append(f"; {flag.why}", style="default")
        line.append(f"\nby way of {flag.strand}: {way}\n{flag.url}", style="dim")
        show_indented(screen, line, 9, 0)
    if found.unknown:
        unknown = ", ".join(network.name(node) for node in found.unknown)
        screen.print(Text(f"unknown stays unknown: {unknown}", style="yellow"))
    screen.print(Text(found.advice, style="dim"))
