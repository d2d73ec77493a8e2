"""Cues: words that state a relation between the names around them, read from ``cues.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kg.errors import UsageError
from kg.linker.view import Sentence, View
from kg.resources import ontology
from kg.values import LABELS

#: How many words a gap may hold.
_GAPS = {"..": 3, "...": 10, "....": 16}
_KEYS = {"id", "relation", "head", "tail", "pattern", "yes", "no"}
_SIZE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?[BbMm](?![A-Za-z])")
_NAME = re.compile(r"<\w+:[\d,]+~?> ")


@dataclass(frozen=True, slots=True)
class Cue:
    """One pattern and the relation that it states."""

    id: str
    relation: str
    head: frozenset[str]
    tail: frozenset[str]
    pattern: re.Pattern[str]
    #: Where a sentence holds none of these, the pattern cannot match.
    needs: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    #: Whether it states its relation by itself, with no learned linker to weigh it.
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class CueTable:
    """All that ``cues.toml`` says."""

    cues: tuple[Cue, ...]
    #: Phrase to the label of the introduced entity that it stands for, longest phrase first.
    implied: tuple[tuple[tuple[str, ...], str], ...]
    #: First word of an implied phrase to the places of the phrases that begin with it.
    implied_by_first: Mapping[str, tuple[int, ...]]
    comparison: re.Pattern[str]
    negation: re.Pattern[str]
    hedge: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """One cue that matched: places of the entities at both ends, in one sentence."""

    cue: Cue
    sentence: int
    head: int
    tail: int
    #: Which of the two stands there only as "our model" or is not named at all.
    head_implied: bool
    tail_implied: bool
    negated: bool
    hedged: bool


@lru_cache(maxsize=4)
def load(path: Path | None = None) -> CueTable:
    """Return the cues of ``path``, or of the project's own ``cues.toml``, checked and compiled."""
    path = path or ontology("cues.toml")
    table = _read(path)
    guards = {name: _alternatives(words) for name, words in table["guards"].items()}
    stop = f"(?:[<;]|{guards['comparison']} |{guards['negation']} )"
    stop_names = f"(?:[;]|{guards['comparison']} |{guards['negation']} )"
    we = _alternatives(table["we"]["words"])
    cues = tuple(
        _cue(path.name, number, entry, stop, stop_names, we)
        for number, entry in enumerate(table["cue"], 1)
    )
    phrases = sorted(
        ((tuple(phrase.split()), label) for label, of in table["implied"].items() for phrase in of),
        key=lambda item: (-len(item[0]), item),
    )
    by_first: dict[str, list[int]] = {}
    for place, (phrase, _) in enumerate(phrases):
        by_first.setdefault(phrase[0], []).append(place)
    return CueTable(
        cues,
        tuple(phrases),
        {first: tuple(places) for first, places in by_first.items()},
        *(
            re.compile(rf"(?:^|(?<= )){guards[name]} ")
            for name in ("comparison", "negation", "hedge")
        ),
    )


@lru_cache(maxsize=4)
def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        try:
            return tomllib.load(stream)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{path.name}: {error}") from None


def classes() -> dict[str, tuple[str, ...]]:
    """Return the classes of words of ``cues.toml``, in its order."""
    table = _read(ontology("cues.toml"))["classes"]
    return {name: tuple(words) for name, words in table.items()}


@lru_cache(maxsize=1)
def figures() -> dict[str, frozenset[str]]:
    """Return the classes of words that stand beside numbers."""
    table = _read(ontology("cues.toml"))["figures"]
    return {name: frozenset(words) for name, words in table.items()}


def _cue(
    file: str, number: int, entry: Mapping[str, Any], stop: str, stop_names: str, we: str
) -> Cue:
    where = f"{file}, cue {number} ({entry.get('id', 'without id')})"
    if missing := _KEYS - set(entry):
        raise UsageError(f"{where}: {', '.join(sorted(missing))} is missing")
    for end in ("head", "tail"):
        if unknown := set(entry[end]) - set(LABELS):
            raise UsageError(f"{where}: no label is called {sorted(unknown)[0]!r}")
    own = f"|{_alternatives(entry['stop'])} " if "stop" in entry else ""
    stops = {gap: f"(?:{stop_names if gap == '....' else stop}{own})" for gap in _GAPS}
    parts: list[str] = []
    needs: tuple[str, ...] = ()
    for element in entry["pattern"].split(" "):
        if element in _GAPS:
            parts.append(rf"(?:(?!{stops[element]})\S+ ){{0,{_GAPS[element]}}}?")
        elif element in {"HEAD", "TAIL"}:
            end = element.lower()
            labels = "|".join(sorted(entry[end]))
            parts.append(rf"<(?:{labels}):(?P<{end}>[\d,]+)(?P<{end}_implied>~?)> ")
        elif element == "WE":
            parts.append(f"{we} ")
        else:
            optional = element.endswith("?")
            words = element.removesuffix("?").split("|")
            if optional:
                words = [word for word in words if word]
            parts.append(f"(?:{_alternatives(words)} ){'?' if optional else ''}")
            literals = tuple(word.replace("_", " ").rstrip("*") for word in words)
            if not optional and min(map(len, literals)) > min(map(len, needs), default=0):
                needs = literals
    return Cue(
        entry["id"],
        entry["relation"],
        frozenset(entry["head"]),
        frozenset(entry["tail"]),
        re.compile("(?<![^ ])" + "".join(parts)),
        needs,
        tuple(entry["yes"]),
        tuple(entry["no"]),
        entry.get("trusted", True),
    )


def _alternatives(words: Iterable[str]) -> str:
    spelt = (re.escape(word.replace("_", " ")).replace(r"\*", r"\S*") for word in words)
    return f"(?:{'|'.join(spelt)})"


def masked(view: View, sentence: Sentence, table: CueTable) -> str:
    """Return ``sentence`` as one row of words, each followed by a blank, names and lists masked."""
    out: list[str] = []
    words = sentence.words
    entities = view.entities
    position, at = 0, 0
    names, lists = sentence.names, sentence.lists
    while at < len(words):
        owner = sentence.owners[at]
        if owner >= 0:
            members = [owner]
            while position + 1 < len(names) and lists[position + 1] == lists[position]:
                position += 1
                member = sentence.owners[names[position]]
                if member not in members:
                    members.append(member)
            at = names[position] + 1
            position += 1
            out.append(f"<{entities[owner].label}:{','.join(map(str, members))}>")
            if at < len(words) and words[at] == ")" and _open(words, at):
                at += 1
            continue
        implied = (
            _implied(view, sentence, table, at) if words[at] in table.implied_by_first else None
        )
        if implied:
            length, entity = implied
            if at + length < len(words) and sentence.owners[at + length] >= 0:
                # "our model Ant-32B" names it itself.
                out.extend(words[at : at + length])
                at += length
                continue
            out.append(f"<{entities[entity].label}:{entity}~>")
            at += length
            continue
        out.append("lt" if words[at] == "<" else words[at])
        at += 1
    return " ".join(out) + " "


def _open(words: Sequence[str], at: int) -> bool:
    """Whether the bracket closed at ``at`` was swallowed with a name: "SinKD (Sinkhorn KD)"."""
    depth = 0
    for word in words[:at]:
        depth += (word == "(") - (word == ")")
    return depth > 0 and "(" in words[max(0, at - 2) : at]


def _implied(view: View, sentence: Sentence, table: CueTable, at: int) -> tuple[int, int] | None:
    for place in table.implied_by_first[sentence.words[at]]:
        phrase, label = table.implied[place]
        if sentence.words[at : at + len(phrase)] == phrase:
            entity = introduced(view, (label,), sentence.index)
            return (len(phrase), entity) if entity is not None else None
    return None


def introduced(view: View, labels: Iterable[str], sentence: int) -> int | None:
    """Return the introduced entity of ``labels`` that "our model" means in ``sentence``, if any.

    Of several, the one named last before; else the most prominent one.
    """
    labels = set(labels)
    own = [place for place in view.introduced if view.entities[place].label in labels]
    if len(own) > 1:
        named = [
            (max(where for where, _ in view.places[place] if where <= sentence), -rank, place)
            for rank, place in enumerate(own)
            if any(where <= sentence for where, _ in view.places[place])
        ]
        if named:
            return max(named)[2]
    return own[0] if own else None


def find(view: View, table: CueTable | None = None) -> Iterator[Hit]:
    """Yield every cue that matches in ``view``, lists expanded to one hit a pair."""
    table = table or load()
    rows = [(s, masked(view, s, table)) for s in view.sentences if s.names]
    whole = "\n".join(row for _, row in rows)
    likely = [cue for cue in table.cues if any(need in whole for need in cue.needs)]
    for sentence, row in rows:
        for cue in likely:
            for need in cue.needs:
                if need in row:
                    for match in cue.pattern.finditer(row):
                        yield from _hits(view, sentence, cue, match, row, table)
                    break


def _hits(
    view: View,
    sentence: Sentence,
    cue: Cue,
    match: re.Match[str],
    row: str,
    table: CueTable,
) -> Iterator[Hit]:
    groups = match.groupdict()
    ends: dict[str, tuple[list[int], bool]] = {}
    for end, labels in (("head", cue.head), ("tail", cue.tail)):
        if groups.get(end):
            ends[end] = (
                [int(place) for place in groups[end].split(",")],
                bool(groups[f"{end}_implied"]),
            )
        else:
            entity = introduced(view, labels, sentence.index)
            if entity is None:
                return
            ends[end] = [entity], True
    clause = row[: match.start()].rpartition("; ")[2]
    before = " ".join(clause.split(" ")[-12:])
    scope = before + _NAME.sub("", match.group())
    negated = bool(table.negation.search(scope))
    hedged = bool(table.hedge.search(scope) or table.comparison.search(before))
    for head, tail in _matched(view, ends["head"][0], ends["tail"][0]):
        yield Hit(
            cue, sentence.index, head, tail, ends["head"][1], ends["tail"][1], negated, hedged
        )


def _matched(view: View, heads: list[int], tails: list[int]) -> Iterator[tuple[int, int]]:
    """Pair two lists: by size where both hold the same sizes, else each with each."""
    sizes = [[_size(view.entities[place].canonical) for place in side] for side in (heads, tails)]
    by_size = len(heads) > 1 and all(sizes[0]) and sorted(sizes[0]) == sorted(sizes[1])
    for head, size in zip(heads, sizes[0], strict=True):
        for tail, other in zip(tails, sizes[1], strict=True):
            if head != tail and (not by_size or size == other):
                yield head, tail


def _size(name: str) -> str:
    found = _SIZE.search(name)
    return found.group().lower() if found else ""
