"""Other vocabularies, and which of our statements they can say: ``ontology/alignments.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from kg.errors import NotFound
from kg.exporters.rdf.terms import Iri
from kg.resources import ontology


@dataclass(frozen=True, slots=True)
class Alignment:
    """How one other vocabulary says what we say."""

    classes: Mapping[str, Iri]
    #: ``(relation, head type, tail type) -> property``.
    relations: Mapping[tuple[str, str, str], Iri]
    #: The property that names things, or ``None``.
    name: Iri | None


@lru_cache(maxsize=1)
def alignments() -> Mapping[str, Alignment]:
    """Return the alignments of ``ontology/alignments.toml`` by name."""
    data = tomllib.loads(ontology("alignments.toml").read_text(encoding="utf-8"))
    found: dict[str, Alignment] = {}
    for name, section in data.items():
        relations: dict[tuple[str, str, str], Iri] = {}
        for relation, value in section["relations"].items():
            for pair in value["between"]:
                head, tail = pair.split()
                relations[relation, head, tail] = Iri(value["iri"])
        classes = {label: Iri(iri) for label, iri in section["classes"].items()}
        found[name] = Alignment(
            classes, relations, Iri(section["name"]) if "name" in section else None
        )
    return MappingProxyType(found)


def choose(also: Iterable[str]) -> tuple[tuple[Alignment, ...], bool]:
    """Return the alignments asked for, and whether what follows is asked for too."""
    names = list(also)
    known = [*alignments(), "inferred"]
    for name in names:
        if name not in known:
            raise NotFound(f"no vocabulary for --also is called {name!r}", nearest=known)
    chosen = tuple(alignments()[name] for name in alignments() if name in names)
    return chosen, "inferred" in names
