"""Read documents: names, then what cards declare, then edges and scores.

This is the whole way from a text to a :class:`kg.values.Reading`.  spaCy users get the same
through the components of :mod:`kg.ner.components` and :mod:`kg.pipeline.components`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from kg import linker, ner, resources
from kg.linker import cards, link
from kg.ner import Gear, entities_of
from kg.values import Document, LocalEdge, LocalEntity, Reading

T = TypeVar("T")

#: What decides a reading besides the packages that read: all that they import, wherever from, and
#: the tables of ``ontology/`` that they ask for.  A test holds both lists.
_MODULES: Final = (
    *("errors.py", "names.py", "resources.py", "schema.py", "text.py", "values.py", "weights.py"),
    *("pipeline/reading.py", "readers/frontmatter.py", "readers/source.py"),
)
_DATA: Final = ("lexicon", "names.toml", "model_names.toml", "cues.toml", "cards.toml", "mlkg.ttl")


def read(documents: Iterable[Document], *, gear: Gear = "fast") -> Iterator[Reading]:
    """Yield the reading of each document, in their order.

    A reading depends on its document and the gear alone, never on its neighbours.
    """
    for batch in batches(documents):
        for document, entities in zip(batch, entities_of(batch, gear=gear), strict=True):
            yield relate(document, entities)


def relate(document: Document, entities: tuple[LocalEntity, ...]) -> Reading:
    """Return the reading of a document whose names are known.

    What a card declares comes first, so that "this model" in its prose is the model it describes.
    """
    if not document.kind.endswith("card"):
        edges, results = link(document, entities)
        return Reading(document, entities, edges, results)
    known, declared, scores = cards.link_card(document, entities)
    read_edges, results = link(document, known)
    edges = cards.corrected(document, declared, read_edges)
    return Reading(document, known, _merged((*declared, *edges)), (*scores, *results))


def _merged(edges: Iterable[LocalEdge]) -> tuple[LocalEdge, ...]:
    """Return one edge a statement, with the evidence of all, sorted."""
    by_key: dict[tuple[str, str, str], LocalEdge] = {}
    for edge in edges:
        key = (edge.head, edge.relation, edge.tail)
        known = by_key.get(key)
        evidence = (*known.evidence, *edge.evidence) if known else edge.evidence
        by_key[key] = LocalEdge(*key, tuple(dict.fromkeys(evidence)))
    return tuple(by_key[key] for key in sorted(by_key))


@cache
def version(gear: Gear = "fast") -> str:
    """Return a hash of all that decides a reading: weights, lexicon, cues and code.

    The weights are in it by the manifests, without whose hashes none of them is read.
    """
    digest = hashlib.sha256(gear.encode())
    paths = [resources.PACKAGE / module for module in _MODULES]
    for package in (ner, linker):
        home = Path(package.__file__ or "").parent
        paths += [*sorted(home.glob("*.py")), home / "weights" / "manifest.json"]
    for name in _DATA:
        path = resources.ontology(name)
        paths += sorted(path.glob("*.tsv")) if path.is_dir() else [path]
    for path in paths:
        digest.update(path.name.encode())
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def batches(items: Iterable[T], size: int = 64) -> Iterator[list[T]]:
    """Yield ``items`` in lists of at most ``size``."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
