"""When two spellings are one name: keys, variants, initials. Words come from ontology/."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from kg.resources import ontology
from kg.text import name_key

#: Marks that typesetting leaves in a name: ``$\tau$-bench``, ``**SIFT**``, ``WMT'14``, ``A (L)``.
_DEBRIS = re.compile(r"[$\\{}()*^`'’‘\"“”]")
#: An article before a name of several words, which is no part of it: the One Billion Word corpus.
_ARTICLE = re.compile(r"the\s+(?=\S+[\s\-_]+\S)", re.IGNORECASE)
#: A blank or hyphen between two digits keeps them apart: "Llama 3 8B" is no "Llama 38B".
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-_‐-―−]+(?=\d)")
#: Stands for such a gap inside a key; no name holds it.
_GAP = "\x02"
#: Two digits that can be the end of a year, with a letter before them: AIME24, WMT14 En-De.
_SHORT_YEAR = re.compile(r"(?<=[a-z])([012]\d)(?![\d.])")
#: A word that many papers coin anew: a few letters and no digit.
_COINABLE = re.compile(r"[^\W\d_]{1,6}")
#: Lexicon tables in the order of their trust, strongest last.
_TABLES = ("curated.tsv", "core.tsv")
#: Labels whose names are mostly common nouns, which have a plural.
GENERIC = frozenset({"Method", "Task", "Metric"})


@lru_cache(maxsize=32_768)
def key(name: str) -> str:
    """Return what the spellings of one name share.

    Case, blanks, hyphens and typesetting go, but a gap between two digits stays:

    >>> key("DeepSeek V3") == key("Deepseek-V3"), key("Llama 3 8B") == key("Llama 38B")
    (True, False)
    """
    plain = _DEBRIS.sub("", name)
    return name_key(_BETWEEN_DIGITS.sub(_GAP, plain)) or name_key(name) or name


def is_named_as(name: str, repository: str) -> bool:
    """Whether a Hub repository is called exactly ``name``, whatever its case, blanks and hyphens.

    A document that states a repository for something more narrow (a split, a setting, a copy)
    says where it comes from, not what it is:

    >>> is_named_as("DeepSeek R1", "deepseek-ai/DeepSeek-R1"), is_named_as("MATH Lvl 5", "o/MATH")
    (True, False)
    """
    return key(repository.rpartition("/")[2]) == key(name.rpartition("/")[2])


def is_coinable(name: str) -> bool:
    """Whether ``name`` is so short and plain that different papers may coin it for themselves."""
    return _COINABLE.fullmatch(name.strip()) is not None


@dataclass(frozen=True, slots=True)
class Variant:
    """Another key that a name would have, were it spelt otherwise."""

    key: str
    #: The reason as :class:`kg.values.Merge` gives it.
    reason: str
    score: float


def variants(name: str, labels: frozenset[str]) -> Iterator[Variant]:
    """Yield the keys under which the same thing may be known, the surest first.

    They are proposals: only a key that the corpus knows is taken up.
    """
    own = key(name)
    if labels & {"Benchmark", "Dataset"} and _SHORT_YEAR.search(own):
        yield Variant(_SHORT_YEAR.sub(r"20\1", own), "year", 0.97)
    if labels & {"Benchmark", "Dataset"} and (article := _ARTICLE.match(name)):
        yield Variant(key(name[article.end() :]), "spelling", 0.95)
    if labels & {"Model", "Dataset"}:
        for prefix in vendors():
            rest = own.removeprefix(prefix)
            if rest != own and len(rest) > 1 and re.search(r"[a-z]", rest):
                yield Variant(rest.lstrip(_GAP), "organisation", 0.95)
        organisation, slash, last = name.partition("/")
        if slash and "/" not in last and key(organisation) in organisations():
            yield Variant(key(last), "organisation", 0.95)
    if _GAP in own:
        yield Variant(own.replace(_GAP, "."), "spelling", 0.9)
    if labels <= GENERIC and len(own) > 5 and own.endswith("s") and not own.endswith(("ss", "is")):
        if own.endswith("ies"):
            yield Variant(own[:-3] + "y", "spelling", 0.95)
        yield Variant(own[:-1], "spelling", 0.95)


def is_initialism(short: str, long: str) -> bool:
    """Whether ``short`` can be read off the words of ``long``: SinKD, GRPO, RoPE, MoE.

    Each letter of the short form stands in the long form in the same order, the first one at
    the beginning of a word, and the short form is clearly shorter.
    """
    letters = [c for c in short.casefold() if c.isalnum()]
    if letters and letters[-1] == "s" and short[-1] == "s":
        letters.pop()
    words = long.casefold()
    if not 2 <= len(letters) <= 12 or len(letters) * 2 > len(words):
        return False
    position = 0
    for index, letter in enumerate(letters):
        position = words.find(letter, position)
        if position < 0 or (index == 0 and position > 0 and words[position - 1].isalnum()):
            return False
        position += 1
    starts = sum(word[0] in letters for word in re.findall(r"\w+", words))
    return starts * 2 >= len(letters)


@dataclass(frozen=True, slots=True)
class Known:
    """What the lexicon says of a spelling."""

    name: str
    type: str
    #: ``label``, ``alias``, ``abbreviation`` or ``ambiguous``.
    scope: str


@cache
def lexicon() -> dict[str, Known]:
    """Return the lexicon by key; where two tables disagree, the one made by hand wins."""
    known: dict[str, Known] = {}
    for table in _TABLES:
        with (ontology("lexicon") / table).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                known[key(row["text"])] = Known(row["name"], row["type"], row["scope"])
    return known


@cache
def _organisation_table() -> tuple[tuple[str, str], ...]:
    path = ontology("organisations.tsv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple((row["name"], row["kind"]) for row in rows)


@cache
def organisations() -> frozenset[str]:
    """Return the keys of Hub organisations that publish originals."""
    return frozenset(key(name) for name, kind in _organisation_table() if kind == "hub")


@cache
def vendors() -> tuple[str, ...]:
    """Return the keys of makers whose name people put before a model's, the longest first."""
    keys = {key(name) for name, kind in _organisation_table() if kind == "maker"}
    return tuple(sorted(keys, key=lambda k: (-len(k), k)))
