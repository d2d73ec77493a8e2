"""The ontology as values: relations, classes and properties, read from ``ontology/mlkg.ttl``.

A relation is a property with ``mlkg:admits``: extractors may assert it between those types.
Everything else about it (its place in the hierarchy, its inverse, what it hands down) is asked
of the ontology too, so that a relation added there is known everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

import pyoxigraph as ox

from kg.resources import ontology
from kg.values import BASE, LABELS

NAMESPACE: Final = f"{BASE}ontology#"

#: What every query may use without declaring it, and what our files declare where they use it.
PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mlkg": NAMESPACE,
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "prov": "http://www.w3.org/ns/prov#",
        "dcterms": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "schema": "https://schema.org/",
        "nif": "http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#",
        "void": "http://rdfs.org/ns/void#",
        "sh": "http://www.w3.org/ns/shacl#",
        "np": "http://www.nanopub.org/nschema#",
        "fair4ml": "https://w3id.org/fair4ml#",
        "it6": "http://data.europa.eu/it6/",
        "hf": "https://huggingface.co/",
        "arxiv": "https://arxiv.org/abs/",
        # Entities and documents, under the base that is used unless another is chosen.
        **{kind: f"{BASE}{kind}/" for kind in (*map(str.lower, LABELS), "doc")},
    }
)

#: The longest first: of several that fit, it says most.
_NAMESPACES: Final = sorted(PREFIXES.items(), key=lambda item: -len(item[1]))
#: What may stand behind a prefix without being escaped: documents have a colon, or ``%2F``.
LOCAL: Final = re.compile(r"(?:[\w.:\-]|%[0-9A-Fa-f]{2})+")

_RDF: Final = PREFIXES["rdf"]
_RDFS: Final = PREFIXES["rdfs"]
_OWL: Final = PREFIXES["owl"]
_SKOS: Final = PREFIXES["skos"]
_ROOT: Final = "hasAncestor"

_Node: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def curie(iri: str) -> str:
    """Return ``iri`` with a prefix where one fits, else the IRI itself."""
    for prefix, namespace in _NAMESPACES:
        if iri.startswith(namespace) and LOCAL.fullmatch(iri, len(namespace)):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that may be asserted between two entities."""

    #: The local name: ``fineTunedFrom``.
    name: str
    #: As people read it: ``fine-tuned from``.
    label: str
    #: Which types it may stand between, ``(head, tail)``.
    pairs: frozenset[tuple[str, str]]
    #: All relations above it, nearest first.
    ancestors: tuple[str, ...]
    symmetric: bool
    #: Whether it is a step from a thing to what it descends from.
    lineage: bool
    #: What is handed down: ``weights``, ``knowledge`` or ``data``; ``None`` where that is open.
    strand: str | None

    @property
    def iri(self) -> str:
        """The relation's IRI."""
        return NAMESPACE + self.name

    def admits(self, head: str, tail: str) -> bool:
        """Whether the relation may stand between an entity of type ``head`` and one of ``tail``."""
        return (head, tail) in self.pairs


@dataclass(frozen=True, slots=True)
class Term:
    """A class, property or individual of the ontology, as documentation shows it."""

    name: str
    #: ``class``, ``object property``, ``datatype property``, ``annotation property``,
    #: ``individual``.
    kind: str
    label: str
    definition: str
    example: str
    #: Names of the classes or properties directly above; full IRIs where they are not ours.
    parents: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    range: tuple[str, ...] = ()
    inverse: str | None = None
    #: ``(how, IRI)`` of the terms of other vocabularies it is aligned with.
    matches: tuple[tuple[str, str], ...] = ()
    #: ``transitive``, ``symmetric``, ``functional``, ``asymmetric``, ``irreflexive``.
    traits: tuple[str, ...] = ()

    @property
    def iri(self) -> str:
        """The term's IRI."""
        return NAMESPACE + self.name


@lru_cache(maxsize=1)
def _store() -> ox.Store:
    store = ox.Store()
    store.load(path=str(ontology("mlkg.ttl")), format=ox.RdfFormat.TURTLE)
    return store


def _objects(subject: ox.NamedNode | ox.BlankNode, iri: str) -> list[_Node]:
    quads = _store().quads_for_pattern(subject, ox.NamedNode(iri), None)
    return sorted((quad.object for quad in quads), key=str)


def _texts(subject: ox.NamedNode, iri: str) -> list[str]:
    return [term.value for term in _objects(subject, iri) if isinstance(term, ox.Literal)]


def _text(subject: ox.NamedNode, iri: str) -> str:
    return next(iter(_texts(subject, iri)), "")


def _local(term: _Node) -> str:
    value = term.value if isinstance(term, ox.NamedNode) else str(term)
    return value.removeprefix(NAMESPACE)


def _subjects(kind: str) -> list[ox.NamedNode]:
    quads = _store().quads_for_pattern(None, ox.NamedNode(_RDF + "type"), ox.NamedNode(kind))
    ours = {
        quad.subject
        for quad in quads
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(NAMESPACE)
    }
    return sorted(ours, key=lambda node: node.value)


def _above(node: ox.NamedNode) -> list[ox.NamedNode]:
    parents = _objects(node, _RDFS + "subPropertyOf")
    return [
        parent
        for parent in parents
        if isinstance(parent, ox.NamedNode) and parent.value.startswith(NAMESPACE)
    ]


def _ancestors(node: ox.NamedNode) -> tuple[str, ...]:
    """Return the names of all properties of ours above ``node``, nearest first."""
    found: list[str] = []
    level = _above(node)
    while level:
        found += [name for parent in level if (name := _local(parent)) not in found]
        level = [above for parent in level for above in _above(parent)]
    return tuple(found)


@lru_cache(maxsize=1)
def relations() -> Mapping[str, Relation]:
    """Return the relations that may be asserted, by name, in alphabetical order."""
    found: dict[str, Relation] = {}
    for node in _subjects(_OWL + "ObjectProperty"):
        admitted = _texts(node, NAMESPACE + "admits")
        if not admitted:
            continue
        kinds = {_local(kind) for kind in _objects(node, _RDF + "type")}
        above = _ancestors(node)
        name = _local(node)
        pairs = [pair.split() for pair in admitted]
        found[name] = Relation(
            name=name,
            label=_text(node, _RDFS + "label"),
            pairs=frozenset((head, tail) for head, tail in pairs),
            ancestors=above,
            symmetric=_OWL + "SymmetricProperty" in kinds,
            lineage=_ROOT in above,
            strand=_text(node, NAMESPACE + "strand") or None,
        )
    return MappingProxyType(found)


_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Class": "class",
        "ObjectProperty": "object property",
        "DatatypeProperty": "datatype property",
        "AnnotationProperty": "annotation property",
        "NamedIndividual": "individual",
    }
)
_TRAITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TransitiveProperty": "transitive",
        "SymmetricProperty": "symmetric",
        "AsymmetricProperty": "asymmetric",
        "IrreflexiveProperty": "irreflexive",
        "FunctionalProperty": "functional",
    }
)


def _members(head: _Node) -> list[str]:
    """Return the names in the RDF list that begins at ``head``."""
    names: list[str] = []
    while isinstance(head, ox.BlankNode):
        names += [_local(first) for first in _objects(head, _RDF + "first")]
        rest = _objects(head, _RDF + "rest")
        head = rest[0] if rest else ox.NamedNode(_RDF + "nil")
    return names


def _ends(node: ox.NamedNode, iri: str) -> tuple[str, ...]:
    """Return the classes that a domain or range consists of, a union taken apart."""
    names: list[str] = []
    for end in _objects(node, iri):
        if isinstance(end, ox.BlankNode):
            for union in _objects(end, _OWL + "unionOf"):
                names += _members(union)
        else:
            names.append(_local(end))
    return tuple(names)


@lru_cache(maxsize=1)
def terms() -> Mapping[str, Term]:
    """Return every term of the ontology by name: classes, then properties, then individuals."""
    found: dict[str, Term] = {}
    for owl_kind, kind in _KINDS.items():
        for node in _subjects(_OWL + owl_kind):
            above = "subClassOf" if kind == "class" else "subPropertyOf"
            kinds = {_local(term).removeprefix(_OWL) for term in _objects(node, _RDF + "type")}
            own = [
                _local(term)
                for term in _objects(node, _RDF + "type")
                if isinstance(term, ox.NamedNode) and term.value.startswith(NAMESPACE)
            ]
            inverses = _objects(node, _OWL + "inverseOf")
            found[_local(node)] = Term(
                name=_local(node),
                kind=kind,
                label=_text(node, _RDFS + "label"),
                definition=_text(node, _SKOS + "definition"),
                example=_text(node, _SKOS + "example"),
                parents=tuple(map(_local, _objects(node, _RDFS + above))) + tuple(own),
                domain=_ends(node, _RDFS + "domain"),
                range=_ends(node, _RDFS + "range"),
                inverse=_local(inverses[0]) if inverses else None,
                matches=tuple(
                    (how, _local(term))
                    for how in ("exactMatch", "closeMatch")
                    for term in _objects(node, _SKOS + how)
                ),
                traits=tuple(trait for owl, trait in _TRAITS.items() if owl in kinds),
            )
    return MappingProxyType(found)


def instead(name: str) -> str:
    """Return how to ask for what the property ``name`` says, where no graph holds it by itself.

    That is so of inverses, of groups of relations, and of what is only written on request; of all
    others return an empty text.
    """
    term = terms().get(name)
    if term is None or "property" not in term.kind or name in relations():
        return ""
    if term.definition.startswith("Inverse of") and term.inverse:
        hint = f"mlkg:{name} is never written: ask ?y mlkg:{term.inverse} ?x"
        further = instead(term.inverse)
        return f"{hint}; {further}" if further else hint
    on_request = "kg export --also inferred writes it" if _ROOT in (name, *term.parents) else ""
    below = [f"mlkg:{one.name}" for one in relations().values() if name in one.ancestors]
    path = f"ask ?x ({'|'.join(below)}) ?y" if below else ""
    remedy = "; ".join(filter(None, (path, on_request)))
    return f"mlkg:{name} is not written by itself: {remedy}" if remedy else ""


def version() -> str:
    """Return the ontology's version."""
    return _text(ox.NamedNode(NAMESPACE.removesuffix("#")), _OWL + "versionInfo")
