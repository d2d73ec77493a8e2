"""What a Hub card declares: who it is, what it was made from, on which data, with which scores.

The front matter is evidence of its own kind (``declared``): each edge quotes the line that says
it.  Blocks in the body are read too: mergekit's YAML, ``adapter_config.json``, the key-value
fields of a GGUF file, and the lines that trainers and quantisers write by template.  The words
that mean something are data: ``ontology/cards.toml``.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any, Final

from ruamel.yaml.error import YAMLError

from kg import schema
from kg.linker import cardnames
from kg.names import families, identity, parse, same_model, without
from kg.ner.shapes import shapes
from kg.readers.frontmatter import Refused, key_span, parse_any, value_span
from kg.readers.source import clean
from kg.resources import ontology
from kg.text import name_key
from kg.values import Document, Evidence, LocalEdge, LocalEntity, LocalResult, Mention, Span

#: Longer blocks are not configurations; reading them would only cost time.
_BLOCK_LIMIT: Final = 20_000
#: How much of a card is searched for fields by pattern.
_BODY_LIMIT: Final = 200_000
_RESULTS_LIMIT: Final = 2_000
_NAME_LIMIT: Final = 120
#: How many values of one field, and models of one merge, are read, and how many facts are kept.
_PARENTS_LIMIT: Final = 200
_FACTS_LIMIT: Final = 2_000
#: How many lines of one template are read in a body.
_LINES_LIMIT: Final = 500

_DECLARED: Final = 0.98
_FROM_TAGS: Final = 0.92
_TEMPLATE: Final = 0.93
_UNSAID: Final = 0.9

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]*[A-Za-z0-9][\w.-]*")
_HUB: Final = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<data>datasets/)?"
    r"(?P<id>[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?)(?P<rest>[/?#)\]\s].*)?",
    re.DOTALL,
)
#: What hangs together, with a letter: ``MyMerge-7B``.
_PLAIN_NAME: Final = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9][\w.+-]{1,95}")
_CACHE: Final = re.compile(r"models--([\w.-]+?)--([\w.-]+)")
_LOCAL: Final = re.compile(
    r"^(?:[A-Za-z]:[\\/]|[./~\\]|/)|\\|^(?:outputs?|checkpoints?|models|data)/"
)
_JSON: Final = re.compile(r"```[ \t]*json")
_MERGE_BLOCK: Final = re.compile(
    r"^[^\S\n]*(?:(?:- )?merge_method|slices|models|experts):", re.MULTILINE
)
_ADAPTER: Final = re.compile(r"[\"']?base_model_name_or_path[\"']?\s*[:=]\s*[\"']([^\"'\n]+)[\"']")
_GGUF: Final = re.compile(
    r"general\.(?P<what>base_model|dataset)\.\d+\.repo_url\s*(?:str\s*)?[=:|]\s*[\"']?(?P<url>\S+?)[\"']?\s*(?:\||$)",
    re.MULTILINE,
)
_FIELD: Final = re.compile(
    r"""
    ^[ \t]* (?:[-*•][ \t]*)? (?:\*\*|__)?
    (?P<key> (?:instruction[ -])?(?:fine-?)?tuned\ from(?:\ (?:model|weight|checkpoint)s?)?
           | (?:original|base|parent|source)\ models? | teacher\ models? | model\ name\ or\ path )
    (?:[ \t]*\[optional\])? [ \t]* (?:(?:\*\*|__)[ \t]*)? : [ \t]* (?:(?:\*\*|__)[ \t]*)?
    (?P<value> \S[^\n]* )$
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_TRAINER: Final = re.compile(
    r"fine-?tuned version of[ \t]+"
    r"(?P<value>\[[^\]\n]{1,300}\]\((?P<url>[^)\s]{1,500})\)|`?[\w.-]+/[\w.-]+`?)",
    re.IGNORECASE,
)
_LINK: Final = re.compile(r"\[(?P<text>[^\]\n]{1,300})\]\((?P<url>[^)\s]{1,500})\)")
_SHORT: Final = re.compile(r"[\w.+-]+(?:[ -][\w.+-]+){0,4}")
#: Which relation a line of the body states; an empty one is decided as for ``base_model``.
_WIDER: Final = ("fineTunedFrom", "adapterOf")
_FIELD_RELATION: Final = {"teacher": "distilledFrom", "tuned": "fineTunedFrom"}


@dataclass(frozen=True, slots=True)
class _Meanings:
    relations: Mapping[str, str]
    parents: Mapping[str, str]
    signs: Mapping[str, frozenset[str]]
    benchmarks: frozenset[str]
    generic: frozenset[str]
    nothing: frozenset[str]


@cache
def _meanings() -> _Meanings:
    table: dict[str, Any] = tomllib.loads(ontology("cards.toml").read_text(encoding="utf-8"))
    return _Meanings(
        table["relations"],
        table["parents"],
        {sign: frozenset(words) for sign, words in table["signs"].items()},
        frozenset(name_key(name) for name in table["benchmarks"]["names"]),
        frozenset(name_key(name) for name in table["benchmarks"]["generic"]),
        frozenset(table["nothing"]["values"]),
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """Something that a card points at."""

    name: str
    repository: str
    #: The characters that name it in the document.
    span: Span | None


class _Card:
    """What is gathered while one card is read."""

    def __init__(self, document: Document, entities: Sequence[LocalEntity]) -> None:
        self.document = document
        self.entities: dict[str, LocalEntity] = {}
        self._by_key: dict[object, set[str]] = {}
        for entity in entities:
            self._put(entity)
        self.edges: dict[tuple[str, str, str], list[Evidence]] = {}
        self.results: list[LocalResult] = []
        self.metadata = document.metadata
        self.subject = ""

    def add(self, entity: LocalEntity, repository: str) -> str:
        """Add ``entity``, or join it to the one of its name; return the canonical name."""
        likely = {c for key in _keys(entity, repository) for c in self._by_key.get(key, ())}
        if likely:
            for canonical, known in self.entities.items():
                if canonical in likely and _is_same(known, entity, repository):
                    self._put(_joined(known, entity, repository))
                    return canonical
        if entity.canonical in self.entities:
            entity = replace(entity, canonical=repository or f"{entity.canonical} (card)")
        self._put(entity)
        return entity.canonical

    def _put(self, entity: LocalEntity) -> None:
        self.entities[entity.canonical] = entity
        for key in _keys(entity, entity.repository):
            self._by_key.setdefault(key, set()).add(entity.canonical)

    def target(self, target: _Target, label: str) -> str:
        mentions: tuple[Mention, ...] = ()
        if target.span is not None:
            mentions = (Mention(target.span, label, 0.99, "metadata"),)
        aliases = (target.repository,) if target.repository else ()
        entity = LocalEntity(target.name, label, False, mentions, aliases, target.repository)
        return self.add(entity, target.repository)

    def edge(self, relation: str, tail: str, evidence: Evidence) -> None:
        if tail != self.subject:
            self.edges.setdefault((self.subject, relation, tail), []).append(evidence)

    def evidence(
        self, field: str, span: Span, target: Span | None, rule: str, confidence: float, kind: str
    ) -> Evidence:
        return Evidence(
            document=self.document.id,
            field=field,
            span=span,
            sentence=span.of(self.document.text),
            kind=kind,
            extractor="card",
            rule=rule,
            confidence=confidence,
            object=target,
        )

    def fact(self, key: str, value: str) -> None:
        subject = self.entities[self.subject]
        value = clean(value)
        known = subject.facts
        if value and len(known) < _FACTS_LIMIT and (key, value) not in known:
            facts = (*known, (key, value))
            self.entities[self.subject] = replace(subject, facts=facts)


def _keys(entity: LocalEntity, repository: str) -> set[object]:
    """Return keys, of which two entities share one wherever :func:`_is_same` holds of them."""
    keys: set[object] = {name_key(name) for name in (entity.canonical, *entity.aliases)}
    if repository:
        keys |= {name_key(repository), repository.casefold()}
    if entity.label == "Model":
        keys |= {name_key(parse(entity.canonical).name), identity(entity.canonical)}
    return keys


def _is_same(known: LocalEntity, other: LocalEntity, repository: str) -> bool:
    data = {"Dataset", "Benchmark"}
    if known.label != other.label and not {known.label, other.label} <= data:
        return False
    if known.repository and repository:
        return known.repository.casefold() == repository.casefold()
    names = {name_key(name) for name in (known.canonical, *known.aliases)}
    if name_key(other.canonical) in names or (repository and name_key(repository) in names):
        return not (known.label == "Model" and known.repository and not repository)
    return known.label == "Model" and same_model(known.canonical, other.canonical)


def _joined(known: LocalEntity, other: LocalEntity, repository: str) -> LocalEntity:
    names = {known.canonical, *known.aliases}
    aliases = [n for n in (other.canonical, *other.aliases) if n not in names]
    spans = {m.span for m in known.mentions}
    free = [m for m in other.mentions if not any(m.span.overlaps(s) for s in spans)]
    mentions = (*known.mentions, *(replace(m, label=known.label) for m in free))
    return replace(
        known,
        introduced=known.introduced or other.introduced,
        mentions=tuple(sorted(mentions)),
        aliases=(*known.aliases, *dict.fromkeys(aliases)),
        repository=known.repository or repository,
        facts=(*known.facts, *(f for f in other.facts if f not in known.facts)),
    )


def link_card(
    document: Document, entities: Sequence[LocalEntity]
) -> tuple[tuple[LocalEntity, ...], tuple[LocalEdge, ...], tuple[LocalResult, ...]]:
    """Return all entities (``entities`` and what the card declares), edges and results.

    The card's subject is marked as introduced and carries its repository and facts.  A field
    that cannot be understood is left out; nothing that a card holds raises an error.
    """
    own = (document.repository, subject_name(document))
    links = cardnames.linked(document, entities)
    card = _Card(document, cardnames.kept(document, entities, own, links))
    is_dataset = document.kind == "dataset-card"
    card.subject = _add_subject(card, "Dataset" if is_dataset else "Model")
    _linked(card, links)
    _side_file(card)
    _facts(card)
    if is_dataset:
        _source_datasets(card)
        _tasks(card, "task_categories")
    else:
        copied = _parents(card)
        _body_parents(card)
        if not copied:
            _datasets(card)
            _trainer_data(card)
            _model_index(card)
        _tasks(card, "pipeline_tag")
    edges = tuple(
        LocalEdge(head, relation, tail, tuple(dict.fromkeys(evidence)))
        for (head, relation, tail), evidence in card.edges.items()
    )
    return tuple(card.entities.values()), edges, tuple(card.results)


def corrected(
    document: Document, declared: Sequence[LocalEdge], edges: Iterable[LocalEdge]
) -> tuple[LocalEdge, ...]:
    """Return the ``edges`` read in the prose that what a card ``declared`` leaves standing.

    "This model is a fine-tuned version of X on the Y dataset" is a trainer's template: it says
    nothing of what X was trained on, and a card's data is its model's, not its parents'.  A family
    stands where the name bears it or the sentence names both.
    """
    text, end = document.text, min(len(document.text), document.body + _BODY_LIMIT)
    lines = []
    for match in _TRAINER.finditer(text, document.body, end):
        if target_of(match["value"]) is not None:
            # What follows in the line is prose again: "The dataset is distilled from ...".
            data = _TRAINER_DATA.match(text, match.end(), end)
            lines.append(Span(match.start(), data.end() if data else match.end()))
    edges = tuple(edges)
    lineage = {name for name, relation in schema.relations().items() if relation.lineage}
    parents = {edge.tail for edge in (*declared, *edges) if edge.relation in lineage}
    shown = tuple(
        edge
        for edge in edges
        if (edge.relation != "memberOf" or _is_family(edge))
        and not (edge.relation == "trainedOn" and edge.head in parents)
    )
    return cardnames.stated_by_template(shown, lines, declared) if lines else shown


def _is_family(edge: LocalEdge) -> bool:
    wanted = identity(edge.tail)
    if any(identity(step) == wanted for step in families(edge.head)):
        return True
    # LEGAL-BERT-FP goes on from LEGAL-BERT; "MosaicML Platform" is no name of one piece.
    if edge.head.casefold().startswith(re.sub(r"[\s-]+", "-", edge.tail).casefold() + "-"):
        return not re.search(r"\s", edge.head)
    return any(
        item.subject is not None
        and item.object is not None
        and not item.subject.overlaps(item.object)
        and all(
            item.span.start <= named.start and named.end <= item.span.end
            for named in (item.subject, item.object)
        )
        for item in edge.evidence
    )


def subject_name(document: Document) -> str:
    """Return the name of what a card describes: its repository's, else its first heading's.

    Where the heading is no name ("Model Card"), the file gives it.
    """
    if document.repository:
        return document.repository.rpartition("/")[2]
    declared = document.metadata.get("model_name") or document.metadata.get("pretty_name")
    if isinstance(declared, str) and _is_name(declared) and "/" not in declared:
        return declared.strip()
    title = re.sub(r"^model card (?:for|of)\s+", "", document.title, flags=re.IGNORECASE)
    return title if _is_heading_of_a_name(title) else _path(document)


def _is_heading_of_a_name(title: str) -> bool:
    """Whether a title is one name: ``MyMerge-7B``, ``Llama 3.1 8B``, and no ``Introduction``."""
    if _PLAIN_NAME.fullmatch(title):
        return any(c.isdigit() for c in title) or any(c.isupper() for c in title[1:])
    return any(shape.start == 0 and shape.end == len(title) for shape in shapes(title))


def _path(document: Document) -> str:
    """Return what the document is called, without what only says that it is a card."""
    plain = re.sub(r"^card-|[-_/@.]*(?:readme)?(?:\.md)?$", "", document.id, flags=re.IGNORECASE)
    return plain or document.title or document.id


def _add_subject(card: _Card, label: str) -> str:
    document = card.document
    name = subject_name(document)
    if not document.repository and label == "Model":
        # A converted copy in a folder named after its parent is not its parent.
        bases = [t.name for t in _targets(card, "base_model")]
        if any(same_model(name, base) for base in bases):
            name = _path(document)
    names = [document.repository, name] if document.repository else [name]
    mentions = tuple(
        Mention(span, label, 0.99, "metadata")
        for span in _occurrences(document.text, names, document.body)
    )
    aliases = tuple(dict.fromkeys(alias for alias in names if alias != name))
    # What the text calls its own is the same thing only if the name agrees.
    entity = LocalEntity(name, label, True, mentions, aliases, document.repository)
    return card.add(entity, document.repository)


def _linked(card: _Card, links: Iterable[cardnames.Link]) -> None:
    """Add what the prose links to on the Hub, under the repository's name."""
    for link in links:
        label = _data_label(link.name) if link.is_data else "Model"
        card.target(_Target(link.name, link.repository, link.span), label)


def _occurrences(text: str, names: Sequence[str], start: int) -> Iterator[Span]:
    """Yield where one of ``names`` stands as whole words in the first part of the body."""
    alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w./-])(?:{alternatives})(?![\w/-]|\.\w)")
    for found, match in enumerate(pattern.finditer(text, start, start + _BODY_LIMIT)):
        if found == 20:
            return
        yield Span(*match.span())


# ---------------------------------------------------------------- front matter


def _values(value: object) -> list[str]:
    """Return a field's strings, whether it is one, a list, or a list of mappings with names."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, str | int | float):
        return [str(value).strip()]
    if isinstance(value, Mapping):
        named = value.get("name") or value.get("type") or value.get("id") or value.get("model")
        return _values(named) if not isinstance(named, Mapping) else []
    if isinstance(value, Sequence):
        return [text for item in value if not _is_list(item) for text in _values(item)]
    return []


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_name(text: str) -> bool:
    plain = text.strip().strip("\"'`").casefold()
    return (
        plain not in _meanings().nothing
        and 0 < len(plain) <= _NAME_LIMIT
        and "\n" not in plain
        and "{{" not in plain
        and any(c.isalpha() for c in plain)
    )


def target_of(text: str) -> tuple[str, str] | None:
    """Return ``(name, repository)`` of what a field's value points at; ``None`` for no name.

    A link to the Hub, a path in the Hub's cache and a repository give both; a bare name gives
    no repository; a local path gives nothing.
    """
    value = text.strip().strip("\"'`<>").strip()
    link = _LINK.search(value)
    if link:
        value = link["url"] if _HUB.match(link["url"]) else link["text"].strip("`* ")
    cached = _CACHE.search(value)
    if cached:
        value = f"{cached[1]}/{cached[2]}"
    hub = _HUB.match(value)
    if hub:
        value = hub["id"].rstrip(".,")
    elif "://" in value or _LOCAL.search(value):
        return None
    value = value.split("@")[0].rstrip("/")
    if not _is_name(value):
        return None
    if _REPOSITORY.fullmatch(value):
        return value.rpartition("/")[2], value
    return (value, "") if "/" not in value and _SHORT.fullmatch(value) else None


def _field_span(card: _Card, key: str, value: str) -> tuple[Span, Span | None]:
    """Return the line of the front matter that gives ``key`` the ``value``, and the value in it."""
    text = card.document.text
    line = key_span(text, key, value or None)
    if line is None:
        first = re.search(r"\S[^\n]*", text)
        return (Span(*first.span()) if first else Span(0, max(len(text), 1))), None
    return line, value_span(text, key, value) if value else None


def _line(text: str, start: int, end: int, limit: int) -> Span:
    """Return the line around ``text[start:end]`` without outer blanks; a flat card has no lines."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end, limit)
    stop = limit if stop < 0 else stop
    if stop - begin > 400 or "\n" not in text[:limit]:
        begin, stop = start, end
    while begin < stop and text[begin].isspace():
        begin += 1
    while begin < stop and text[stop - 1].isspace():
        stop -= 1
    return Span(begin, max(stop, begin + 1))


_FACTS: Final = (
    ("license", "license"),
    ("licence", "license"),
    ("licenses", "license"),
    ("license_name", "license_name"),
    ("license_link", "license_link"),
    ("library_name", "library"),
    ("pipeline_tag", "pipeline_tag"),
    ("language", "language"),
    ("quantized_by", "quantized_by"),
    ("model_creator", "creator"),
)


def _facts(card: _Card) -> None:
    """Add what the card states of its subject: licences, library, task, languages."""
    for key, fact in _FACTS:
        for value in _values(card.metadata.get(key))[:40]:
            plain = value.casefold() if fact == "license" else value
            if len(plain) <= 300 and plain.casefold() not in ("", "none", "null", fact):
                card.fact(fact, plain)


def _targets(card: _Card, key: str) -> Iterator[_Target]:
    for value in _values(card.metadata.get(key)):
        target = target_of(value)
        if target is not None:
            yield _Target(*target, None)


def _signs(card: _Card) -> frozenset[str]:
    """Return which kinds of relation the card's tags and library speak for."""
    words = {
        value.casefold()
        for key in ("tags", "tag", "library_name", "library")
        for value in _values(card.metadata.get(key))
    }
    return frozenset(sign for sign, known in _meanings().signs.items() if words & known)


def _tagged_relation(card: _Card, repository: str) -> str:
    """Return the relation in a tag of the Hub's own making, ``base_model:adapter:org/name``."""
    for value in _values(card.metadata.get("tags")):
        match = re.fullmatch(r"base_model:(\w+):(.+)", value)
        if match and match[2].casefold() == repository.casefold():
            return _meanings().relations.get(match[1].casefold(), "")
    return ""


def _relation(card: _Card, name: str, repository: str, several: bool) -> tuple[str, str, float]:
    """Return relation, rule and confidence for a parent whose relation is not declared."""
    tagged = _tagged_relation(card, repository)
    if tagged:
        return tagged, "base_model:tag", _DECLARED
    signs, subject = _signs(card), parse(card.document.repository or card.subject)
    parent = parse(repository or name)
    body = card.document.text[card.document.body : card.document.body + 20_000]
    more_bits = set(subject.quantisation) - set(parent.quantisation)
    is_tuned = "fine_tuning" in signs
    if more_bits:
        if _names_the_same(subject.name, name, repository):
            return "quantizedFrom", "base_model:name", 0.97
        # The card came along from the original, and so did its base_model.
        return "derivedFrom", "base_model:copied", 0.7
    if "adapter" in signs and "merge" not in signs and not subject.merge:
        return "adapterOf", "base_model:adapter-tag", _FROM_TAGS
    if "merge" in signs or (several and "adapter" not in signs):
        return "mergedFrom", "base_model:merge-tag" if "merge" in signs else "base_model:list", 0.9
    is_quantised = "quantisation" in signs or bool(card.metadata.get("quantized_by"))
    if is_quantised and not is_tuned:
        return "quantizedFrom", "base_model:quantisation-tag", _FROM_TAGS
    if is_tuned:
        return "fineTunedFrom", "base_model:training-tag", _FROM_TAGS
    if "format" in signs or set(subject.formats) - set(parent.formats):
        return "derivedFrom", "base_model:format", _UNSAID
    if subject.adapter:
        return "adapterOf", "base_model:name", _UNSAID
    if set(subject.tuning) - set(parent.tuning) - {"base", "pt"} or "finetuned" in subject.suffixes:
        return "fineTunedFrom", "base_model:name", _UNSAID
    if name_key(subject.name).endswith(name_key(name)):
        return "derivedFrom", "base_model:same-name", _UNSAID
    if re.search(r"fine-?\s?tun(?:ed|ing)|instruction-tuned|further trained", body, re.IGNORECASE):
        return "fineTunedFrom", "base_model:prose", 0.8
    return "derivedFrom", "base_model:unsaid", _UNSAID


def _names_the_same(child: str, name: str, repository: str) -> bool:
    """Whether ``child`` without its bits is the parent's name, or ``org-name``."""
    bare = without(child, "quantisation", "format")
    key = name_key(bare)
    return same_model(bare, name) or key in (name_key(name), name_key(repository.replace("/", "")))


def _parents(card: _Card) -> bool:
    """Add the parents of the front matter; return whether the card is that of a mere copy."""
    meanings = _meanings()
    declared = next(iter(_values(card.metadata.get("base_model_relation"))), "").casefold()
    copied = False
    for key, fixed in meanings.parents.items():
        values = _values(card.metadata.get(key))[:_PARENTS_LIMIT]
        for value in dict.fromkeys(values):
            target = target_of(value)
            if target is None:
                if (
                    key == "base_model"
                    and any(c.isalpha() for c in value)
                    and value.casefold() not in meanings.nothing
                ):
                    card.fact("parent_gap", value[:200])
                continue
            name, repository = target
            if repository and repository.casefold() == card.document.repository.casefold():
                continue
            relation, rule, confidence = fixed, key, _DECLARED
            if not fixed:
                relation = meanings.relations.get(declared, "") if key.startswith("base_") else ""
                rule = f"{key}:{declared}"
            if not relation:
                relation, rule, confidence = _relation(card, name, repository, len(values) > 1)
            span, inner = _field_span(card, key, value)
            tail = card.target(_Target(name, repository, inner), "Model")
            card.edge(
                relation,
                tail,
                card.evidence(f"yaml:{key}", span, inner, rule, confidence, "declared"),
            )
            copied = copied or relation == "quantizedFrom" or rule.endswith((":format", ":copied"))
    return copied


def _side_file(card: _Card) -> None:
    """Add the parents that a configuration beside a card states."""
    text = card.document.text
    config = card.metadata.get("adapter_config")
    if isinstance(config, Mapping):
        found = _ADAPTER.search(text)
        value = config.get("base_model_name_or_path")
        if found and isinstance(value, str):
            _declare(card, "adapterOf", value, Span(*found.span()), "adapter_config")
    if isinstance(card.metadata.get("mergekit_config"), Mapping) and len(text) <= _BLOCK_LIMIT:
        _mergekit(card, 0, text)


def _is_generic(name: str, repository: str) -> bool:
    """Whether ``name`` is a word: in a repository of somebody it need not be the benchmark."""
    return "/" in repository and name_key(name) in _meanings().generic


def _data_label(name: str, repository: str = "") -> str:
    plain = name_key(name.rpartition("/")[2])
    is_benchmark = plain in _meanings().benchmarks and not _is_generic(name, repository)
    return "Benchmark" if is_benchmark else "Dataset"


def _data_target(name: str, repository: str, span: Span | None) -> _Target:
    """Return the target of a data field; as ``camel-ai/math`` is not MATH, its owner stays."""
    own = f"{name} ({repository.rpartition('/')[0]})"
    return _Target(own if _is_generic(name, repository) else name, repository, span)


def _datasets(card: _Card) -> None:
    """Add what the front matter says the model was trained on."""
    for key in ("datasets", "dataset"):
        for value in dict.fromkeys(_values(card.metadata.get(key))[:_PARENTS_LIMIT]):
            target = target_of(value)
            if target is None:
                continue
            span, inner = _field_span(card, key, value)
            tail = card.target(_data_target(*target, inner), _data_label(*target))
            card.edge(
                "trainedOn",
                tail,
                card.evidence(f"yaml:{key}", span, inner, key, 0.93, "declared"),
            )


_TRAINER_DATA: Final = re.compile(
    r"[ \t]+on[ \t]+(?:the|an?)[ \t]+(?P<value>\[[^\]\n]{1,300}\]\([^)\s]{1,500}\)|[\w./-]+)"
    r"(?:[ \t]+-[ \t]+\w+)?[ \t]+dataset\b"
)


def _trainer_data(card: _Card) -> None:
    """Add the data set that a trainer's sentence names; ``None`` and ``an unknown`` are none."""
    text, start = card.document.text, card.document.body
    end = min(len(text), start + _BODY_LIMIT)
    for match in islice(_TRAINER.finditer(text, start, end), _LINES_LIMIT):
        data = _TRAINER_DATA.match(text, match.end(), end)
        target = target_of(data["value"]) if data else None
        if data is None or target is None:
            continue
        name = target[0]
        at = text.find(name, data.start("value"), data.end("value"))
        inner = Span(at, at + len(name)) if at >= 0 else None
        tail = card.target(_data_target(*target, inner), _data_label(*target))
        line = _line(text, match.start(), data.end(), end)
        evidence = card.evidence("body", line, inner, "trainer-sentence", _TEMPLATE, "extracted")
        card.edge("trainedOn", tail, evidence)


def _source_datasets(card: _Card) -> None:
    """Add the datasets that a dataset card says it was made from."""
    for value in dict.fromkeys(_values(card.metadata.get("source_datasets"))[:100]):
        name = value.rpartition("|")[2]
        if name.startswith("other-"):
            name = name.removeprefix("other-")
        target = target_of(name)
        if target is None or name.casefold() in ("extended", "other"):
            continue
        span, inner = _field_span(card, "source_datasets", value)
        if inner is not None:
            inner = Span(inner.end - len(name), inner.end)
        tail = card.target(_data_target(*target, inner), _data_label(*target))
        evidence = card.evidence(
            "yaml:source_datasets", span, inner, "source_datasets", 0.95, "declared"
        )
        card.edge("derivedFrom", tail, evidence)


def _tasks(card: _Card, key: str) -> None:
    for value in dict.fromkeys(_values(card.metadata.get(key))[:20]):
        if not re.fullmatch(r"[a-z][a-z0-9-]{2,50}", value) or value in _meanings().nothing:
            continue
        span, inner = _field_span(card, key, value)
        tail = card.target(_Target(value.replace("-", " "), "", inner), "Task")
        card.edge(
            "addressesTask",
            tail,
            card.evidence(f"yaml:{key}", span, inner, key, 0.95, "declared"),
        )


# ---------------------------------------------------------------- model-index


def _model_index(card: _Card) -> None:
    """Add the scores of ``model-index`` as results, and what they were measured on as edges."""
    start = 0
    text, end = card.document.text, card.document.body
    head = re.search(r"^model[-_]index[ \t]*:", text[:end], re.MULTILINE)
    start = head.end() if head else 0
    index = card.metadata.get("model-index") or card.metadata.get("model_index")
    written = _written_values(text, start, end)
    for result in islice(_results(index), _RESULTS_LIMIT):
        dataset = result.get("dataset")
        dataset = dataset if isinstance(dataset, Mapping) else {}
        on = _index_dataset(card, dataset)
        metrics = result.get("metrics")
        if isinstance(metrics, Mapping):
            metrics = [metrics]
        for metric in metrics if isinstance(metrics, Sequence) else ():
            if not isinstance(metric, Mapping) or len(card.results) >= _RESULTS_LIMIT:
                continue
            start = _index_metric(card, metric, on, written, start)


def _results(index: object) -> Iterator[Mapping[str, Any]]:
    models = index if isinstance(index, Sequence) and not isinstance(index, str) else [index]
    for model in models:
        results = model.get("results") if isinstance(model, Mapping) else None
        for result in results if isinstance(results, Sequence) else ():
            if isinstance(result, Mapping):
                yield result


def _index_dataset(card: _Card, dataset: Mapping[str, Any]) -> str | None:
    """Add the dataset that a result names; return its canonical name."""
    name = next(iter(_values(dataset.get("name"))), "")
    kind = next(iter(_values(dataset.get("type"))), "")
    target = target_of(kind)
    shown = name if _is_name(name) and len(name) <= 80 else (target[0] if target else "")
    if not shown or not _is_name(shown):
        return None
    repository = target[1] if target else ""
    # "MTEB ArguAna" of mteb/arguana is the dataset; the suite is named by its own card.
    span, inner = _field_span(card, "model-index", name or kind)
    label = _data_label(kind or shown)
    canonical = card.target(_Target(shown, repository, inner), label)
    evidence = card.evidence("yaml:model-index", span, inner, "model-index", 0.97, "declared")
    if (card.subject, "evaluatedOn", canonical) not in card.edges:
        card.edge("evaluatedOn", canonical, evidence)
    return canonical


_VALUE: Final = re.compile(r"\bvalue[ \t]*:[ \t]*(?P<value>[^ \t\n](?:[^\n]*[^ \t\n])?)[ \t]*")


def _index_metric(
    card: _Card,
    metric: Mapping[str, Any],
    on: str | None,
    written_at: Mapping[str | float, Sequence[Span]],
    start: int,
) -> int:
    """Add one score; return where the next one is to be looked for."""
    value = metric.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return start
    if isinstance(value, float) and not math.isfinite(value):
        return start
    name = next((v for k in ("name", "type") for v in _values(metric.get(k)) if _is_name(v)), "")
    metric_name = None
    if name and len(name) <= 60:
        metric_name = card.target(_Target(name, "", None), "Metric")
    written, span = str(value).strip(), None
    places = written_at.get(written if isinstance(value, str) else float(value), ())
    at = bisect_left(places, start, key=lambda place: place.start)
    if at < len(places):
        span = places[at]
        written, start = _plain_value(span.of(card.document.text)), span.end
    if not written or len(written) > 80:
        return start
    if span is None:
        span, _ = _field_span(card, "model-index", "")
    evidence = card.evidence("yaml:model-index", span, None, "model-index", 0.97, "declared")
    card.results.append(LocalResult(card.subject, on, metric_name, written, (evidence,)))
    return start


def _written_values(text: str, start: int, end: int) -> Mapping[str | float, Sequence[Span]]:
    """Return where each value of the index is written, by its characters and by its number."""
    found: dict[str | float, list[Span]] = {}
    for match in _VALUE.finditer(text, start, end):
        span = Span(*match.span())
        plain = _plain_value(match.group())
        found.setdefault(plain, []).append(span)
        with suppress(ValueError):
            found.setdefault(float(plain), []).append(span)
    return found


def _plain_value(line: str) -> str:
    return line.partition(":")[2].strip(" \t").strip("\"'")


# ---------------------------------------------------------------- the body


def _body_parents(card: _Card) -> None:
    """Add the parents that blocks and template lines of the body name."""
    text, start = card.document.text, card.document.body
    end = min(len(text), start + _BODY_LIMIT)
    for is_json, block in _fenced(text, start, end):
        if block.end - block.start <= _BLOCK_LIMIT:
            code = block.of(text)
            if not is_json and _MERGE_BLOCK.search(code):
                _mergekit(card, block.start, code)
            adapter = _ADAPTER.search(text, block.start, block.end)
            if adapter:
                _declare(card, "adapterOf", adapter[1], Span(*adapter.span()), "adapter_config")
    for match in islice(_GGUF.finditer(text, start, end), _LINES_LIMIT):
        is_data = match["what"] == "dataset"
        target = target_of(match["url"])
        if target is None:
            continue
        label = _data_label(target[0]) if is_data else "Model"
        tail = card.target(_Target(*target, Span(*match.span("url"))), label)
        span = Span(match.start(), match.end("url"))
        evidence = card.evidence("body", span, Span(*match.span("url")), "gguf", 0.95, "declared")
        card.edge("trainedOn" if is_data else "derivedFrom", tail, evidence)
    for match in islice(_FIELD.finditer(text, start, end), _LINES_LIMIT):
        key = match["key"].casefold()
        fixed = next((r for word, r in _FIELD_RELATION.items() if word in key), "")
        value = match["value"]
        links = list(islice(_LINK.finditer(value), _PARENTS_LIMIT))
        more = (link for link in links[1:] if (at := _HUB.match(link["url"])) and not at["data"])
        for parent in (
            links[0].group() if links else _first_name(value),
            *(m.group() for m in more),
        ):
            _declare(card, fixed, parent, Span(match.start("key"), match.end()), "field")
    for match in islice(_TRAINER.finditer(text, start, end), _LINES_LIMIT):
        line = _line(text, match.start(), match.end(), end)
        _declare(card, "fineTunedFrom", match["value"], line, "trainer-sentence", "extracted")


def _fenced(text: str, start: int, end: int) -> Iterator[tuple[bool, Span]]:
    """Yield what stands in each block of code, and whether that is said to be JSON."""
    fence = text.find("```", start, end)
    while fence >= 0:
        line = text.find("\n", fence, end)
        close = text.find("```", line + 1, end) if line >= 0 else -1
        if close < 0:
            return
        if line + 1 < close:
            yield _JSON.match(text, fence) is not None, Span(line + 1, close)
        fence = text.find("```", close + 3, end)


def _first_name(value: str) -> str:
    """Return the repository or the first word of ``value``, which may go on in prose."""
    plain = value.strip("*_` \t")
    word = re.match(r"[\w./:+\\-]+", plain)
    return word.group().rstrip(".,") if word else ""


def _declare(
    card: _Card, fixed: str, value: str, span: Span, rule: str, kind: str = "declared"
) -> None:
    """Add a parent that the body names in ``span``; a local path is a gap, not a parent."""
    target = target_of(value)
    if target is None:
        if _LOCAL.search(value):
            card.fact("parent_gap", value[:200])
        return
    name, repository = target
    own = card.document.repository.casefold()
    if own and repository.casefold() == own:
        return
    if rule == "field" and not repository and not any(c.isdigit() for c in name):
        return  # "Original model: here" names nothing
    at = card.document.text.find(name, span.start, span.end)
    inner = Span(at, at + len(name)) if at >= 0 else None
    relation, confidence = fixed, _TEMPLATE
    if not relation:
        relation, _, confidence = _relation(card, name, repository, False)
    tail = card.target(_Target(name, repository, inner), "Model")
    stated = (name for name in schema.relations() if (card.subject, name, tail) in card.edges)
    known = sorted(stated)
    if known and (relation == "derivedFrom" or (relation, known[0]) == _WIDER):
        relation = known[0]  # says no more than what is declared already
    card.edge(relation, tail, card.evidence("body", span, inner, rule, confidence, kind))


def _mergekit(card: _Card, offset: int, code: str) -> None:
    """Add every parent of a mergekit configuration, each quoted with its weight."""
    method = re.search(r"^[^\S\n]*(?:- )?merge_method:\s*[\"']?([\w-]+)", code, re.MULTILINE)
    if method is None and not re.search(
        r"^[^\S\n]*(?:-[^\S\n]*)?(?:source_)?model:", code, re.MULTILINE
    ):
        return
    if method:
        card.fact("merge_method", method[1])
    for value, weight in _merge_models(code)[:_PARENTS_LIMIT]:
        for part in value.split("+"):
            target = target_of(part)
            if target is None:
                if part.strip():
                    card.fact("parent_gap", part[:200])
                continue
            at = code.find(part)
            if at < 0:
                continue
            stop = _block_end(code, at)
            span = _trimmed(card.document.text, offset + code.rfind("\n", 0, at) + 1, offset + stop)
            inner = Span(offset + at, offset + at + len(part))
            tail = card.target(_Target(*target, inner), "Model")
            if weight:
                card.fact("merge_weight", f"{target[1] or target[0]}={weight}")
            card.edge(
                "mergedFrom", tail, card.evidence("body", span, inner, "mergekit", 0.97, "declared")
            )


def _block_end(code: str, at: int) -> int:
    """Return where the list item that names a model at ``at`` ends: before the next item."""
    end = code.find("\n", at)
    end = len(code) if end < 0 else end
    line = code[code.rfind("\n", 0, at) + 1 : end]
    indent = len(line) - len(line.lstrip(" -"))
    while end < len(code):
        following = code.find("\n", end + 1)
        following = len(code) if following < 0 else following
        after = code[end + 1 : following]
        depth = len(after) - len(after.lstrip())
        if not after.strip() or after.lstrip().startswith("- ") or depth < indent:
            return end
        end = following
    return end


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, max(end, start + 1))


_WRITTEN: Final = re.compile(r'"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"')


def _merge_models(code: str) -> list[tuple[str, str]]:
    """Return ``(model, weight)`` of every model in a mergekit configuration, in order."""
    parsed = _load_yaml(code)
    if parsed is None:
        names = re.findall(
            r"^[^\S\n]*(?:- )?(?:base_model|source_model|model):\s*[\"']?([^\"'\n#]+)",
            code,
            re.MULTILINE,
        )
        return list(dict.fromkeys((name.strip(), "") for name in names))
    found: dict[str, str] = {}
    for node in _nodes(parsed, set()):
        for key in ("model", "source_model", "base_model"):
            value = node.get(key)
            if isinstance(value, Mapping):
                value = value.get("model") or value.get("path")
            if isinstance(value, str):
                parameters = node.get("parameters")
                weight = parameters.get("weight") if isinstance(parameters, Mapping) else None
                known = found.setdefault(value, "")
                if weight is not None and key == "model" and not known:
                    # "0.50" is a number that would not survive the way there and back.
                    found[value] = _WRITTEN.sub(
                        lambda number: str(float(number[1])), json.dumps(weight)
                    )[:60]
    return list(found.items())


def _nodes(value: object, seen: set[int], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings in ``value``; what aliases repeat is yielded once."""
    if depth > 8 or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Mapping):
        yield value
        children: Iterable[object] = value.values()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        children = value
    else:
        return
    for child in children:
        yield from _nodes(child, seen, depth + 1)


def _load_yaml(code: str) -> list[object] | None:
    """Return the values of a YAML block's documents, or ``None`` where it is none."""
    if len(code) > _BLOCK_LIMIT:
        return None
    try:
        return [parse_any(part) for part in re.split(r"^---(?=\s|$)", code, flags=re.MULTILINE)]
    except (YAMLError, Refused):
        return None
