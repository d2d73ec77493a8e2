"""Write a graph as RDF: what is believed, and why.

Two named graphs: ``graph/statements`` holds entities, scores and accepted edges as plain triples
(``graph.ttl``); ``graph/provenance`` holds an assertion per edge of any status, its evidence, and
the documents (``provenance.ttl``).  ``graph.nq`` and TriG hold both; N-Triples and RDF/XML the
union.  On request (``also=("inferred",)``) ``graph/inferred`` holds what follows.

Everything is written as it is read: memory does not grow with the graph.  Whatever the input
says, only well-formed IRIs and literals come out: identifiers are percent-encoded, characters
that no XML document may hold become U+FFFD (one for one, so that offsets still count).  IRIs of
assertions, evidence and scores are hashes of their content, so that the same statement has the
same name in every run; there are no blank nodes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from kg import schema
from kg.errors import NotFound, UsageError
from kg.exporters import BASE
from kg.resources import ontology
from kg.values import LABELS, Document, Edge, Entity, Evidence, GraphView, Result

if TYPE_CHECKING:
    import rdflib

MLKG: Final = schema.NAMESPACE
_P: Final = schema.PREFIXES
_TYPE: Final = _P["rdf"] + "type"
_LABEL: Final = _P["rdfs"] + "label"

STATEMENTS: Final = "graph/statements"
PROVENANCE: Final = "graph/provenance"
INFERRED: Final = "graph/inferred"

#: A document's kind, and the class it has besides ``mlkg:Document``.
_DOCUMENT_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {"paper": "Paper", "model-card": "ModelCard", "dataset-card": "DatasetCard", "text": "Text"}
)
_UNRESERVED: Final = "-._~"
_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOCAL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])?")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.\-]*(?:/[A-Za-z0-9][\w.\-]*)?", re.ASCII)
_DECIMAL: Final = re.compile(r"([+-]?)0*(\d+)(?:\.(\d*?)0*)?", re.ASCII)


class Iri(str):
    """An absolute, well-formed IRI."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal: its characters, and the local name of its XML Schema datatype."""

    value: str
    datatype: str = "string"


Term = Iri | Literal


class Block(NamedTuple):
    """All that one named graph says of one subject at one place in the file."""

    #: ``graph/statements``, ``graph/provenance`` or ``graph/inferred``.
    graph: str
    subject: Iri
    #: ``(predicate, objects)`` in the order in which they are written.
    pairs: tuple[tuple[Iri, tuple[Term, ...]], ...]


# --- terms -------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """Return ``text`` with each character that XML forbids replaced by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def text_literal(text: str) -> Literal:
    """Return ``text`` as a plain literal that every RDF syntax can carry."""
    return Literal(clean(text))


def decimal_literal(number: float) -> Literal:
    """Return ``number`` as an ``xsd:decimal`` of at most six places."""
    return Literal(_canonical_decimal(f"{number:.6f}") or "0.0", "decimal")


def _canonical_decimal(numeral: str) -> str:
    """Return a decimal numeral with one digit or more on either side of the point, else ``""``."""
    match = _DECIMAL.fullmatch(numeral.strip())
    if not match:
        return ""
    sign, whole, fraction = match.groups()
    digits = f"{whole}.{fraction or '0'}"
    return f"-{digits}" if sign == "-" and digits.strip("0.") else digits


def integer_literal(number: int) -> Literal:
    """Return ``number`` as an ``xsd:integer``."""
    return Literal(str(number), "integer")


_TRUE: Final = Literal("true", "boolean")


@lru_cache(maxsize=4096)
def term(name: str) -> Iri:
    """Return the IRI of the term of our ontology called ``name``."""
    return Iri(MLKG + _encoded(name))


def _encoded(part: str, safe: str = "") -> str:
    encoded = quote(part, safe=_UNRESERVED + safe, errors="surrogatepass")
    # A segment of dots alone would be resolved away by whoever follows the IRI.
    return encoded.replace(".", "%2E") if encoded.strip(".") == "" else encoded


def entity_iri(identifier: str, base: str = BASE) -> Iri:
    """Return the IRI of the entity with that id."""
    return Iri(base + "/".join(_encoded(part) for part in identifier.split("/")))


def document_iri(identifier: str, base: str = BASE) -> Iri:
    """Return the IRI of the document with that id."""
    return Iri(f"{base}doc/{_encoded(identifier, ':')}")


def _digest(*parts: object) -> str:
    joined = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:16]


def assertion_iri(subject: str, relation: str, object: str, base: str = BASE) -> Iri:
    """Return the IRI of the assertion of that statement, which is a hash of it."""
    return Iri(f"{base}assertion/{_digest(subject, relation, object)}")


def result_iri(result: Result, base: str = BASE) -> Iri:
    """Return the IRI of a score, which is a hash of its content."""
    key = _digest(result.subject, result.on or "", result.metric or "", result.value)
    return Iri(f"{base}result/{key}")


def evidence_iri(of: str, evidence: Evidence, base: str = BASE) -> Iri:
    """Return the IRI of one reading of the statement ``of``, which is a hash of its content."""
    key = _digest(
        of,
        evidence.document,
        evidence.field,
        evidence.span.start,
        evidence.span.end,
        evidence.kind,
        evidence.extractor,
        evidence.rule,
        evidence.subject,
        evidence.object,
        evidence.negated,
        evidence.premises,
    )
    return Iri(f"{base}evidence/{key}")


def well_formed(iri: str) -> bool:
    """Whether ``iri`` is an absolute IRI by RFC 3987."""
    try:
        ox.NamedNode(iri)
    except ValueError:
        return False
    return True


def checked_base(base: str) -> str:
    """Return ``base`` ready to be prolonged; raise :class:`UsageError` where it is no IRI."""
    closed = base if base.endswith(("/", "#")) else base + "/"
    if not well_formed(closed):
        raise UsageError(f"--base-iri {base!r} is no absolute IRI; give one like {BASE}")
    return closed


# --- what is said ------------------------------------------------------------------------------


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


def _chosen(also: Iterable[str]) -> tuple[tuple[Alignment, ...], bool]:
    """Return the alignments asked for, and whether what follows is asked for too."""
    names = list(also)
    known = [*alignments(), "inferred"]
    for name in names:
        if name not in known:
            raise NotFound("vocabulary for --also", name, known)
    chosen = tuple(alignments()[name] for name in alignments() if name in names)
    return chosen, "inferred" in names


class _Pairs:
    """Predicates with their objects, gathered for one subject; each triple once."""

    def __init__(self) -> None:
        self._objects: dict[Iri, dict[Term, None]] = {}

    def add(self, predicate: str | Iri, *objects: Term) -> None:
        """Add triples; a ``predicate`` that is a plain string is a term of ours."""
        iri = predicate if isinstance(predicate, Iri) else term(predicate)
        self._objects.setdefault(iri, {}).update(dict.fromkeys(objects))

    def block(self, graph: str, subject: Iri) -> Block:
        """Return what was gathered."""
        pairs = tuple((iri, tuple(objects)) for iri, objects in self._objects.items() if objects)
        return Block(graph, subject, pairs)


_RDF_TYPE: Final = Iri(_TYPE)
_RDFS_LABEL: Final = Iri(_LABEL)
_ALT_LABEL: Final = Iri(_P["skos"] + "altLabel")
_SAME_AS: Final = Iri(_P["owl"] + "sameAs")
_TITLE: Final = Iri(_P["dcterms"] + "title")
_IDENTIFIER: Final = Iri(_P["dcterms"] + "identifier")
_DATE: Final = Iri(_P["dcterms"] + "date")
_PAGE: Final = Iri(_P["foaf"] + "page")
_IS_STRING: Final = Iri(_P["nif"] + "isString")
_SUBJECT: Final = Iri(_P["rdf"] + "subject")
_PREDICATE: Final = Iri(_P["rdf"] + "predicate")
_OBJECT: Final = Iri(_P["rdf"] + "object")
_GENERATED: Final = Iri(_P["prov"] + "wasGeneratedBy")


def hub_iri(repository: str, kind: str) -> Iri | None:
    """Return the page of a Hub repository, or ``None`` where ``repository`` is no such name."""
    plain = repository.removeprefix("datasets/")
    if not _REPOSITORY.fullmatch(plain):
        return None
    folder = "datasets/" if kind in ("Dataset", "Benchmark") else ""
    return Iri(f"{_P['hf']}{folder}{plain}")


def _add_entity(pairs: _Pairs, entity: Entity, base: str, also: Iterable[Alignment]) -> None:
    pairs.add(_RDF_TYPE, term(entity.type))
    pairs.add(_RDFS_LABEL, text_literal(entity.name))
    pairs.add(_ALT_LABEL, *map(text_literal, entity.aliases))
    for repository in entity.repositories:
        page = hub_iri(repository, entity.type)
        if page:
            pairs.add("hubId", text_literal(repository.removeprefix("datasets/")))
            pairs.add(_SAME_AS, page)
    licences = sorted({value for key, value, _ in entity.facts if key == "license"})
    pairs.add("license", *map(text_literal, licences))
    pairs.add("introducedIn", *(document_iri(name, base) for name in entity.introduced_in))
    for alignment in also:
        if entity.type in alignment.classes:
            pairs.add(_RDF_TYPE, alignment.classes[entity.type])
            if alignment.name:
                pairs.add(alignment.name, text_literal(entity.name))


def _add_edges(
    pairs: _Pairs,
    edges: Iterable[Edge],
    types: Callable[[str], str],
    base: str,
    also: tuple[Alignment, ...],
) -> None:
    for edge in edges:
        if edge.status != "accepted":
            continue
        target = entity_iri(edge.object, base)
        pairs.add(edge.relation, target)
        ends = (edge.relation, types(edge.subject), types(edge.object))
        for alignment in also:
            if ends in alignment.relations:
                pairs.add(alignment.relations[ends], target)


_TYPE_OF: Final[Mapping[str, str]] = MappingProxyType({label.lower(): label for label in LABELS})


def _type_of(identifier: str) -> str:
    """Return the type that an entity's id begins with: ``model/x`` is a ``Model``."""
    return _TYPE_OF.get(identifier.partition("/")[0], "")


def statement_blocks(
    graph: GraphView, base: str = BASE, also: tuple[Alignment, ...] = ()
) -> Iterator[Block]:
    """Yield what is believed: entities with their accepted edges, sorted, then scores."""
    groups = groupby(graph.edges, key=lambda edge: edge.subject)
    waiting = next(groups, None)
    for entity in graph.entities:
        while waiting is not None and waiting[0] < entity.id:
            yield from _edges_alone(*waiting, base, also)
            waiting = next(groups, None)
        pairs = _Pairs()
        _add_entity(pairs, entity, base, also)
        if waiting is not None and waiting[0] == entity.id:
            _add_edges(pairs, waiting[1], _type_of, base, also)
            waiting = next(groups, None)
        yield pairs.block(STATEMENTS, entity_iri(entity.id, base))
    while waiting is not None:
        yield from _edges_alone(*waiting, base, also)
        waiting = next(groups, None)
    for result in graph.results:
        yield _result_block(result, base)


def _edges_alone(
    subject: str, edges: Iterable[Edge], base: str, also: tuple[Alignment, ...]
) -> Iterator[Block]:
    """Yield the edges of a subject that is not among the entities, as a damaged graph has them."""
    pairs = _Pairs()
    _add_edges(pairs, edges, _type_of, base, also)
    block = pairs.block(STATEMENTS, entity_iri(subject, base))
    if block.pairs:
        yield block


def _result_block(result: Result, base: str) -> Block:
    pairs = _Pairs()
    pairs.add(_RDF_TYPE, term("Result"))
    pairs.add("resultOf", entity_iri(result.subject, base))
    if result.on is not None:
        pairs.add("onBenchmark", entity_iri(result.on, base))
    if result.metric is not None:
        pairs.add("metric", entity_iri(result.metric, base))
    pairs.add("value", text_literal(result.value))
    number = _canonical_decimal(result.number)
    if number:
        pairs.add("number", Literal(number, "decimal"))
    return pairs.block(STATEMENTS, result_iri(result, base))


def _run_iri(graph: GraphView, base: str) -> Iri:
    return Iri(f"{base}run/{_encoded(str(graph.manifest.get('run', 'unnamed')))}")


def provenance_blocks(graph: GraphView, base: str = BASE) -> Iterator[Block]:
    """Yield why it is believed: documents, entities' mentions, assertions, and their evidence."""
    run = _run_iri(graph, base)
    extractors: set[str] = set()
    yield from (_document_block(document, base) for document in graph.documents)
    for entity in graph.entities:
        yield from _mention_blocks(entity, base)
    for edge in graph.edges:
        yield _assertion_block(edge, base)
        name = assertion_iri(*edge.key, base)
        yield from _evidence_blocks(name, edge.evidence, run, base, extractors)
    for result in graph.results:
        yield _result_support(result, base)
        name = result_iri(result, base)
        yield from _evidence_blocks(name, result.evidence, run, base, extractors)
    for extractor in sorted(extractors):
        pairs = _Pairs()
        pairs.add(_RDF_TYPE, term("Extractor"))
        pairs.add(_RDFS_LABEL, text_literal(extractor))
        yield pairs.block(PROVENANCE, _extractor_iri(extractor, base))
    pairs = _Pairs()
    pairs.add(_RDF_TYPE, term("Run"))
    yield pairs.block(PROVENANCE, run)


def _extractor_iri(name: str, base: str) -> Iri:
    return Iri(f"{base}extractor/{_encoded(name)}")


def _document_block(document: Document, base: str) -> Block:
    text = clean(document.text)
    pairs = _Pairs()
    pairs.add(_RDF_TYPE, term("Document"))
    if document.kind in _DOCUMENT_CLASSES:
        pairs.add(_RDF_TYPE, term(_DOCUMENT_CLASSES[document.kind]))
    pairs.add(_TITLE, text_literal(document.title))
    pairs.add(_IDENTIFIER, text_literal(document.id))
    if document.year is not None and 0 < document.year < 10_000:
        pairs.add(_DATE, Literal(f"{document.year:04}", "gYear"))
    if document.url and well_formed(document.url):
        pairs.add(_PAGE, Iri(document.url))
    kind = "Dataset" if document.kind == "dataset-card" else "Model"
    if document.repository and hub_iri(document.repository, kind):
        pairs.add("hubId", text_literal(document.repository.removeprefix("datasets/")))
    pairs.add("textSha256", Literal(hashlib.sha256(text.encode()).hexdigest()))
    pairs.add(_IS_STRING, Literal(text))
    return pairs.block(PROVENANCE, document_iri(document.id, base))


def _mention_blocks(entity: Entity, base: str) -> Iterator[Block]:
    name = entity_iri(entity.id, base)
    pairs = _Pairs()
    pairs.add("confidence", decimal_literal(entity.confidence))
    pairs.add("mentionCount", integer_literal(sum(count for _, count in entity.mentioned_in)))
    pairs.add("mentionedIn", *(document_iri(where, base) for where, _ in entity.mentioned_in))
    yield pairs.block(PROVENANCE, name)
    for key, value, document in entity.facts:
        pairs = _Pairs()
        pairs.add(_RDF_TYPE, term("Fact"))
        pairs.add("about", name)
        pairs.add("key", text_literal(key))
        pairs.add("value", text_literal(value))
        if document:
            pairs.add("fromDocument", document_iri(document, base))
        fact = _digest(entity.id, key, value, document)
        yield pairs.block(PROVENANCE, Iri(f"{base}fact/{fact}"))


def _support(evidence: Iterable[Evidence]) -> int:
    return len({reading.document for reading in evidence})


def _assertion_block(edge: Edge, base: str) -> Block:
    name = assertion_iri(*edge.key, base)
    pairs = _Pairs()
    pairs.add(_RDF_TYPE, term("Assertion"))
    pairs.add(_SUBJECT, entity_iri(edge.subject, base))
    pairs.add(_PREDICATE, term(edge.relation))
    pairs.add(_OBJECT, entity_iri(edge.object, base))
    pairs.add("status", term(edge.status.capitalize()))
    pairs.add("confidence", decimal_literal(edge.confidence))
    pairs.add("supportCount", integer_literal(_support(edge.evidence)))
    pairs.add("hasEvidence", *(evidence_iri(name, reading, base) for reading in edge.evidence))
    return pairs.block(PROVENANCE, name)


def _result_support(result: Result, base: str) -> Block:
    name = result_iri(result, base)
    pairs = _Pairs()
    pairs.add("confidence", decimal_literal(result.confidence))
    pairs.add("supportCount", integer_literal(_support(result.evidence)))
    pairs.add("hasEvidence", *(evidence_iri(name, reading, base) for reading in result.evidence))
    return pairs.block(PROVENANCE, name)


def _evidence_blocks(
    of: Iri, evidence: Iterable[Evidence], run: Iri, base: str, extractors: set[str]
) -> Iterator[Block]:
    """Yield a block for each reading, and add the names of those who read to ``extractors``."""
    written: set[Iri] = set()
    for reading in evidence:
        name = evidence_iri(of, reading, base)
        if name in written:
            continue
        written.add(name)
        extractors.add(reading.extractor)
        pairs = _Pairs()
        pairs.add(_RDF_TYPE, term("Evidence"))
        pairs.add("fromDocument", document_iri(reading.document, base))
        pairs.add("field", text_literal(reading.field))
        pairs.add("sentence", text_literal(reading.sentence))
        pairs.add("beginOffset", integer_literal(reading.span.start))
        pairs.add("endOffset", integer_literal(reading.span.end))
        for end, span in (("subject", reading.subject), ("object", reading.object)):
            if span is not None:
                pairs.add(f"{end}Begin", integer_literal(span.start))
                pairs.add(f"{end}End", integer_literal(span.end))
        pairs.add("evidenceKind", term(reading.kind.capitalize()))
        pairs.add("extractedBy", _extractor_iri(reading.extractor, base))
        pairs.add("rule", text_literal(reading.rule))
        pairs.add("confidence", decimal_literal(reading.confidence))
        if reading.negated:
            pairs.add("negated", _TRUE)
        for premise in reading.premises:
            parts = premise.split(" ")
            if len(parts) == 3:
                pairs.add("premise", assertion_iri(parts[0], parts[1], parts[2], base))
        pairs.add(_GENERATED, run)
        yield pairs.block(PROVENANCE, name)


def inferred_blocks(graph: GraphView, base: str = BASE) -> Iterator[Block]:
    """Yield what follows from the accepted edges: all ancestors, and teachers through data.

    This alone keeps something in memory: the edges of lineage and training.
    """
    relations = schema.relations()
    parents: defaultdict[str, set[str]] = defaultdict(set)
    trained: defaultdict[str, set[str]] = defaultdict(set)
    taught_by: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        relation = relations.get(edge.relation)
        if edge.status != "accepted" or relation is None:
            continue
        if relation.lineage:
            parents[edge.subject].add(edge.object)
        if relation.name == "trainedOn":
            trained[edge.subject].add(edge.object)
        if relation.name in ("generatedBy", "distilledFrom"):
            taught_by[edge.subject].add(edge.object)
    teachers = {
        student: {teacher for data in sources for teacher in taught_by.get(data, ())} - {student}
        for student, sources in trained.items()
    }
    for student, found in teachers.items():
        parents[student] |= found
    for child in sorted(parents):
        pairs = _Pairs()
        hidden = sorted(teachers.get(child, ()))
        pairs.add("taughtThroughDataBy", *(entity_iri(name, base) for name in hidden))
        above = sorted(_reachable(child, parents) - {child})
        pairs.add("hasAncestor", *(entity_iri(name, base) for name in above))
        block = pairs.block(INFERRED, entity_iri(child, base))
        if block.pairs:
            yield block


def _reachable(start: str, steps: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = steps.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def blocks(graph: GraphView, base: str = BASE, also: Iterable[str] = ()) -> Iterator[Block]:
    """Yield all that is written of ``graph``, a named graph after the other."""
    chosen, inferred = _chosen(also)
    yield from statement_blocks(graph, base, chosen)
    if inferred:
        yield from inferred_blocks(graph, base)
    yield from provenance_blocks(graph, base)


def _statements(graph: GraphView, base: str, also: Iterable[str]) -> Iterator[Block]:
    chosen, inferred = _chosen(also)
    yield from statement_blocks(graph, base, chosen)
    if inferred:
        yield from inferred_blocks(graph, base)


def to_rdflib(graph: GraphView, base: str = BASE) -> rdflib.Dataset:
    """Return everything as an rdflib dataset whose default graph is the union of its graphs."""
    import rdflib

    base = checked_base(base)
    dataset = rdflib.Dataset(default_union=True)
    for prefix, namespace in prefixes(base).items():
        dataset.bind(prefix, namespace)
    for graph_name, subject, pairs in blocks(graph, base):
        named = dataset.graph(rdflib.URIRef(base + graph_name))
        for predicate, objects in pairs:
            for value in objects:
                node: rdflib.URIRef | rdflib.Literal
                if isinstance(value, Iri):
                    node = rdflib.URIRef(value)
                elif value.datatype == "string":
                    node = rdflib.Literal(value.value)
                else:
                    node = rdflib.Literal(
                        value.value, datatype=rdflib.URIRef(_P["xsd"] + value.datatype)
                    )
                named.add((rdflib.URIRef(subject), rdflib.URIRef(predicate), node))
    return dataset


# --- how it is written -------------------------------------------------------------------------

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _n3(value: Term) -> str:
    """Return ``value`` as N-Triples writes it."""
    if isinstance(value, Iri):
        return f"<{value}>"
    if value.datatype == "string":
        return _quoted(value.value)
    return f"{_quoted(value.value)}^^<{_P['xsd']}{value.datatype}>"


def _lines(source: Iterable[Block], base: str, *, graphs: bool) -> Iterator[str]:
    for graph, subject, pairs in source:
        end = f" <{base}{graph}> .\n" if graphs else " .\n"
        for predicate, objects in pairs:
            start = f"<{subject}> <{predicate}> "
            for value in objects:
                yield start + _n3(value) + end


def prefixes(base: str = BASE) -> dict[str, str]:
    """Return the prefixes that our files may use; those of entities depend on ``base``."""
    own = {name.lower(): f"{base}{name.lower()}/" for name in (*LABELS, "doc")}
    parts = ("assertion", "evidence", "result", "fact", "extractor", "run")
    return {**_P, **own, **{name: f"{base}{name}/" for name in parts}}


class _Shortener:
    """Writes IRIs with prefixes, and remembers which it needed."""

    def __init__(self, base: str) -> None:
        self._by_namespace = {namespace: name for name, namespace in prefixes(base).items()}
        self.prefixes = prefixes(base)
        self.used: set[str] = set()

    def short(self, iri: str) -> str | None:
        """Return ``iri`` as ``prefix:local``, or ``None`` where that cannot be written."""
        cut = max(iri.rfind("/"), iri.rfind("#")) + 1
        prefix = self._by_namespace.get(iri[:cut])
        if prefix is None or not _LOCAL.fullmatch(iri, cut):
            return None
        self.used.add(prefix)
        return f"{prefix}:{iri[cut:]}"

    def iri(self, iri: str) -> str:
        """Return ``iri`` as Turtle writes it."""
        return self.short(iri) or f"<{iri}>"

    def turtle(self, value: Term) -> str:
        """Return ``value`` as Turtle writes it."""
        if isinstance(value, Iri):
            return self.iri(value)
        if value.datatype == "string":
            return _quoted(value.value)
        if value.datatype in ("integer", "decimal", "boolean"):
            return value.value
        return f"{_quoted(value.value)}^^{self.iri(_P['xsd'] + value.datatype)}"

    def declarations(self) -> str:
        """Return the ``@prefix`` lines of what was used, sorted."""
        names = sorted(self.used)
        return "".join(f"@prefix {name}: <{self.prefixes[name]}> .\n" for name in names)


def _turtle_block(block: Block, shortener: _Shortener, indent: str = "") -> str:
    lines = []
    for predicate, objects in block.pairs:
        verb = "a" if predicate == _TYPE else shortener.iri(predicate)
        values = [shortener.turtle(value) for value in objects]
        separator = f",\n{indent}        " if len(values) > 2 else ", "
        lines.append(f"{verb} {separator.join(values)}")
    body = f" ;\n{indent}    ".join(lines)
    return f"{indent}{shortener.iri(block.subject)} {body} .\n"


def _write_with_header(path: Path, body: Iterable[str], header: Callable[[], str]) -> None:
    """Write ``header()``, which is known only after the body, and then the body."""
    with tempfile.TemporaryFile() as parked:
        for part in body:
            parked.write(part.encode())
        parked.seek(0)
        with path.open("wb") as file:
            file.write(header().encode())
            shutil.copyfileobj(parked, file)


def _write_turtle_blocks(path: Path, source: Iterable[Block], base: str, title: str) -> None:
    shortener = _Shortener(base)
    body = ("\n" + _turtle_block(block, shortener) for block in source)
    _write_with_header(path, body, lambda: f"# {title}\n\n{shortener.declarations()}")


def write_turtle(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write what is believed as Turtle: entities, accepted edges and scores."""
    base = checked_base(base)
    title = "Entities, accepted edges and scores. Why each is believed: provenance.ttl."
    _write_turtle_blocks(path, _statements(graph, base, also), base, title)


def write_provenance(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write why it is believed as Turtle: documents, assertions of every status, evidence."""
    base = checked_base(base)
    _chosen(also)
    title = "Documents, assertions and their evidence. What is believed: graph.ttl."
    _write_turtle_blocks(path, provenance_blocks(graph, base), base, title)


def write_nquads(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write everything as N-Quads, in its named graphs."""
    base = checked_base(base)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(blocks(graph, base, also), base, graphs=True))


def write_ntriples(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write everything as N-Triples, in one graph."""
    base = checked_base(base)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(blocks(graph, base, also), base, graphs=False))


def write_trig(graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()) -> None:
    """Write everything as TriG, in its named graphs."""
    base = checked_base(base)
    shortener = _Shortener(base)

    def body() -> Iterator[str]:
        for name, group in groupby(blocks(graph, base, also), key=lambda block: block.graph):
            yield f"\n<{base}{name}> {{\n"
            for block in group:
                yield "\n" + _turtle_block(block, shortener, "  ")
            yield "}\n"

    title = "What is believed, and why, in a named graph each."
    _write_with_header(path, body(), lambda: f"# {title}\n\n{shortener.declarations()}")


def jsonld_context(base: str = BASE) -> dict[str, Any]:
    """Return the JSON-LD context of our files: terms without prefix are those of our ontology."""
    coerced: dict[str, Any] = {}
    for item in schema.terms().values():
        if item.kind == "object property":
            coerced[item.name] = {"@type": "@id"}
        elif item.range == (_P["xsd"] + "decimal",):
            coerced[item.name] = {"@type": f"{_P['xsd']}decimal"}
    for iri in (_SAME_AS, _PAGE, _SUBJECT, _PREDICATE, _OBJECT, _GENERATED):
        coerced[_curie(iri)] = {"@id": iri, "@type": "@id"}
    coerced[_curie(_DATE)] = {"@id": _DATE, "@type": f"{_P['xsd']}gYear"}
    return {"@vocab": MLKG, **prefixes(base), **dict(sorted(coerced.items()))}


@lru_cache(maxsize=4096)
def _curie(iri: str) -> str:
    """Return the key of a property in our JSON-LD."""
    if iri.startswith(MLKG):
        return iri.removeprefix(MLKG)
    for name, namespace in _P.items():
        if iri.startswith(namespace):
            return f"{name}:{iri.removeprefix(namespace)}"
    return iri


def jsonld_node(block: Block, base: str = BASE) -> dict[str, Any]:
    """Return ``block`` as a node object under the context that belongs to ``base``."""
    shortener = _Shortener(base)
    node: dict[str, Any] = {"@id": shortener.short(block.subject) or str(block.subject)}
    for predicate, objects in block.pairs:
        key = "@type" if predicate == _TYPE else _curie(predicate)
        values = [_json_value(key, value, shortener) for value in objects]
        node[key] = values[0] if len(values) == 1 else values
    return node


def _json_value(key: str, value: Term, shortener: _Shortener) -> Any:
    if isinstance(value, Iri):
        if key == "@type":
            return _curie(value)
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
        for block in _statements(graph, base, also):
            file.write(separator + json.dumps(jsonld_node(block, base), ensure_ascii=False))
            separator = ",\n"
        file.write("\n]}\n")


_XML_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")


def _xml(text: str) -> str:
    """Return ``text`` as XML character data; a carriage return would be normalised away bare."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;").replace("\r", "&#13;")


def _xml_property(predicate: Iri, value: Term, names: Mapping[str, str]) -> str:
    match = _XML_NAME.search(predicate)
    if match is None:
        raise UsageError(f"RDF/XML cannot write the property {predicate}; use another format")
    namespace, local = predicate[: match.start()], match.group()
    prefix = names.get(namespace)
    tag = f"{prefix}:{local}" if prefix else local
    declared = "" if prefix else f' xmlns="{_xml(namespace)}"'
    if isinstance(value, Iri):
        return f'    <{tag}{declared} rdf:resource="{_xml(value)}"/>\n'
    kind = "" if value.datatype == "string" else f' rdf:datatype="{_P["xsd"]}{value.datatype}"'
    return f"    <{tag}{declared}{kind}>{_xml(value.value)}</{tag}>\n"


def write_rdfxml(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write everything as RDF/XML, in one graph."""
    base = checked_base(base)
    declared = {namespace: name for name, namespace in _P.items()}
    used = ("mlkg", "rdf", "rdfs", "owl", "skos", "prov", "dcterms", "foaf", "nif")
    names = {_P[name]: name for name in used if _P[name] in declared}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        namespaces = "".join(f'\n    xmlns:{name}="{_P[name]}"' for name in used)
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{namespaces}>\n')
        for block in blocks(graph, base, also):
            file.write(f'  <rdf:Description rdf:about="{_xml(block.subject)}">\n')
            for predicate, objects in block.pairs:
                file.writelines(_xml_property(predicate, value, names) for value in objects)
            file.write("  </rdf:Description>\n")
        file.write("</rdf:RDF>\n")


def write_rdf12(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write Turtle 1.2: each accepted triple reified by its assertion, and others only quoted.

    The evidence is the same as in ``provenance.ttl``; instead of ``rdf:subject``,
    ``rdf:predicate`` and ``rdf:object`` an assertion ``rdf:reifies`` a triple term.
    """
    base = checked_base(base)
    shortener = _Shortener(base)
    reified = {_SUBJECT, _PREDICATE, _OBJECT}
    reifies = Iri(_P["rdf"] + "reifies")

    def body() -> Iterator[str]:
        for block in blocks(graph, base, also):
            said = dict(block.pairs)
            if _SUBJECT not in said:
                yield "\n" + _turtle_block(block, shortener)
                continue
            quoted = " ".join(
                shortener.turtle(said[part][0]) for part in (_SUBJECT, _PREDICATE, _OBJECT)
            )
            rest = tuple(pair for pair in block.pairs if pair[0] not in reified)
            name = shortener.iri(block.subject)
            yield f"\n{name} {shortener.iri(reifies)} <<( {quoted} )>> .\n"
            yield _turtle_block(Block(block.graph, block.subject, rest), shortener)

    title = "RDF 1.2: assertions reify triple terms."
    _write_with_header(path, body(), lambda: f"# {title}\n\n{shortener.declarations()}")


def write_nanopublications(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write each accepted edge as a nanopublication: TriG with four named graphs an edge.

    They are unsigned and carry no date, so that the same graph gives the same bytes; whoever
    publishes them adds both.
    """
    base = checked_base(base)
    _chosen(also)
    shortener = _Shortener(base)
    run = _run_iri(graph, base)
    np = _P["np"]

    def parts(edge: Edge) -> Iterator[tuple[str, list[Block]]]:
        key = _digest(*edge.key)
        this = Iri(f"{base}nanopub/{key}")
        names = {
            part: Iri(f"{this}#{part}") for part in ("head", "assertion", "provenance", "info")
        }
        head = _Pairs()
        head.add(_RDF_TYPE, Iri(np + "Nanopublication"))
        head.add(Iri(np + "hasAssertion"), names["assertion"])
        head.add(Iri(np + "hasProvenance"), names["provenance"])
        head.add(Iri(np + "hasPublicationInfo"), names["info"])
        yield names["head"], [head.block("", this)]
        said = _Pairs()
        said.add(edge.relation, entity_iri(edge.object, base))
        yield names["assertion"], [said.block("", entity_iri(edge.subject, base))]
        of = assertion_iri(*edge.key, base)
        why = _Pairs()
        why.add("hasEvidence", *(evidence_iri(of, reading, base) for reading in edge.evidence))
        why.add("confidence", decimal_literal(edge.confidence))
        evidence = list(_evidence_blocks(of, edge.evidence, run, base, set()))
        yield names["provenance"], [why.block("", names["assertion"]), *evidence]
        info = _Pairs()
        info.add(_GENERATED, run)
        yield names["info"], [info.block("", this)]

    def body() -> Iterator[str]:
        for edge in graph.edges:
            if edge.status != "accepted":
                continue
            for name, content in parts(edge):
                inner = "".join(_turtle_block(block, shortener, "  ") for block in content)
                yield f"\n{shortener.iri(name)} {{\n{inner}}}\n"

    title = "Nanopublications, unsigned: one for each accepted edge."
    _write_with_header(path, body(), lambda: f"# {title}\n\n{shortener.declarations()}")


def write_void(graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()) -> None:
    """Write the description of the whole as VoID: how many triples, by property and by class."""
    base = checked_base(base)
    triples: Counter[str] = Counter()
    properties: Counter[Iri] = Counter()
    classes: Counter[Iri] = Counter()
    example: Iri | None = None
    for block in blocks(graph, base, also):
        for predicate, objects in block.pairs:
            triples[block.graph] += len(objects)
            properties[predicate] += len(objects)
            if predicate == _TYPE:
                classes.update(value for value in objects if isinstance(value, Iri))
        if example is None and block.graph == STATEMENTS:
            example = block.subject
    void = _P["void"]
    this = Iri(f"{base}void#dataset")
    pairs = _Pairs()
    pairs.add(_RDF_TYPE, Iri(void + "Dataset"))
    pairs.add(_TITLE, Literal("ML knowledge graph"))
    pairs.add(_GENERATED, _run_iri(graph, base))
    pairs.add(Iri(void + "triples"), integer_literal(sum(triples.values())))
    pairs.add(Iri(void + "entities"), integer_literal(len(graph.entities)))
    pairs.add(Iri(void + "documents"), integer_literal(len(graph.documents)))
    pairs.add(Iri(void + "uriSpace"), Literal(base))
    pairs.add(Iri(void + "vocabulary"), Iri(MLKG))
    pairs.add(Iri(void + "dataDump"), Iri(f"{base}graph.nq"))
    if example is not None:
        pairs.add(Iri(void + "exampleResource"), example)
    rest: list[Block] = []
    for kind, link, counts in (
        ("property", "propertyPartition", properties),
        ("class", "classPartition", classes),
    ):
        for iri in sorted(counts):
            part = Iri(f"{base}void#{kind}-{_encoded(_curie(iri).replace(':', '-'))}")
            pairs.add(Iri(void + link), part)
            of = _Pairs()
            of.add(Iri(void + kind), iri)
            of.add(
                Iri(void + ("triples" if kind == "property" else "entities")),
                integer_literal(counts[iri]),
            )
            rest.append(of.block("", part))
    if properties[_SAME_AS]:
        links = Iri(f"{base}void#hub-links")
        of = _Pairs()
        of.add(_RDF_TYPE, Iri(void + "Linkset"))
        of.add(Iri(void + "linkPredicate"), _SAME_AS)
        of.add(Iri(void + "subjectsTarget"), this)
        of.add(Iri(void + "objectsTarget"), Iri(_P["hf"]))
        of.add(Iri(void + "triples"), integer_literal(properties[_SAME_AS]))
        rest.append(of.block("", links))
    source = [pairs.block("", this), *rest]
    _write_turtle_blocks(path, source, base, "What is in graph.nq, by property and by class.")
