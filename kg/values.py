"""The values that travel through the pipeline, in the order in which they arise.

A :class:`Document` is read; :class:`Mention`\\ s are found in it and grouped into
:class:`LocalEntity`\\ s; :class:`LocalEdge`\\ s and :class:`LocalResult`\\ s relate them.
Together they are the :class:`Reading` of that document, which depends on nothing but the
document.  Assembling many readings gives :class:`Entity`, :class:`Edge`, :class:`Result`
and :class:`Merge`: a :class:`Graph`.

All are immutable and compare by value.  Offsets are half-open and count Unicode code points
of ``Document.text``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

#: Where entities and documents live, unless a graph is exported under another IRI.
BASE: Final = "https://w3id.org/mlkg/"
#: The entity labels, in the order in which they are shown.
LABELS: Final = ("Model", "Dataset", "Benchmark", "Method", "Task", "Metric")

#: The kinds of evidence, strongest first: where two disagree, the earlier one wins.
EVIDENCE_KINDS: Final = ("curated", "declared", "extracted", "inferred")

#: What an edge's status can be. Only accepted edges are plain triples and lineage.
STATUSES: Final = ("accepted", "candidate", "disputed", "negated", "retracted")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open, non-empty range of characters: ``text[span.start:span.end]``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span is a non-empty range, not {self.start}:{self.end}")

    def of(self, text: str) -> str:
        """Return the characters of ``text`` that this span covers."""
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Whether the two spans share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Document:
    """A paper (title and abstract), a Hub card, or a plain text."""

    #: Stable and unique in a corpus; given by the source, else made from the content.
    id: str
    #: ``paper``, ``model-card``, ``dataset-card`` or ``text``.
    kind: str
    title: str
    #: What every offset counts into. A paper's is ``title + "\n" + abstract``; a card's is the
    #: whole file, front matter included, so that a metadata line can be quoted as evidence.
    text: str
    #: Where a person can read it: an ``https`` address, or empty.
    url: str = ""
    #: Year of publication where the source says so.
    year: int | None = None
    #: The Hub repository that a card describes (``org/name``), else empty.
    repository: str = ""
    #: Where prose begins in ``text``: after the front matter of a card, else 0.
    body: int = 0
    #: The front matter of a card, or further fields of a paper, as plain JSON values.
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A stretch of a document that names something."""

    span: Span
    label: str
    #: Probability that span and label are right.
    confidence: float
    #: What found it: ``learned``, ``lexicon``, ``shape``, ``coined``, ``elided``, ``metadata``, ...
    extractor: str


@dataclass(frozen=True, slots=True)
class LocalEntity:
    """What the mentions of one name in one document refer to."""

    #: The short proper name where the text gives one; unique within the document.
    canonical: str
    label: str
    #: Whether the document presents it as its own contribution.
    introduced: bool
    mentions: tuple[Mention, ...]
    #: Other surface forms in this document: the long form of an abbreviation, a spelling.
    aliases: tuple[str, ...] = ()
    #: The Hub repository (``org/name``) where the document states the exact id, else empty.
    repository: str = ""
    #: Facts the document states of it, as ``(key, value)`` pairs, e.g. ``("license", "mit")``.
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a statement is believed: who said so, where, in which words, and how sure we are.

    Evidence sorts by where it stands, then by who read it; a place that is ``None`` comes first.
    """

    document: str
    #: ``title``, ``abstract``, ``body`` (of a card), ``yaml:<key>`` or ``name``.
    field: str
    #: Where :attr:`sentence` stands in the document's text.
    span: Span
    #: The sentence, or the metadata line, exactly as it stands there.
    sentence: str
    #: One of :data:`EVIDENCE_KINDS`.
    kind: str
    #: The component that read it: ``cues``, ``learned``, ``card``, ``names``, ``overrides``, ...
    extractor: str
    #: The rule or model head that fired.
    rule: str
    #: Calibrated probability that this reading is right.
    confidence: float
    #: Where the two names stand in the document, to mark them; ``None`` where they are implied.
    subject: Span | None = None
    object: Span | None = None
    #: True where the sentence denies the statement.
    negated: bool = False
    #: For an inferred statement, the statements it rests on, as ``"subject relation object"``.
    premises: tuple[str, ...] = ()

    def __lt__(self, other: Evidence) -> bool:
        # Written out, since a generated comparison fails where one place is None and one is not.
        return self._order() < other._order()

    def _order(self) -> tuple[Any, ...]:
        places = tuple((s.start, s.end) if s else (-1, -1) for s in (self.subject, self.object))
        return (
            *(self.document, self.field, self.span, self.kind, self.extractor, self.rule),
            *(self.sentence, self.confidence, self.negated, places, self.premises),
        )


@dataclass(frozen=True, slots=True)
class LocalEdge:
    """``head relation tail`` between two local entities, by their canonical names."""

    head: str
    relation: str
    tail: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class LocalResult:
    """A score that a document states: canonical names, and the value as written."""

    subject: str
    on: str | None
    metric: str | None
    value: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was found in one document."""

    document: Document
    entities: tuple[LocalEntity, ...] = ()
    edges: tuple[LocalEdge, ...] = ()
    results: tuple[LocalResult, ...] = ()


_TYPE_OF: Final = {label.lower(): label for label in LABELS}


def type_of(id_: str) -> str:
    """Return the type that an entity's id begins with: ``model/x`` is a ``Model``."""
    return _TYPE_OF.get(id_.partition("/")[0], "")


@dataclass(frozen=True, slots=True)
class Entity:
    """Something in the world: a model, a dataset, a benchmark, a method, a task, a metric."""

    #: ``<type in lower case>/<slug>``, the path of its IRI: ``model/qwen2.5-7b-instruct``.
    id: str
    type: str
    #: The name as most often printed.
    name: str
    #: All other spellings, sorted.
    aliases: tuple[str, ...] = ()
    #: Hub repositories that are exactly this entity, sorted.
    repositories: tuple[str, ...] = ()
    #: Documents that present it as their contribution, sorted.
    introduced_in: tuple[str, ...] = ()
    #: ``(document, number of mentions)``, sorted.
    mentioned_in: tuple[tuple[str, int], ...] = ()
    #: ``(key, value, document)``, sorted: licences, library names, tags.
    facts: tuple[tuple[str, str, str], ...] = ()
    #: Probability that it is a thing of this type, combined over documents.
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Edge:
    """``subject relation object`` between two entities, with all that speaks for it."""

    subject: str
    relation: str
    object: str
    #: Sorted, never empty.
    evidence: tuple[Evidence, ...]
    #: Combined over documents, one vote a document.
    confidence: float
    #: One of :data:`STATUSES`.
    status: str = "accepted"

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two edges the same statement, whatever their evidence."""
        return self.subject, self.relation, self.object

    @property
    def best(self) -> Evidence:
        """The evidence to quote: what made the status, of the strongest kind, the surest."""
        against = self.status in ("negated", "retracted")
        order = {kind: place for place, kind in enumerate(EVIDENCE_KINDS)}
        return min(
            self.evidence,
            key=lambda item: (
                item.negated != against, order.get(item.kind, 9), -item.confidence,
                item.document, item.span, None in (item.subject, item.object),
            ),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """A score: which entity, on which benchmark, by which metric, and the value as written."""

    subject: str
    on: str | None
    metric: str | None
    value: str
    #: The value as a decimal numeral where it parses, else empty.
    number: str
    evidence: tuple[Evidence, ...]
    confidence: float = 1.0
    #: ``accepted``, or ``candidate`` where it is too weak to be believed.
    status: str = "accepted"


@dataclass(frozen=True, slots=True, order=True)
class Merge:
    """One name that was taken for an entity already known by another, and why."""

    #: Id of the entity that stands for both.
    entity: str
    #: The spelling that joined it.
    name: str
    #: The rule: ``spelling``, ``abbreviation``, ``lexicon``, ``organisation``, ``year``,
    #: ``format`` (``-hf``, word order), ``type`` (the same name under another type), ``hub`` or
    #: ``curated``.
    reason: str
    #: How sure, 0 to 1.
    score: float
    #: A document that shows it, or empty where a table says so.
    document: str = ""


class GraphView(Protocol):
    """What exporters, queries and lineage read: collections that can be iterated again and again.

    Each is sorted (documents and entities by id, edges by key), so that the same graph always
    gives the same bytes.  :class:`Graph` holds them in memory, :class:`kg.store.StoredGraph`
    streams them from disk.
    """

    @property
    def documents(self) -> Collection[Document]:
        """Every document that was read, by id."""

    @property
    def entities(self) -> Collection[Entity]:
        """Every entity, by id."""

    @property
    def edges(self) -> Collection[Edge]:
        """Every edge of any status, by key."""

    @property
    def results(self) -> Collection[Result]:
        """Every score."""

    @property
    def merges(self) -> Collection[Merge]:
        """Every merge of names."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Versions, configuration, input hashes and counts."""


@dataclass(frozen=True, slots=True)
class Graph:
    """An assembled graph in memory."""

    documents: tuple[Document, ...] = ()
    entities: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    results: tuple[Result, ...] = ()
    merges: tuple[Merge, ...] = ()
    #: Versions, configuration, input hashes and counts; holds no clock.
    manifest: Mapping[str, Any] = field(default_factory=dict, hash=False)
