"""A lineage as text for other tools: JSON, Mermaid, Graphviz DOT, and a CycloneDX ML-BOM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from kg import __version__, schema
from kg.lineage.licences import Flag, Stated, held, report, within
from kg.lineage.network import FAMILY, TRAINING, Hop, Network
from kg.lineage.tree import Lineage, Step
from kg.values import BASE, Entity, Evidence

#: Mermaid's renderers stop at 500 edges and 50,000 characters; we stay below both.
MERMAID_EDGES: Final = 400
MERMAID_CHARACTERS: Final = 45_000
_SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_SHAPES: Final = {
    "Model": ("[", "]"),
    "Dataset": ("[(", ")]"),
    "Benchmark": ("{{", "}}"),
}
_COLOURS: Final = {"weights": "#0072B2", "knowledge": "#CC79A7", "data": "#009E73"}


def label(relation: str) -> str:
    """Return a relation as people read it."""
    known = schema.relations().get(relation)
    return known.label if known is not None else relation


def colour(relation: str) -> str:
    """Return the colour of what the relation hands down (Okabe and Ito's, safe for all eyes)."""
    known = schema.relations().get(relation)
    return _COLOURS.get((known.strand if known is not None else None) or "", "#555555")


def said(evidence: Evidence) -> str:
    """Return what speaks for an edge: its sentence; of what is inferred, from what.

    The sentence of an inferred edge only holds the name, and says nothing of the edge.
    """
    if evidence.premises:
        return "because " + " and ".join(evidence.premises)
    if evidence.kind == "inferred":
        return f"by its name ({evidence.rule})"
    return " ".join(evidence.sentence.split())


# ---------------------------------------------------------------- JSON


def as_data(lineage: Lineage) -> dict[str, Any]:
    """Return the lineage as plain values: the tree, each hop with all its evidence."""
    return {
        "root": _entity(lineage.network, lineage.root.id),
        "families": [_step(lineage, step) for step in lineage.families],
        "up": [_step(lineage, step) for step in lineage.up],
        "down": [_step(lineage, step) for step in lineage.down],
        "members": [_step(lineage, step) for step in lineage.members],
        "gaps": list(lineage.gaps),
        "coverage": {
            "hops": lineage.coverage.hops,
            "evidenced": lineage.coverage.evidenced,
            "inferred": lineage.coverage.inferred,
            "gaps": lineage.coverage.gaps,
        },
        "left_out": lineage.cut,
    }


def _entity(network: Network, id_: str) -> dict[str, Any]:
    entity = network.entities.get(id_)
    if entity is None:
        return {"id": id_, "name": id_}
    licences = [{"value": one.value, "document": one.document} for one in held(entity)]
    return {
        "id": id_,
        "name": entity.name,
        "type": entity.type,
        "repositories": list(entity.repositories),
        "licences": licences,
        "documents": len(entity.mentioned_in),
    }


def _step(lineage: Lineage, step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {"entity": _entity(lineage.network, step.entity)}
    if step.hop is not None:
        data |= {
            "relation": step.hop.relation,
            "subject": step.hop.subject,
            "object": step.hop.object,
            "kind": step.hop.kind,
            "confidence": step.hop.confidence,
            "status": step.hop.status,
            "evidence": msgspec.to_builtins(lineage.edge(step.hop).evidence),
        }
    if step.mark:
        data |= {"mark": step.mark, "note": step.note}
    data["children"] = [_step(lineage, child) for child in step.children]
    return data


# ---------------------------------------------------------------- Mermaid


def as_mermaid(lineage: Lineage) -> tuple[str, str]:
    """Return a Mermaid flowchart, and a notice where it had to be cut (else an empty text).

    Arrows point from child to parent; dashed ones are inferred, dotted ones are families.
    """
    hops = lineage.hops()
    order = _distance(lineage)
    hops.sort(key=lambda hop: (max(order.get(hop.subject, 99), order.get(hop.object, 99)), hop.key))
    kept = hops[:MERMAID_EDGES]
    while True:
        text = _mermaid(lineage, kept)
        if len(text) <= MERMAID_CHARACTERS or len(kept) <= 1:
            break
        kept = kept[: len(kept) * 9 // 10]
    if len(kept) == len(hops):
        return text, ""
    notice = (
        f"Mermaid renders no more than {MERMAID_EDGES} edges well:"
        f" the nearest {len(kept)} of {len(hops)} are shown; --depth or --folded show less"
    )
    return text, notice


def _mermaid(lineage: Lineage, hops: list[Hop]) -> str:
    network = lineage.network
    ids = dict.fromkeys(
        [lineage.root.id, *(end for hop in hops for end in (hop.subject, hop.object))]
    )
    names = {id_: f"n{place}" for place, id_ in enumerate(ids)}
    lines = ["flowchart BT"]
    for id_, short in names.items():
        entity = network.entities.get(id_)
        opening, closing = _SHAPES.get(entity.type if entity else "Model", ("(", ")"))
        lines.append(f'  {short}{opening}"{_mermaid_text(network.name(id_))}"{closing}')
    styles: list[str] = []
    for place, hop in enumerate(hops):
        arrow = "-.->" if hop.kind == "inferred" or hop.relation == FAMILY else "-->"
        words = _mermaid_text(label(hop.relation))
        lines.append(f'  {names[hop.subject]} {arrow}|"{words}"| {names[hop.object]}')
        styles.append(f"  linkStyle {place} stroke:{colour(hop.relation)}")
    lines += styles
    lines.append(f"  style {names[lineage.root.id]} stroke-width:3px")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Return ``text`` so that it can stand between quotes: what has a meaning becomes a code."""
    return "".join(
        c if c.isalnum() or c in " .-_+/:,()" else f"#{ord(c)};" for c in " ".join(text.split())
    )


def _distance(lineage: Lineage) -> dict[str, int]:
    found = {lineage.root.id: 0}

    def visit(steps: Iterable[Step], level: int) -> None:
        for step in steps:
            found.setdefault(step.entity, level)
            found[step.entity] = min(found[step.entity], level)
            visit(step.children, level + 1)

    visit((*lineage.up, *lineage.down, *lineage.members, *lineage.families), 1)
    return found


# ---------------------------------------------------------------- DOT


def as_dot(lineage: Lineage) -> str:
    """Return a Graphviz digraph; arrows point from child to parent, what says so is a tooltip."""
    network = lineage.network
    lines = [
        "digraph lineage {",
        "  rankdir=BT;",
        '  node [shape=box, fontname="Helvetica", style="rounded"];',
        '  edge [fontname="Helvetica", fontsize=10];',
    ]
    shapes = {"Dataset": "cylinder", "Benchmark": "hexagon", "Model": "box"}
    for id_ in lineage.entities():
        entity = network.entities.get(id_)
        kind = entity.type if entity else "Model"
        bold = ", penwidth=3" if id_ == lineage.root.id else ""
        lines.append(
            f"  {_quoted(id_)} [label={_quoted(network.name(id_))},"
            f" shape={shapes.get(kind, 'ellipse')}{bold}];"
        )
    for hop in lineage.hops():
        style = "dashed" if hop.kind == "inferred" else "solid"
        style = "dotted" if hop.relation == FAMILY else style
        lines.append(
            f"  {_quoted(hop.subject)} -> {_quoted(hop.object)}"
            f" [label={_quoted(label(hop.relation))}, style={style},"
            f" color={_quoted(colour(hop.relation))},"
            f" tooltip={_quoted(said(lineage.edge(hop).best))}];"
        )
    lines.append("}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


# ---------------------------------------------------------------- CycloneDX


def as_cyclonedx(lineage: Lineage) -> dict[str, Any]:
    """Return a CycloneDX 1.6 ML-BOM of the root: ancestors as pedigree, data as components.

    Every reference resolves inside the BOM.  Licences without an SPDX id stand by name, and one
    that is not known is said to be unknown; the root carries the flags on what comes down to it.
    """
    network = lineage.network
    inside = [id_ for id_ in lineage.entities() if id_ != lineage.root.id]
    up_hops: dict[str, list[Hop]] = {}
    for hop in lineage.hops():
        if hop.relation != FAMILY:
            up_hops.setdefault(hop.subject, []).append(hop)
    components = [_component(lineage, id_, up_hops) for id_ in inside]
    dependencies = []
    for id_ in [lineage.root.id, *inside]:
        parents = sorted({hop.object for hop in up_hops.get(id_, ())})
        dependencies.append({"ref": id_, **({"dependsOn": parents} if parents else {})})
    root = _component(lineage, lineage.root.id, up_hops, network.tested_on)
    found = within(report(network, lineage.root.id), lineage.entities())
    flags = [{"name": "mlkg:licence-flag", "value": _flag(network, one)} for one in found.flags]
    if flags:
        root["properties"] = [*root.get("properties", ()), *flags]
    tool = {"type": "application", "name": "kg", "version": __version__}
    return {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [tool]},
            "component": root,
        },
        "components": components,
        "dependencies": dependencies,
    }


def _component(
    lineage: Lineage, id_: str, up_hops: Mapping[str, list[Hop]], tested: Any = None
) -> dict[str, Any]:
    network = lineage.network
    entity = network.entities.get(id_)
    hops = up_hops.get(id_, [])
    component: dict[str, Any] = {**_named(network, id_), "bom-ref": id_}
    if entity is not None:
        licences = held(entity)
        component |= _licences(licences)
        if all(one.licence is None for one in licences):
            component["properties"] = [{"name": "mlkg:licence", "value": "unknown"}]
        references = [
            {"type": "distribution", "url": f"{schema.PREFIXES['hf']}{_hub(entity, repository)}"}
            for repository in entity.repositories
        ]
        references.append({"type": "website", "url": BASE + id_})
        component["externalReferences"] = references
    ancestors = [hop for hop in hops if hop.relation != TRAINING]
    if ancestors:
        component["pedigree"] = {
            "ancestors": [_ancestor(lineage, hop) for hop in ancestors],
            "notes": "; ".join(
                f"{label(hop.relation)} {network.name(hop.object)} ({hop.kind})"
                for hop in ancestors
            ),
        }
    if component["type"] == "machine-learning-model":
        card: dict[str, Any] = {}
        data = [{"ref": hop.object} for hop in hops if hop.relation == TRAINING]
        if data:
            card["modelParameters"] = {"datasets": data}
        scores = _scores(network, id_) if tested is not None else []
        if scores:
            card["quantitativeAnalysis"] = {"performanceMetrics": scores}
        if card:
            component["modelCard"] = card
    else:
        component["data"] = [{"type": "dataset", "name": component["name"]}]
    return component


def _named(network: Network, id_: str) -> dict[str, Any]:
    entity = network.entities.get(id_)
    is_model = entity is None or entity.type == "Model"
    named: dict[str, Any] = {
        "type": "machine-learning-model" if is_model else "data",
        "name": network.name(id_),
    }
    if entity is not None and len(entity.repositories) == 1:
        named["group"] = entity.repositories[0].partition("/")[0]
    return named


def _ancestor(lineage: Lineage, hop: Hop) -> dict[str, Any]:
    evidence = lineage.edge(hop).best
    properties = [
        ("mlkg:ref", hop.object),
        ("mlkg:relation", hop.relation),
        ("mlkg:kind", hop.kind),
        ("mlkg:confidence", str(hop.confidence)),
        ("mlkg:document", evidence.document),
        ("mlkg:reason" if evidence.kind == "inferred" else "mlkg:sentence", said(evidence)),
    ]
    return {
        **_named(lineage.network, hop.object),
        "properties": [{"name": name, "value": value} for name, value in properties],
    }


def _flag(network: Network, flag: Flag) -> str:
    way = " < ".join(network.name(node) for node in reversed(flag.path))
    return f"{flag}; by way of {flag.strand}: {way}; {flag.url}"


def _licences(found: Iterable[Stated]) -> dict[str, Any]:
    choices: dict[str, dict[str, Any]] = {}
    for one in found:
        if one.licence is not None and one.licence.spdx:
            choice = {"id": one.licence.spdx}
        elif one.licence is not None:
            choice = {"name": one.licence.title, "url": one.licence.url.replace(" ", "%20")}
        else:
            choice = {"name": one.value}
        # What a document states is declared; what a name tells is our conclusion.
        choice["acknowledgement"] = "declared" if one.document else "concluded"
        choices[one.value] = {"license": choice}
    return {"licenses": [choices[value] for value in sorted(choices)]} if choices else {}


def _hub(entity: Entity, repository: str) -> str:
    return repository if entity.type == "Model" else f"datasets/{repository}"


def _scores(network: Network, id_: str) -> list[dict[str, Any]]:
    scores = []
    for result in network.graph.results:
        if result.subject == id_ and result.status == "accepted":
            metric = network.name(result.metric) if result.metric else "score"
            score = {"type": metric, "value": result.value}
            if result.on:
                score["slice"] = network.name(result.on)
            scores.append(score)
    return scores
