"""Names that are known by their looks: a family, a version, a size, a variant."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from kg.ner.spelling import key
from kg.resources import ontology

#: What hangs together without blanks and can be a name.
CHUNK: Final = re.compile(r"[^\W_](?:[\w.+'’@^]*[\w+])?(?:[-‑–/][\w.+'’@^]*[\w+])*")
SIZE: Final = re.compile(r"\d+(?:\.\d+)?[BMKTbm](?:-?[Aa]\d+(?:\.\d+)?[Bb])?")
_VERSION: Final = re.compile(r"[vV]?\d+(?:\.\d+)*[a-z]?")
_HUB: Final = re.compile(r"(?<![\w/.-])[A-Za-z][\w.-]*/[A-Za-z][\w.-]*\d[\w.-]*(?<![.-])(?![\w/])")
_BENCH: Final = re.compile(
    r"(?:[Bb]ench|BENCH|Arena|Eval|EVAL|Leaderboard)"
    r"(?:[-_ ]?(?:v|V)?\d+(?:\.\d+)*|[-_](?:[A-Z]\w*|v\d+))?\+*$"
)
_NUMBERED_EXAM: Final = re.compile(
    r"(?:AIME|AMC|HMMT|MATH|GSM|AIMO|CNMO|BRUMO|CMIMC|IMO)[-'’ ]?(?:20)?\d\d?\d?[kK]?"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A stretch that looks like a name of this label, and how well."""

    start: int
    end: int
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Looks:
    """The words of ``ontology/names.toml``."""

    families: frozenset[str]
    longest_family: int
    weak: frozenset[str]
    variants: frozenset[str]
    describing: frozenset[str]


@cache
def name_words() -> dict[str, Any]:
    """Return the word lists of ``ontology/names.toml``."""
    return tomllib.loads(ontology("names.toml").read_text(encoding="utf-8"))


@cache
def looks() -> Looks:
    """Return what is known of the looks of names."""
    data = name_words()
    families = frozenset(key(family) for family in data["families"]["model"])
    return Looks(
        families,
        max(map(len, families)),
        frozenset(key(family) for family in data["families"]["weak"]),
        frozenset(data["families"]["variants"]),
        frozenset(data["spans"]["describing"]),
    )


@cache
def _nothing() -> tuple[frozenset[str], re.Pattern[str]]:
    words = name_words()["nothing"]
    machines = "|".join(words["machines"])
    return frozenset(map(key, words["makers"])), re.compile(machines, re.IGNORECASE)


def names_nothing(surface: str) -> bool:
    """Whether a name is a maker's or a machine's: ``OpenAI``, ``OpenAI's``, ``TPU v3-8``."""
    makers, machines = _nothing()
    return key(re.sub("['’]s$", "", surface)) in makers or machines.fullmatch(surface) is not None


def shapes(text: str) -> list[Shape]:
    """Return the stretches of ``text`` that look like names, in order; they may overlap."""
    words = looks()
    chunks = list(CHUNK.finditer(text))
    found: list[Shape] = []
    covered = 0
    for hub in _HUB.finditer(text):
        if _family(hub[0].split("/")[1], words):
            found.append(Shape(hub.start(), hub.end(), "Model", 0.9))
    for i, chunk in enumerate(chunks):
        if chunk.start() < covered or (chunk[0].islower() and chunk[0].isalpha()):
            continue
        shape = _model(text, chunks, i) or _exam(text, chunk) or _bench(text, chunk)
        if shape:
            found.append(shape)
            covered = shape.end
    return found


@lru_cache(maxsize=32_768)
def trimmed(chunk: str) -> str:
    """Return ``chunk`` without endings that describe: ``BERT-based`` is ``BERT``."""
    while True:
        head, hyphen, tail = chunk.rpartition("-")
        if hyphen and tail.casefold() in looks().describing:
            chunk = head
            continue
        return re.sub(r"['’]s$|['’]$", "", chunk)


def family(name: str) -> str:
    """Return the family with which ``name`` begins, folded, or nothing."""
    return _family(name, looks())


def _family(name: str, words: Looks) -> str:
    folded = key(name)
    for length in range(min(words.longest_family, len(folded)), 1, -1):
        family = folded[:length]
        if family in words.families:
            rest = _behind(name, length)
            if not rest or not rest[0].isalpha() or rest[0].isupper() or rest[0] == "v":
                return family
    return ""


def _behind(name: str, length: int) -> str:
    """Return what follows the first ``length`` letters and digits of ``name``."""
    count = 0
    for i, c in enumerate(name):
        if count == length:
            return name[i:]
        if c.isalnum():
            count += 1
    return ""


def _model(text: str, chunks: list[re.Match[str]], i: int) -> Shape | None:
    chunk = chunks[i]
    begun = _beginning(chunk[0])
    if begun is None:
        return None
    name, family, strong = begun
    end = chunk.start() + len(name)
    j = i
    while end == chunks[j].end() and j + 1 < len(chunks):
        following = chunks[j + 1]
        word = trimmed(following[0])
        if text[end : following.start()] != " " or not _extends(word, strong):
            break
        strong = True
        end = following.start() + len(word)
        j += 1
    if not strong and family in looks().weak:
        return None
    return Shape(chunk.start(), end, "Model", 0.9 if strong else 0.8)


@lru_cache(maxsize=32_768)
def _beginning(chunk: str) -> tuple[str, str, bool] | None:
    """Return the model's name that a chunk begins with, its family or nothing, and how sure."""
    words = looks()
    name = trimmed(chunk)
    if "/" in name:
        name = name.split("/")[0] if not re.search(r"[A-Z]/\d+$", name) else name
    if not any(c.isupper() for c in name) and not any(c.isdigit() for c in name):
        return None
    family = _family(name, words)
    size = re.search(r"(?:^|-)" + SIZE.pattern + r"(?:-|$)", name)
    inside = not family and any(
        _family(part, words) not in ("", *words.weak) and part[:1].isupper()
        for part in name.split("-")[1:]
    )
    if not family and not (size and name[0].isalpha() and "-" in name) and not inside:
        return None
    strong = bool(size) or inside
    rest = _behind(name, len(family)) if family else ""
    if family and (re.search(r"\d", rest) or (rest and family not in words.weak)):
        strong = True
    return name, family, strong


def _extends(word: str, strong: bool) -> bool:
    parts = word.split("-")
    folded = parts[0].casefold()
    if SIZE.fullmatch(parts[0]):
        return True
    if _VERSION.fullmatch(parts[0]):
        return len(parts[0]) <= 4 and ("." in parts[0] or parts[0][0] in "vV" or len(parts[0]) <= 2)
    known = folded in looks().variants or word.casefold() in looks().variants
    return known and (
        word[0].isupper() or (strong and folded in _LOWER_VARIANTS) or folded in ("base", "large")
    )


_LOWER_VARIANTS: Final = frozenset(
    {"base", "large", "small", "tiny", "mini", "nano", "turbo", "preview", "medium"}
)


def _exam(text: str, chunk: re.Match[str]) -> Shape | None:
    exam = _NUMBERED_EXAM.match(text, chunk.start())
    if exam and not text[exam.end() : exam.end() + 1].isalnum():
        return Shape(exam.start(), exam.end(), "Benchmark", 0.9)
    return None


def _bench(text: str, chunk: re.Match[str]) -> Shape | None:
    name = trimmed(chunk[0]).split("/")[0]
    if len(name) > 5 and name[0].isupper() and _BENCH.search(name):
        return Shape(chunk.start(), chunk.start() + len(name), "Benchmark", 0.85)
    return None
