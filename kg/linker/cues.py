"""Cues: words that state a relation between the names around them, read from ``cues.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from kg import schema
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
    #: ``tuned`` or ``untuned`` where it is read in such documents alone.
    document: str = ""
    #: Whether it is read in the prose of model cards, too.
    model_cards: bool = True
    #: How often it is right, where this was counted and not learned: the cues of cards.
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class CueTable:
    """All that ``cues.toml`` says."""

    cues: tuple[Cue, ...]
    #: Those of lineage that state it by themselves.
    lineage: tuple[Cue, ...]
    #: Those read in model cards alone.  The trees, which learned from papers, know nothing of them.
    card_cues: tuple[Cue, ...]
    #: What :attr:`Cue.needs` of all cues hold.
    needs: tuple[str, ...]
    #: Phrase to the label of the introduced entity that it stands for, longest phrase first.
    implied: tuple[tuple[tuple[str, ...], str], ...]
    #: First word of an implied phrase to the places of the phrases that begin with it.
    implied_by_first: Mapping[str, tuple[int, ...]]
    comparison: re.Pattern[str]
    negation: re.Pattern[str]
    hedge: re.Pattern[str]
    #: Up to where a clause says nothing of what follows: "but", a colon.
    resets: re.Pattern[str]
    #: What denies up to the next comma only: "without labels,".
    asides: re.Pattern[str]
    #: What denies nothing: "not only".
    not_only: re.Pattern[str]
    #: What denies right after its verb: "is not distilled from".
    inner: re.Pattern[str]
    #: A word that holds it.
    inner_word: re.Pattern[str]
    #: What a sentence of a card holds that says nothing of where a model comes from.
    boilerplate: re.Pattern[str]
    #: What stands before the name of a source: "distilled from".
    source: re.Pattern[str]
    #: What stands on a card before a name that the card's model only has in part: "this BERT".
    calls: re.Pattern[str]
    #: Single words by which the authors mean themselves.
    we: frozenset[str]
    #: What a document holds that speaks of training a model that was there before.
    tuning: re.Pattern[str]
    #: Names of methods that are spelt out for the cues of lineage.
    processes: re.Pattern[str]


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
    this = f"{_alternatives(table['this']['words'])}(?! {_alternatives(table['this']['others'])} )"
    cues, card_cues = (
        tuple(
            _cue(f"{path.name}, {kind} {number}", entry, stop, stop_names, we, this)
            for number, entry in enumerate(table[kind], 1)
        )
        for kind in ("cue", "card-cue")
    )
    phrases = sorted(
        ((tuple(phrase.split()), label) for label, of in table["implied"].items() for phrase in of),
        key=lambda item: (-len(item[0]), item),
    )
    by_first: dict[str, list[int]] = {}
    for place, (phrase, _) in enumerate(phrases):
        by_first.setdefault(phrase[0], []).append(place)
    relations = schema.relations()
    return CueTable(
        cues,
        tuple(cue for cue in cues if cue.trusted and relations[cue.relation].lineage),
        card_cues,
        tuple(sorted({need for cue in (*cues, *card_cues) for need in cue.needs})),
        tuple(phrases),
        {first: tuple(places) for first, places in by_first.items()},
        comparison=re.compile(rf"(?:^|(?<= )){guards['comparison']} "),
        negation=re.compile(rf"(?:^|(?<= )){guards['negation']} "),
        hedge=re.compile(rf"(?:^|(?<= )){guards['hedge']} "),
        resets=re.compile(rf"^.*(?<![^ ]){guards['resets']} "),
        asides=re.compile(rf"(?<![^ ]){guards['asides']} [^,]*, "),
        not_only=re.compile(rf"(?<![^ ]){guards['not_only']} "),
        inner_word=re.compile(rf"{guards['inner']}\Z"),
        # "Not large and distilled from" denies the first alone.
        inner=re.compile(
            rf"(?:(?<![^ ]){guards['inner']} |(?<=[a-z])n't(?= ))"
            r"(?! ?(?:[^<\s]\S* ){1,6}(?:and|but) )"
        ),
        boilerplate=re.compile(rf"(?:^|(?<= )){guards['boilerplate']} "),
        source=re.compile(rf"(?:^|(?<= )){guards['source']} (?:the |a |an )?$"),
        calls=re.compile(rf"(?:^|(?<= )){_alternatives(table['this']['calls'])} $"),
        we=frozenset(word for word in table["we"]["words"] if "_" not in word),
        tuning=re.compile(rf"(?:^|(?<= )){guards['tuning']} "),
        processes=re.compile(rf"(?:.* )?{guards['processes']}"),
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
    place: str, entry: Mapping[str, Any], stop: str, stop_names: str, we: str, this: str
) -> Cue:
    where = f"{place} ({entry.get('id', 'without id')})"
    on_cards = "chance" in entry
    if missing := _KEYS - set(entry):
        raise UsageError(f"{where}: {', '.join(sorted(missing))} is missing")
    for end in ("head", "tail"):
        if unknown := set(entry[end]) - set(LABELS):
            raise UsageError(f"{where}: no label is called {sorted(unknown)[0]!r}")
    own = f"|{_alternatives(entry['stop'])} " if "stop" in entry else ""
    gaps = {
        gap: rf"(?:(?!{stop_names if gap == '....' else stop}{own})\S+ ){{0,{most}}}?"
        for gap, most in _GAPS.items()
    }
    parts: list[str] = []
    needs: tuple[str, ...] = ()
    for element in entry["pattern"].split(" "):
        if element in _GAPS:
            parts.append(gaps[element])
        elif element in {"HEAD", "TAIL", "THIS"}:
            end = "tail" if element == "TAIL" else "head"
            labels = "|".join(sorted(entry[end]))
            name = rf"<(?:{labels}):(?P<{end}>[\d,]+)(?P<{end}_implied>~?)> "
            if on_cards and end == "tail":
                # Neither the card's own model nor what something else is based on.
                name = name.replace("~?", "") + "(?!- (?:based|like|style) )"
            alone = rf"(?:(?:{name}|{this} ){gaps['....']}|^(?:[-*•>] )?{gaps['..']})"
            parts.append(alone if element == "THIS" else name)
        elif element == "WE":
            parts.append(f"{we} ")
        elif element.startswith("!"):
            parts.append(rf"(?!{_alternatives(element[1:].split('|'))} )")
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
        entry.get("document", ""),
        entry.get("model_cards", True),
        entry.get("chance"),
    )


def _alternatives(words: Iterable[str]) -> str:
    spelt = (re.escape(word.replace("_", " ")).replace(r"\*", r"\S*") for word in words)
    return f"(?:{'|'.join(spelt)})"


def masked(
    view: View, sentence: Sentence, table: CueTable, spelt: frozenset[int] = frozenset()
) -> str:
    """Return ``sentence`` as one row of words, each followed by a blank, names and lists masked.

    The entities ``spelt`` are left in words.
    """
    out: list[str] = []
    words = sentence.words
    entities = view.entities
    position, at = 0, 0
    names, lists = sentence.names, sentence.lists
    while at < len(words):
        owner = sentence.owners[at]
        if owner in spelt:
            out.append(words[at])
            position += 1
            at += 1
            continue
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
        meant = implied(view, sentence, table, at) if words[at] in table.implied_by_first else None
        if meant:
            length, entity = meant
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
    return table.not_only.sub("", " ".join(out) + " ")


def _open(words: Sequence[str], at: int) -> bool:
    """Whether the bracket closed at ``at`` was swallowed with a name: "SinKD (Sinkhorn KD)"."""
    depth = 0
    for word in words[:at]:
        depth += (word == "(") - (word == ")")
    return depth > 0 and "(" in words[max(0, at - 2) : at]


def implied(view: View, sentence: Sentence, table: CueTable, at: int) -> tuple[int, int] | None:
    """Return how long the phrase at word ``at`` is that stands for an entity, and which entity.

    Nothing where no such phrase begins there, or the document introduces nothing of its label.
    """
    for place in table.implied_by_first.get(sentence.words[at], ()):
        phrase, label = table.implied[place]
        if sentence.words[at : at + len(phrase)] == phrase:
            entity = introduced(view, (label,), sentence.index)
            return (len(phrase), entity) if entity is not None else None
    return None


def introduced(view: View, labels: Iterable[str], sentence: int) -> int | None:
    """Return the introduced entity of ``labels`` that "our model" means in ``sentence``, if any.

    Of several, the one named last before; else the most prominent one, as always on a card, which
    is about one thing.
    """
    labels = set(labels)
    own = [place for place in view.introduced if view.entities[place].label in labels]
    if len(own) > 1 and not on_card(view):
        named = [
            (max(where for where, _ in view.places[place] if where <= sentence), -rank, place)
            for rank, place in enumerate(own)
            if any(where <= sentence for where, _ in view.places[place])
        ]
        if named:
            return max(named)[2]
    return own[0] if own else None


@dataclass(frozen=True, slots=True)
class Meant:
    """What one sentence means without naming it: entities, each with the word where it does."""

    #: By "our model", "this dataset".
    by_phrase: Mapping[int, int]
    #: By "we": the introduced entity of each label that was named last.
    by_we: frozenset[int]


def meant(view: View, sentence: Sentence) -> Meant:
    """Return the introduced entities that words of ``sentence`` stand for."""
    table = load()
    by_phrase: dict[int, int] = {}
    for at, word in enumerate(sentence.words):
        if word in table.implied_by_first and sentence.owners[at] < 0:
            found = implied(view, sentence, table, at)
            if found:
                by_phrase.setdefault(found[1], at)
    labels = {view.entities[place].label for place in view.introduced}
    speaks = any(word in table.we for word in sentence.words)
    by_we = {introduced(view, (label,), sentence.index) for label in labels} if speaks else set()
    return Meant(by_phrase, frozenset(place for place in by_we if place is not None))


def is_source(sentence: Sentence, at: int) -> bool:
    """Whether the name at word ``at`` is what something else comes from: "distilled from X"."""
    return bool(load().source.search(" ".join(sentence.words[max(0, at - 4) : at]) + " "))


def find(view: View, table: CueTable | None = None) -> Iterator[Hit]:
    """Yield every cue that matches in ``view``, lists expanded to one hit a pair."""
    table = table or load()
    card = on_card(view)
    read_here = [s for s in view.sentences if s.names and not (card and told_aside(view, s, table))]
    rows = [(s, masked(view, s, table)) for s in read_here]
    spelt = processes(view, table)
    again = [
        (s, masked(view, s, table, spelt))
        for s in read_here
        if spelt and any(s.owners[at] in spelt for at in s.names)
    ]
    of_cards: list[tuple[Sentence, str]] = []
    if view.document.kind == "model-card" and table.card_cues:
        methods = frozenset(
            place for place, entity in enumerate(view.entities) if entity.label == "Method"
        )
        of_cards = [(s, masked(view, s, table, methods)) for s in read_here]
    kind = "tuned" if tuned(view, table) else "untuned"
    whole = "\n".join(row for _, row in [*rows, *again, *of_cards])
    stand = {need for need in table.needs if need in whole}
    likely, likely_of_cards = (
        [
            cue
            for cue in some
            if not stand.isdisjoint(cue.needs)
            and cue.document in ("", kind)
            and (cue.model_cards or view.document.kind != "model-card")
        ]
        for some in (table.cues, table.card_cues)
    )
    relations = schema.relations()
    of_lineage = [cue for cue in likely if relations[cue.relation].lineage]
    known: set[tuple[str, int, int, int]] = set()
    for read, wanted in ((rows, likely), (again, of_lineage), (of_cards, likely_of_cards)):
        for sentence, row in read:
            here = {need for need in stand if need in row}
            for cue in wanted:
                if not here.isdisjoint(cue.needs):
                    for match in cue.pattern.finditer(row):
                        for hit in _hits(view, sentence, cue, match, row, table):
                            key = (cue.id, hit.sentence, hit.head, hit.tail)
                            if read is rows or key not in known:
                                yield hit
                            known.add(key)


def denials(view: View) -> Iterator[Hit]:
    """Yield what a sentence denies of lineage inside the words of a cue: "is not distilled from".

    Without its "not" the sentence states it, and with it no cue matches.  They are no numbers for
    the trees, which learned without them.
    """
    table = load()
    for sentence in view.sentences:
        if not sentence.names or not any(map(table.inner_word.search, sentence.words)):
            continue
        row = masked(view, sentence, table)
        bare = table.inner.sub("", row)
        if bare == row:
            continue
        for cue in table.lineage:
            stated = {
                (hit.head, hit.tail)
                for match in cue.pattern.finditer(row)
                for hit in _hits(view, sentence, cue, match, row, table)
            }
            for match in cue.pattern.finditer(bare):
                for hit in _hits(view, sentence, cue, match, bare, table):
                    if (hit.head, hit.tail) not in stated:
                        yield replace(hit, negated=True)


def on_card(view: View) -> bool:
    """Whether the document is a model or dataset card."""
    return view.document.kind.endswith("card")


def told_aside(view: View, sentence: Sentence, table: CueTable) -> bool:
    """Whether a sentence of a card is a heading, or tells of licences, reports and people."""
    text = sentence.span.of(view.document.text).strip("-•: ")
    bold = text.startswith("**") and text.endswith("**")
    heading = text.startswith("#") or (bold and not text.strip("*").endswith((".", "!", "?")))
    return heading or table.boilerplate.search(" ".join(sentence.words) + " ") is not None


def tuned(view: View, table: CueTable | None = None) -> bool:
    """Whether the document speaks of training a model that was there before."""
    pattern = (table or load()).tuning
    return any(pattern.search(" ".join(s.words) + " ") for s in view.sentences)


def processes(view: View, table: CueTable) -> frozenset[int]:
    """Return the methods whose names say where a model comes from: "continual pre-training"."""
    return frozenset(
        place
        for place, entity in enumerate(view.entities)
        if entity.label == "Method"
        and any(
            table.processes.fullmatch(mention.span.of(view.document.text).lower())
            for mention in entity.mentions
        )
    )


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
        if groups.get(end) and not (end == "head" and _is_own(view, match, row, table)):
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
    # Of what lies further back nothing is asked, and a clause may be as long as a text.
    near = table.resets.sub("", " ".join(clause.split(" ")[-40:]))
    before = " ".join(table.asides.sub("", near).split(" ")[-12:])
    scope = before + _NAME.sub("", match.group())
    negated = bool(table.negation.search(scope))
    hedged = bool(table.hedge.search(scope) or table.comparison.search(before))
    for head, tail in _matched(view, ends["head"][0], ends["tail"][0]):
        yield Hit(
            cue, sentence.index, head, tail, ends["head"][1], ends["tail"][1], negated, hedged
        )


def _is_own(view: View, match: re.Match[str], row: str, table: CueTable) -> bool:
    """Whether the head's name only says what a card's model is: "this BERT model is ..."."""
    if view.document.kind != "model-card":
        return False
    name = row.rindex("<", 0, match.start("head"))
    return table.calls.search(row, 0, name) is not None


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
