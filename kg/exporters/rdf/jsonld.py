"""JSON-LD 1.1: a context, and a node object for each subject."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from kg import schema
from kg.exporters import BASE
from kg.exporters.rdf.blocks import Block
from kg.exporters.rdf.content import believed
from kg.exporters.rdf.terms import (
    CLOSE_MATCH,
    DATE,
    GENERATED,
    MLKG,
    OBJECT,
    PAGE,
    PREDICATE,
    PREFIXES,
    RDF_TYPE,
    SAME_AS,
    SUBJECT,
    Iri,
    Term,
    checked_base,
)
from kg.exporters.rdf.turtle import Shortener, prefixes
from kg.values import GraphView


def jsonld_context(base: str = BASE) -> dict[str, Any]:
    """Return the JSON-LD context of our files: terms without prefix are those of our ontology."""
    coerced: dict[str, Any] = {}
    for item in schema.terms().values():
        if item.kind == "object property":
            coerced[item.name] = {"@type": "@id"}
        elif item.range == (PREFIXES["xsd"] + "decimal",):
            coerced[item.name] = {"@type": f"{PREFIXES['xsd']}decimal"}
    for iri in (SAME_AS, CLOSE_MATCH, PAGE, SUBJECT, PREDICATE, OBJECT, GENERATED):
        coerced[curie(iri)] = {"@id": iri, "@type": "@id"}
    coerced[curie(DATE)] = {"@id": DATE, "@type": f"{PREFIXES['xsd']}gYear"}
    return {"@vocab": MLKG, **prefixes(base), **dict(sorted(coerced.items()))}


@lru_cache(maxsize=4096)
def curie(iri: str) -> str:
    """Return the key of a property in our JSON-LD."""
    return schema.curie(iri).removeprefix("mlkg:")


def jsonld_node(block: Block, base: str = BASE) -> dict[str, Any]:
    """Return ``block`` as a node object under the context that belongs to ``base``."""
    shortener = Shortener(base)
    node: dict[str, Any] = {"@id": shortener.short(block.subject) or str(block.subject)}
    for predicate, objects in block.pairs:
        key = "@type" if predicate == RDF_TYPE else curie(predicate)
        values = [_json_value(key, value, shortener) for value in objects]
        node[key] = values[0] if len(values) == 1 else values
    return node


def _json_value(key: str, value: Term, shortener: Shortener) -> Any:
    if isinstance(value, Iri):
        if key == "@type":
            return curie(value)
        short = shortener.short(value) or str(value)
        return short if key in _object_keys() else {"@id": short}
    if value.datatype == "integer":
        return int(value.value)
    if value.datatype == "boolean":
        return value.value == "true"
    # Decimals and years get their datatype from the context.
    return value.value


@lru_cache(maxsize=1)
def _object_keys() -> frozenset[str]:
    context = jsonld_context()
    return frozenset(
        key
        for key, value in context.items()
        if isinstance(value, Mapping) and value.get("@type") == "@id"
    )


def write_jsonld(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write what is believed as JSON-LD 1.1: a context, and a node object a line."""
    base = checked_base(base)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        context = json.dumps(jsonld_context(base), ensure_ascii=False, indent=1)
        file.write(f'{{"@context": {context},\n"@graph": [')
        separator = "\n"
        for block in believed(graph, base, also):
            file.write(separator + json.dumps(jsonld_node(block, base), ensure_ascii=False))
            separator = ",\n"
        file.write("\n]}\n")
