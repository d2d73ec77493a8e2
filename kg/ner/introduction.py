"""Which entities a document presents as its own contribution."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from kg.ner import coined
from kg.ner.coined import any_of
from kg.ner.lexicon import Lexicon
from kg.ner.logistic import Features
from kg.ner.shapes import family, looks, name_words
from kg.ner.spelling import Parts, key
from kg.text import sentence_at, sentences
from kg.values import Mention, Span


@dataclass(frozen=True, slots=True)
class Cues:
    """The words of ``ontology/names.toml`` around a paper's own work, as patterns."""

    subject_of: re.Pattern[str]
    #: For text in lower case, in which so many alternatives are found faster than in any case.
    others: re.Pattern[str]
    evaluated: re.Pattern[str]
    released: re.Pattern[str]
    new: re.Pattern[str]
    component: re.Pattern[str]
    prepositions: re.Pattern[str]


@cache
def cues() -> Cues:
    """Return the cues, compiled once."""
    words = {name: any_of(listed) for name, listed in name_words()["presenting"].items()}
    return Cues(
        re.compile(
            r"['’]?s?\s+(?:\([^()]*\)\s*)?"
            rf"(?:{words['subject_adverbs']}\s)*{words['subject_of']}",
        ),
        re.compile(rf"{words['others']}\s+(?:the\s+)?(?:[\w-]+[ ,]+){{0,2}}$"),
        re.compile(rf"\b{words['evaluated']}\b[^.]{{0,40}}$"),
        re.compile(
            rf"\b(?:we|code|data|our)\b[^.]{{0,60}}\b{words['released']}\w*[^.]{{0,60}}$",
            re.IGNORECASE,
        ),
        re.compile(rf"\b{words['new']}\s+(?:[\w-]+\s+){{0,5}}$", re.IGNORECASE),
        re.compile(rf"\b{words['component']}\w*\b"),
        re.compile(rf"\b{words['prepositions']}\b"),
    )


_LISTED_BEFORE: Final = re.compile(r"[,(]\s*(?:and\s+)?$")
_LISTED_AFTER: Final = re.compile(r"\s*[,)]")
_PARTS: Final = re.compile(r"\s*(?:consists|comprises|has|is|are) (?:of )?(?:two|three|four)")
#: So much before a name is read of a sentence, which no sentence of prose is as long as.
_BEFORE: Final = 2000
_PURPOSE: Final = re.compile(r"\)?\s*(?:to|that|which|for|:|,)")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is read once of a document."""

    text: str
    title_end: int
    sentences: list[Span]
    #: Where "we introduce" and its like begin and end, in order.
    verb_starts: Sequence[int]
    verb_ends: Sequence[int]
    lead: tuple[int, int] | None
    #: Abbreviated and long spans, both ways.
    partners: Mapping[Span, Span]
    #: Where the mentions of all entities begin, in order.
    starts: Sequence[int]
    cues: Cues


def setting(text: str, partners: Mapping[Span, Span], mentions: Iterable[Mention]) -> Setting:
    """Return what the features of every entity of ``text`` share."""
    line = text.find("\n")
    verbs = coined.own_verbs(text)
    return Setting(
        text,
        line if line >= 0 else 0,
        sentences(text),
        [start for start, _ in verbs],
        [end for _, end in verbs],
        coined.title_lead(text),
        partners,
        sorted(mention.span.start for mention in mentions),
        cues(),
    )


def features(seen: Setting, name: str, mentions: Sequence[Mention], lexicon: Lexicon) -> Features:
    """Return what speaks for and against an entity being the document's own."""
    text = seen.text
    label = mentions[0].label
    found: Features = {f"label {label}": 1.0, "mentions": min(len(mentions), 8) / 8}
    proper = any(any(c.isupper() for c in m.span.of(text)[1:]) for m in mentions)
    found["proper"] = float(proper)
    found[f"proper {label}"] = float(proper)
    entry = lexicon.get(name)
    found["known"] = float(entry is not None)
    found["known well"] = float(entry is not None and (entry.seen >= 3 or not entry.seen))
    of_family = family(name) if label == "Model" else ""
    found["family"] = float(bool(of_family) and of_family not in looks().weak)
    body = [m for m in mentions if m.span.start >= seen.title_end]
    title = [m for m in mentions if m.span.start < seen.title_end]
    found["in title"] = float(bool(title))
    found["in title proper"] = float(bool(title) and proper)
    found["title only"] = float(not body)
    if title and title[0].span.start == 0:
        found["title start"] = 1.0
    if seen.lead:
        for mention in title:
            if (mention.span.start, mention.span.end) == seen.lead:
                found["title lead"] = 1.0
            elif mention.span.end <= seen.lead[1]:
                found["within title lead"] = 1.0
    position = (body or title)[0].span.start / max(len(text), 1)
    found["first at"] = position
    for mention in mentions:
        _of_mention(seen, mention, found)
    for flag in ("own verb", "own verb first", "called", "ours", "apposition", "subject"):
        if found.get(flag):
            found[f"{flag} {'proper' if proper else 'term'}"] = 1.0
    return found


def _of_mention(seen: Setting, mention: Mention, found: Features) -> None:
    text, start, end = seen.text, mention.span.start, mention.span.end
    sentence = sentence_at(seen.sentences, start)
    after = text[end : end + 120]
    partner = seen.partners.get(mention.span)
    if partner is not None:
        found["abbreviated"] = 1.0
        start = min(start, partner.start)
        end = max(end, partner.end)
        after = text[end + 1 : end + 121] if text[end : end + 1] == ")" else text[end : end + 120]
    begin = max(sentence.start, start - _BEFORE)
    before = text[begin:start]
    verbs = seen.verb_ends[
        bisect_left(seen.verb_starts, begin) : bisect_right(seen.verb_ends, start)
    ]
    for verb in verbs:
        between = bisect_left(seen.starts, start) - bisect_left(seen.starts, verb)
        gap = start - verb
        if gap < 25:
            found["own verb near"] = 1.0
        elif gap < 70:
            found["own verb middling"] = 1.0
        if between == 0:
            found["own verb first"] = 1.0
            if mention.span.start > seen.title_end and gap < 60:
                found["own verb first near"] = 1.0
        elif between <= 2:
            found["own verb second"] = 1.0
    if verbs:
        found["own verb"] = 1.0
        if seen.cues.prepositions.search(text, verbs[0], start):
            found["own verb, then a preposition"] = 1.0
    if coined.called(text, start):
        found["called"] = 1.0
    if coined.ours(text, start):
        found["ours"] = 1.0
    if coined.in_apposition(text, end):
        found["apposition"] = 1.0
    if start <= sentence.start + 1 and mention.span.start > seen.title_end:
        found["begins a sentence"] = 1.0
        if seen.cues.subject_of.match(after):
            found["subject first"] = 1.0
    if seen.cues.subject_of.match(after):
        found["subject"] = 1.0
    if seen.cues.others.search(before.lower()):
        found["beside others"] = found.get("beside others", 0.0) + 0.5
    if seen.cues.evaluated.search(before):
        found["evaluated on"] = 1.0
    if seen.cues.released.search(before):
        found["released"] = 1.0
    if seen.cues.new.search(before[-80:]):
        found["new"] = 1.0
    if _LISTED_AFTER.match(after) and _LISTED_BEFORE.search(before):
        found["in a list"] = 1.0
    if _PARTS.match(after):
        found["has parts"] = 1.0
    if _PURPOSE.match(after):
        found["goes on with a purpose"] = 1.0
    if seen.cues.component.search(before):
        found["component"] = 1.0


def with_family(found: Mapping[str, Features], surest: Mapping[str, float]) -> dict[str, Features]:
    """Add, by name, whether it grows from that of an entity that is the document's own.

    ``surest`` holds the first probability of each name.
    """
    spelt: defaultdict[str, list[str]] = defaultdict(list)
    for name in surest:
        spelt[key(name)].append(name)
    parts = Parts.of(part for part in spelt if len(part) > 2)
    first, second = sorted((0.0, 0.0, *surest.values()))[:-3:-1]
    completed = {}
    for name, features in found.items():
        folded, own = key(name), surest[name]
        chances = {
            part: max((surest[other] for other in spelt[part] if other != name), default=0.0)
            for part in parts.inside(folded)
        }
        completed[name] = {
            **features,
            "grows from own": max(
                (chance for part, chance in chances.items() if folded.startswith(part)), default=0.0
            ),
            "holds own": max(chances.values(), default=0.0),
            "best of the others": second if own == first else first,
            "first guess": own,
        }
    return completed
