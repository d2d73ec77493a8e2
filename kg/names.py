"""What the name of a model says: organisation, family, version, size, variant, bits and parents.

``Qwen/Qwen2.5-32B-Instruct-AWQ`` is family ``Qwen``, version ``2.5``, size ``32B``, tuned as
``instruct``, quantised by ``awq``.  The words are data: ``ontology/model_names.toml``.

Two spellings of one name unify (:func:`same_model`: case, blanks, hyphens aside); names that differ
in size, version, variant, date or bits never do (:func:`compatible`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from kg.resources import ontology
from kg.text import name_key


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a name, what it means, and how it is written for comparison."""

    #: ``word``, ``version``, ``size``, ``active``, ``experts``, ``context``, ``date``, or a
    #: heading of ``[words]`` in ``model_names.toml``: ``tuning``, ``line``, ``quantisation``, ...
    kind: str
    #: Where it stands in :attr:`ModelName.name`.
    start: int
    end: int
    #: Its form for comparison: lower case, no leading ``v`` on a version.
    value: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A parent that a name suggests."""

    relation: str
    parent: str
    #: Which rule of this module saw it, e.g. ``name:quantised``.
    rule: str


@dataclass(frozen=True, slots=True)
class ModelName:
    """The parts of a model's name. All but the names are in lower case."""

    #: The name as given, without organisation and file ending.
    name: str
    #: What stands before the slash of a repository, as given.
    organisation: str
    #: The family as it is shown: ``Qwen``, ``DeepSeek``, or the name's own first words.
    family: str
    #: Whether :attr:`family` is one that ``model_names.toml`` lists.
    known: bool
    #: Versions in order: ``("2.5",)``, ``("r1",)``.
    versions: tuple[str, ...]
    #: Numbers of parameters: ``("32b",)``, ``("8x7b",)``.
    sizes: tuple[str, ...]
    #: Parameters active for a token: ``3b`` of ``30B-A3B``.
    active: str
    #: Lines and tiers: ``coder``, ``vl``, ``mini``.
    lines: tuple[str, ...]
    #: How it was tuned: ``instruct``, ``chat``, ``dpo``; ``base`` where the name says so.
    tuning: tuple[str, ...]
    #: Length of context where the name says it: ``1m``, ``128k``.
    context: str
    #: Date of release as digits: ``20240806``, ``2410``.
    date: str
    quantisation: tuple[str, ...]
    formats: tuple[str, ...]
    adapter: tuple[str, ...]
    merge: tuple[str, ...]
    #: Whether the name says that it was distilled.
    distilled: bool
    #: Words after the first technical part that mean nothing to us: ``finetuned``, ``ner``.
    suffixes: tuple[str, ...]
    #: The parts in order.
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> str:
        """The number of parameters as people write it (``32B``, ``30B-A3B``), or empty."""
        total = "-".join(self.sizes)
        return f"{total}-a{self.active}".upper() if self.active else total.upper().replace("X", "x")


@dataclass(frozen=True, slots=True)
class _Words:
    kind: Mapping[str, str]
    families: Mapping[str, str]
    organisations: Mapping[str, frozenset[str]]


@cache
def _words() -> _Words:
    table: dict[str, Any] = tomllib.loads(ontology("model_names.toml").read_text(encoding="utf-8"))
    kind: dict[str, str] = {}
    for heading, words in table["words"].items():
        for word in words:
            kind.setdefault(word, heading)
    families: dict[str, str] = {}
    organisations: dict[str, frozenset[str]] = {}
    for family in table["family"]:
        shown = family["names"][0]
        organisations[shown] = frozenset(o.casefold() for o in family["organisations"])
        for name in family["names"]:
            families[name_key(name)] = shown
    return _Words(kind, families, organisations)


_SEPARATOR: Final = r"\s\-_/:,;()\[\]~‐-―−"
_END: Final = rf"(?=[{_SEPARATOR}]|$)"
#: Special parts that hold separators or digits, before plain words; each begins at a word's start.
_PIECE: Final = re.compile(
    rf"""
      (?P<quantisation> i?q[1-8](?:_[0-9a-z]{{1,2}}){{0,3}}{_END}
                      | \d(?:\.\d{{1,2}})?[-_ ]?bits?{_END}
                      | \d{{1,2}}(?:[._]\d{{1,2}})?[-_ ]?bpw(?:-?h\d)?{_END}
                      | w\d{{1,2}}a\d{{1,2}}(?:kv\d+)?(?:g\d+)?{_END}
                      | (?:u?int|nf|fp|mxfp|nvfp)[-_]?[1-8](?:bit|[-_]?e\dm\d)?{_END}
                      | (?:\d{{2,3}}g|g\d{{2,3}}|gs\d{{2,3}}){_END} )
    | (?P<date> 20[12]\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01]){_END}
              | 20[12]\d[-_.](?:0[1-9]|1[0-2]){_END}
              | (?:0[1-9]|1[0-2])[-_]20[12]\d{_END}
              | 2[2-9](?:0[1-9]|1[0-2]){_END}
              | (?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_END} )
    | (?P<experts> \d{{1,3}}x\d{{1,4}}(?:[._]\d+)?[bm]?{_END} )
    | (?P<size> \d+(?:[._]\d+)?[bmt]{_END} | \d{{1,2}}b\d{{1,2}}{_END} )
    | (?P<active> a\d+(?:\.\d+)?[bm]{_END} )
    | (?P<effective> e\d+b{_END} )
    | (?P<context> \d+(?:\.\d+)?k{_END} )
    | (?P<version> v?\d{{1,3}}(?:[._]\d{{1,3}})*{_END} )
    | (?P<word> [^{_SEPARATOR}]+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GLUED: Final = re.compile(
    r"(?P<word>[a-z]+?)(?P<number>(?:v|r)?\d+(?:[._]\d+)*)(?P<rest>[a-z]*)", re.IGNORECASE
)
_SIZE: Final = re.compile(r"\d+(?:\.\d+)?[bm]", re.IGNORECASE)
_SERIES: Final = re.compile(r"[a-z]{1,2}\d{1,2}(?:\.\d+)?", re.IGNORECASE)
_SUFFIX: Final = re.compile(r"\.(gguf|ggml|safetensors|bin|pt|pth|onnx|md)$", re.IGNORECASE)
_REPOSITORY: Final = re.compile(r"(?P<organisation>[\w.-]+)/(?P<name>[^/\s]+)")
_SIZES: Final = ("size", "experts", "active", "effective")
#: What belongs to a base model's name inside another name.
_EMBEDDED: Final = frozenset(
    {"word", "version", "size", "experts", "active", "line", "tier", "base", "casing"}
)


@lru_cache(maxsize=32_768)
def parse(name: str) -> ModelName:
    """Return the parts of ``name``, which may be a repository (``org/name``) or a plain name."""
    whole = unicodedata.normalize("NFKC", name).strip()
    organisation = ""
    repository = _REPOSITORY.fullmatch(whole)
    if repository and not re.fullmatch(r"[\dlshgb]+", repository["name"], re.IGNORECASE):
        organisation, whole = repository["organisation"], repository["name"]
    whole = _SUFFIX.sub("", whole) or whole
    family, known, pieces = _classify(whole, list(_split(whole)))
    return _collect(whole, organisation, family, known, pieces)


def _split(name: str) -> Iterable[Piece]:
    """Cut ``name`` at separators and between glued words and numbers (``Qwen2.5VL``)."""
    words = _words()
    for match in _PIECE.finditer(name):
        kind, text = str(match.lastgroup), match.group()
        start, end = match.span()
        if kind != "word":
            yield Piece(kind, start, end, _value(kind, text))
            continue
        glued = _GLUED.fullmatch(text)
        if glued and name_key(text) not in words.families and text.casefold() not in words.kind:
            head, number, rest = glued["word"], glued["number"], glued["rest"]
            is_family = name_key(head) in words.families
            middle = start + len(head)
            if is_family and _SIZE.fullmatch(text[len(head) :]):
                yield Piece("word", start, middle, head.casefold())
                yield Piece("size", middle, end, text[len(head) :].casefold())
                continue
            rest_kind = words.kind.get(rest.casefold())
            if is_family or (len(head) > 2 and (not rest or rest_kind)):
                yield Piece("word", start, middle, head.casefold())
                if rest and not rest_kind:
                    # GPT4o, gemma3n: the letter belongs to the version.
                    yield Piece("version", middle, end, _value("version", number + rest))
                    continue
                yield Piece("version", middle, middle + len(number), _value("version", number))
                if rest:
                    yield Piece(str(rest_kind), middle + len(number), end, rest.casefold())
                continue
        yield Piece("word", start, end, text.casefold())


def _value(kind: str, text: str) -> str:
    value = text.casefold()
    if kind == "version":
        value = value.replace("_", ".").removeprefix("v")
        return value[:-2] if value.count(".") == 1 and value.endswith(".0") else value
    if kind == "date":
        digits = re.sub(r"\D", "", value)
        return digits[2:] + digits[:2] if re.match(r"\d\d[-_]20", value) else digits
    if kind in ("size", "experts"):
        value = value.replace("_", ".")
        return re.sub(r"^(\d+)b(\d+)$", r"\1.\2b", value)
    if kind == "quantisation":
        return re.sub(r"[-_ ]", "", value) if "bit" in value or "bpw" in value else value
    return value.removeprefix("a") if kind == "active" else value


def _classify(name: str, pieces: list[Piece]) -> tuple[str, bool, tuple[Piece, ...]]:
    """Return the family, whether it is a known one, and the pieces with their words understood."""
    words = _words()
    length, shown = _family_at(pieces, 0)
    technical = shown is not None or any(
        piece.kind in ("size", "experts", "version", "date") for piece in pieces[1:]
    )
    done: list[Piece] = []
    family_over = False
    for index, piece in enumerate(pieces):
        kind = piece.kind
        if index < length:
            kind = "word"
        elif kind == "word":
            plain = technical or (" " not in name and index == len(pieces) - 1)
            kind = _kind_of_word(piece, index, plain, family_over, words)
        elif index == 0:
            kind = "word" if kind in ("version", "date", "quantisation") else kind
        elif kind == "size" and piece.value[-1] == "m" and _has_size(done):
            kind = "context"  # Qwen2.5-7B-Instruct-1M
        elif kind == "active" and not _has_size(done):
            kind = "size"
        family_over = family_over or kind != "word"
        value = "distill" if kind == "distillation" else piece.value
        done.append(Piece(kind, piece.start, piece.end, value))
    if shown is None:
        first = [piece for piece in done if piece.kind == "word"]
        shown = name[first[0].start : first[-1].end] if first else name
    return shown, length > 0, tuple(done)


def _has_size(pieces: list[Piece]) -> bool:
    return any(piece.kind in ("size", "experts") for piece in pieces)


def _kind_of_word(
    piece: Piece, index: int, technical: bool, family_over: bool, words: _Words
) -> str:
    if index == 0:
        return "word"
    kind = words.kind.get(piece.value)
    # Long forms ("Large Language and Vision Assistant") hold such words without meaning a variant.
    if kind and (technical or kind in ("quantisation", "distillation", "adapter", "fine_tuning")):
        return kind
    if _SERIES.fullmatch(piece.value):
        return "version"
    if re.fullmatch(r"\d+[a-z]", piece.value):
        return "version"  # GPT-4o
    return "suffix" if family_over else "word"


def _family_at(pieces: list[Piece], index: int) -> tuple[int, str | None]:
    """Return how many pieces from ``index`` on name a known family, and how it is shown."""
    families = _words().families
    for length in (3, 2, 1):
        taken = pieces[index : index + length]
        if len(taken) == length and all(piece.kind == "word" for piece in taken):
            shown = families.get("".join(name_key(piece.value) for piece in taken))
            if shown is not None:
                return length, shown
    return 0, None


def _collect(
    name: str, organisation: str, family: str, known: bool, pieces: tuple[Piece, ...]
) -> ModelName:
    def of(*kinds: str) -> tuple[str, ...]:
        return tuple(piece.value for piece in pieces if piece.kind in kinds)

    return ModelName(
        name=name,
        organisation=organisation,
        family=family,
        known=known,
        versions=of("version"),
        sizes=of("size", "experts", "effective"),
        active="".join(of("active")[:1]),
        lines=of("line", "tier", "casing"),
        tuning=of("tuning", "mode", "base"),
        context="".join(of("context")[:1]),
        date="".join(of("date")[:1]),
        quantisation=of("quantisation"),
        formats=of("format"),
        adapter=of("adapter"),
        merge=of("merge"),
        distilled=bool(of("distillation")) or name_key(name).startswith("distil"),
        suffixes=of("suffix", "fine_tuning", "distillation"),
        pieces=pieces,
    )


def _words_key(parsed: ModelName) -> str:
    """Return the name's own words joined, a known family under its one spelling."""
    length, _ = _family_at(list(parsed.pieces), 0)
    own = [name_key(p.value) for p in parsed.pieces[length:] if p.kind == "word"]
    head = name_key(parsed.family) if parsed.known else ""
    return head + "".join(own)


def _technical(parsed: ModelName) -> tuple[object, ...]:
    """Return what two names must share to name one model, apart from the words of the family."""

    def unordered(values: tuple[str, ...]) -> tuple[str, ...]:
        # Sorted rather than a set, whose order, and so its text, is another in each process.
        return tuple(sorted(set(values)))

    return (
        ".".join(parsed.versions),
        unordered(parsed.sizes),
        parsed.active,
        unordered(parsed.lines),
        unordered(parsed.tuning),
        parsed.context,
        parsed.date,
        unordered(parsed.quantisation),
        unordered(parsed.adapter),
        unordered(parsed.merge),
        unordered(parsed.suffixes),
    )


@lru_cache(maxsize=32_768)
def identity(name: str) -> tuple[object, ...]:
    """Return what all spellings of one model's name share, the organisation aside."""
    parsed = parse(name)
    return (_words_key(parsed), *_technical(parsed))


def compatible(one: str, other: str) -> bool:
    """Whether nothing in the two names says that they name different models.

    Different sizes, versions, variants, dates, contexts or quantisations do, and so do
    different organisations of two repositories.
    """
    a, b = parse(one), parse(other)
    if a.organisation and b.organisation and a.organisation.casefold() != b.organisation.casefold():
        return False
    return _technical(a) == _technical(b)


def same_model(one: str, other: str) -> bool:
    """Whether the two names are spellings of one: only case, blanks, hyphens and order differ.

    An organisation in front of one of them counts as a spelling only where it is the one that
    publishes the family (``Qwen/Qwen2.5-7B`` is Qwen2.5-7B, ``someone/Qwen2.5-7B`` may not be).
    """
    a, b = parse(one), parse(other)
    if not compatible(one, other):
        return False
    if bool(a.organisation) != bool(b.organisation) and not (official(a) or official(b)):
        return False
    return name_key(a.name) == name_key(b.name) or identity(one) == identity(other)


def official(name: ModelName) -> bool:
    """Whether ``name`` is a repository of the organisation that publishes its family."""
    published_by = _words().organisations.get(name.family, frozenset()) if name.known else None
    if published_by is None:
        return False
    return name.organisation.casefold() in published_by


@lru_cache(maxsize=32_768)
def family_chain(name: str) -> tuple[str, ...]:
    """Return the families that ``name`` belongs to, widest first, and ``name`` itself last.

    ``Qwen2.5-32B-Instruct`` gives ``Qwen``, ``Qwen2.5``, ``Qwen2.5-32B``, and itself.  It is
    containment of names, not ancestry.
    """
    parsed = parse(name)
    pieces = list(parsed.pieces)
    length, shown = _family_at(pieces, 0)
    chain: list[str] = []
    for end in range(1, len(pieces)):
        if _holds_together(parsed, end):
            continue
        step = shown if shown and end == length else _join(parsed.name, pieces[:end])
        if not chain or name_key(step) != name_key(chain[-1]):
            chain.append(step)
    if chain and name_key(chain[-1]) == name_key(parsed.name):
        chain.pop()
    return (*chain, parsed.name)


def _holds_together(parsed: ModelName, end: int) -> bool:
    """Whether the pieces before and after ``end`` are one step of a name.

    What a distilled name says before ``Distill`` is its teacher, what a fine-tuned one says
    after ``finetuned`` is its data, and a base model's name inside another one is one thing.
    """
    kinds = [piece.kind for piece in parsed.pieces]
    if end == _family_length(parsed):
        return False
    split = kinds.index("distillation") if "distillation" in kinds else 0
    inner = _embedded_at(parsed)
    return (
        end < _family_length(parsed)
        or kinds[end - 1] == kinds[end]
        or (kinds[end - 1], kinds[end]) in (("size", "active"), ("word", "suffix"))
        or "fine_tuning" in kinds[:end]
        or end <= split
        or (split > 0 and kinds[end] in ("word", "suffix", "version") and end > split + 1)
        or (inner > 0 and inner < end and kinds[end] in ("word", "suffix", "version", "line"))
    )


def _family_length(parsed: ModelName) -> int:
    return _family_at(list(parsed.pieces), 0)[0]


@lru_cache(maxsize=32_768)
def families(name: str) -> tuple[str, ...]:
    """Return the names of families that ``name`` may be a member of, narrowest first.

    A family has no size and no bits: ``Qwen2.5-7B-Instruct-1M`` is of ``Qwen2.5-Instruct-1M``,
    ``Qwen2.5-1M``, ``Qwen2.5`` and ``Qwen``.  What somebody else made of a known family's
    model is no member of it, so a name with words of its own at the end has none.
    """
    parsed = parse(name)
    kinds = {piece.kind for piece in parsed.pieces}
    own_words = kinds & {"fine_tuning", "adapter", "merge", "quantisation", "format"}
    foreign = parsed.known and parsed.organisation and not official(parsed)
    if foreign or own_words or (parsed.known and "suffix" in kinds and not parsed.distilled):
        return ()
    steps: list[str] = []
    if kinds & {"size", "experts", "effective"}:
        steps.append(without(name, *_SIZES))
        steps.append(without(name, *_SIZES, "tuning", "mode", "base", "date"))
    for step in reversed(family_chain(name)[:-1]):
        inside = {piece.kind for piece in parse(step).pieces}
        if not inside & {*_SIZES, "context"}:
            steps.append(step)
    own = name_key(parsed.name)
    return tuple(dict.fromkeys(step for step in steps if step and name_key(step) != own))


def _join(name: str, pieces: list[Piece]) -> str:
    """Return the kept pieces with what stood before each of them in ``name``."""
    text = ""
    for index, piece in enumerate(pieces):
        if index:
            before = name[: piece.start]
            bare = before.rstrip(" -_/:,;()[]~‐‑‒–—―−")
            gap = before[len(bare) :].strip("()[],;:") or before[len(bare) :][:1]
            text += gap.replace("(", " ").replace("[", " ")
        text += name[piece.start : piece.end]
    return text.strip()


def without(name: str, *kinds: str) -> str:
    """Return ``name`` without the pieces of ``kinds``, e.g. without its quantisation."""
    parsed = parse(name)
    return _join(parsed.name, [piece for piece in parsed.pieces if piece.kind not in kinds])


@lru_cache(maxsize=32_768)
def parents(name: str) -> tuple[Hint, ...]:
    """Return the parents that ``name`` itself suggests, most telling first; often none.

    These are names, not facts: an edge is inferred only to a model that is known to exist, and
    never where a card or a text declares another parent.
    """
    parsed = parse(name)
    pieces = parsed.pieces
    kinds = [piece.kind for piece in pieces]
    hints: list[Hint] = []

    def prefix(end: int) -> str:
        return _join(parsed.name, list(pieces[:end]))

    if "quantisation" in kinds:
        bare = without(name, "quantisation", "format")
        if bare and parse(bare).pieces:
            hints.append(Hint("quantizedFrom", bare, "name:quantised"))
        return tuple(hints)
    if "distillation" in kinds and kinds.index("distillation") > 0:
        cut = kinds.index("distillation")
        if any(kind in ("version", "size", "tier") for kind in kinds[:cut]):
            hints.append(Hint("distilledFrom", prefix(cut), "name:distilled"))
        return tuple(hints)
    own = re.match(r"distil[-_]?(?=[a-z])(?!l(?:ed|ing|ation)?\b)", parsed.name, re.IGNORECASE)
    if own and _distilled_own(parsed.name[own.end() :]):
        rest = parsed.name[own.end() :]
        if "fine_tuning" not in kinds:
            return (Hint("distilledFrom", rest, "name:distil"),)
    if "fine_tuning" in kinds:
        cut = kinds.index("fine_tuning")
        if cut > 0:
            hints.append(Hint("fineTunedFrom", prefix(cut), "name:fine-tuned"))
        return tuple(hints)
    if "adapter" in kinds and "merge" not in kinds:
        cut = kinds.index("adapter")
        if cut > 0 and set(kinds[cut:]) <= {"adapter", "version", "date"}:
            hints.append(Hint("adapterOf", prefix(cut), "name:adapter"))
        return tuple(hints)
    if "merge" in kinds:
        return ()
    if "tuning" in kinds and parsed.known and parsed.sizes:
        cut = kinds.index("tuning")
        stem = [p for p in pieces if p.kind not in ("tuning", "date")]
        if pieces[cut].kind == "tuning" and "suffix" not in kinds and len(stem) < len(pieces):
            hints.append(Hint("fineTunedFrom", _join(parsed.name, stem), "name:tuned"))
    for end in range(len(pieces) - 1, _family_length(parsed), -1):
        narrow = set(kinds[:end]) & {"size", "experts", "tier", "base"}
        # Who adds words to a tuned model's name mostly means a sibling, tuned from the same base.
        tuned = any(p.kind == "tuning" and p.value not in ("base", "pt") for p in pieces[:end])
        if parsed.known and narrow and kinds[end] == "suffix" and not tuned:
            hints.append(Hint("derivedFrom", prefix(end), "name:prefix"))
    embedded = _embedded(parsed)
    if embedded:
        hints.append(Hint("derivedFrom", embedded, "name:embedded"))
    return tuple(hints)


def _distilled_own(rest: str) -> bool:
    """Whether what follows ``Distil`` is the name of a known family (DistilBERT)."""
    return parse(rest).known


def _unsuffixed(parsed: ModelName) -> list[Piece]:
    return [
        Piece("word" if p.kind == "suffix" else p.kind, p.start, p.end, p.value)
        for p in parsed.pieces
    ]


def _embedded_at(parsed: ModelName) -> int:
    """Return the piece where a known family begins inside a name that is not of it, or 0."""
    if parsed.known:
        return 0
    pieces = _unsuffixed(parsed)
    return next((i for i in range(1, len(pieces)) if _family_at(pieces, i)[0]), 0)


def _embedded(parsed: ModelName) -> str:
    """Return a known family's name with its size inside another name (``Titan-Llama-3.2-1B``)."""
    index = _embedded_at(parsed)
    if not index:
        return ""
    pieces = _unsuffixed(parsed)
    length, _ = _family_at(pieces, index)
    kept: list[Piece] = []
    for piece in pieces[index:]:
        if piece.kind not in _EMBEDDED or (piece.kind == "word" and len(kept) >= length):
            break
        kept.append(piece)
    if any(piece.kind in ("size", "experts", "tier") for piece in kept):
        return _join(parsed.name, kept)
    return ""
