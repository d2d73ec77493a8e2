"""The recogniser: from documents to their entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from kg.ner import choosing, coined, deciding, introduction, kinds, masking, naming
from kg.ner.abbreviations import Pair, pairs
from kg.ner.choosing import Candidate
from kg.ner.coordinations import elisions
from kg.ner.learned import Gear, Reading, Tagger
from kg.ner.lexicon import Lexicon
from kg.ner.lexicon import load as load_lexicon
from kg.ner.logistic import Features, logit
from kg.ner.shapes import SIZE, names_nothing, shapes
from kg.ner.tags import WordSpan, best_tags, decode
from kg.values import LABELS, Document, LocalEntity, Mention, Span

#: An entity is the document's own from this probability on: where F1 on dev is highest.
OWN: Final = 0.4


@dataclass(frozen=True, slots=True)
class Tagged:
    """What the tagger says of one mention."""

    #: The probability that it is the document's own.
    own: float
    #: The log-probability of each of ``LABELS``.
    labels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The names of one document before it is decided which are its own."""

    text: str
    #: The text with the marks that are masked in it.
    source: str
    bracketed: tuple[Pair, ...]
    #: Canonical name and mentions of each entity.
    groups: tuple[tuple[str, tuple[Mention, ...]], ...]
    #: What the tagger says of each mention.
    tagged: Mapping[Span, Tagged]


@dataclass(frozen=True, slots=True)
class Recogniser:
    """What is loaded once: the lexicon and the tagger of one gear."""

    gear: str
    lexicon: Lexicon
    tagger: Tagger
    #: What turns features of candidates into probabilities.
    chances_of: Callable[[Any], Any] = deciding.chances

    @staticmethod
    @cache
    def load(gear: Gear = "fast") -> Recogniser:
        """Return the recogniser of ``gear``, loaded once a process."""
        return Recogniser(gear, load_lexicon(), Tagger.load(gear))

    def entities(self, documents: Sequence[Document]) -> list[tuple[LocalEntity, ...]]:
        """Return the entities of each document, in the order of their first mention."""
        texts = [masking.prose(document) for document in documents]
        sources = [document.text for document in documents]
        return self.decided(texts, self.tagger.read(texts), sources)

    def decided(
        self, texts: Sequence[str], readings: Sequence[Reading], sources: Sequence[str] = ()
    ) -> list[tuple[LocalEntity, ...]]:
        """Return the entities of texts that the tagger has read.

        ``sources`` are the texts with the marks that are masked in them, if there are any.
        """
        return [self._finished(named) for named in self.named(texts, readings, sources)]

    def named(
        self, texts: Sequence[str], readings: Sequence[Reading], sources: Sequence[str] = ()
    ) -> list[Named]:
        """Return the names of texts by all that is known, the tagger's opinion included."""
        tags = best_tags([reading.log_probabilities for reading in readings])
        return [
            self._named(text, reading, decode(best), source)
            for text, reading, best, source in zip(
                texts, readings, tags, sources or texts, strict=True
            )
        ]

    def _named(self, text: str, reading: Reading, path: Sequence[WordSpan], source: str) -> Named:
        bracketed = tuple(pairs(text))
        said, known = self.opinions(text, reading, path, bracketed)
        wanted = _whole(text, deciding.spans_to_judge(said, known))
        candidates = deciding.rated(deciding.judged(said, known, wanted), self.chances_of)
        chosen = choosing.one_label(text, choosing.choose(candidates))
        # A name that is marked once is looked at wherever else it stands, and judged again.
        more = {(c.start, c.end) for c in choosing.repeated(text, chosen)} - wanted.keys()
        if more:
            names = {deciding.name_at(text, where) for where in more}
            again = _whole(text, deciding.spans_to_judge(said, known, more, names))
            candidates = [
                *(c for c in candidates if (c.start, c.end) not in again),
                *deciding.rated(deciding.judged(said, known, again), self.chances_of),
            ]
            chosen = choosing.one_label(text, choosing.choose(candidates))
        chosen = deciding.as_defined(text, chosen)
        places = {
            Span(c.start, c.end): place
            for c in chosen
            if (place := said.place(text, c.start, c.end))
        }
        tagged = {
            span: Tagged(
                float(reading.introduced[place[0] : place[1] + 1].mean()),
                tuple(said.score(*place, label) for label in LABELS),
            )
            for span, place in places.items()
        }
        return self._grouped(text, source, bracketed, chosen, tagged)

    def opinions(
        self, text: str, reading: Reading, path: Sequence[WordSpan], bracketed: Sequence[Pair]
    ) -> tuple[deciding.Opinion, deciding.Known]:
        """Return what the tagger says, and what lexicon, looks and brackets say, of a text."""
        known = deciding.knowledge(
            text, self.lexicon, shapes(text), coined.coinages(text), bracketed
        )
        return deciding.opinion(reading, path), known

    def _grouped(
        self,
        text: str,
        source: str,
        bracketed: tuple[Pair, ...],
        chosen: Sequence[Candidate],
        tagged: Mapping[Span, Tagged],
    ) -> Named:
        completed, elided = _with_elisions(text, chosen)
        # "8B" names something only beside the name that it stands for.
        completed = [
            c
            for c in completed
            if (Span(c.start, c.end) in elided or not SIZE.fullmatch(text, c.start, c.end))
            and not names_nothing(text[c.start : c.end])
        ]
        mentions = sorted(
            Mention(Span(c.start, c.end), c.label, round(c.confidence, 4), c.extractor)
            for c in completed
        )
        groups = naming.group(text, mentions, bracketed, self.lexicon, elided=elided, source=source)
        return Named(text, source or text, bracketed, tuple(groups), tagged)

    def _finished(self, named: Named) -> tuple[LocalEntity, ...]:
        chances = self.chances(named)
        found = []
        for name, mentions in named.groups:
            own = (
                chances[name] > OWN
                or coined.opens_with(named.text, mentions)
                or coined.leads_title(named.text, mentions)
            )
            if own:
                defined = (coined.defined_label(named.text, m.span.end) for m in mentions)
                label = next(filter(None, defined), "") or kinds.best(
                    kind_features(named, mentions)
                )
                mentions = tuple(replace(mention, label=label) for mention in mentions)
            found.append(naming.entity(named.source, name, mentions, introduced=own))
        return tuple(found)

    def chances(self, named: Named) -> dict[str, float]:
        """Return by canonical name how likely the entity is the document's own."""
        first = first_chances(named, self.lexicon)
        fitted = deciding.model("introduced")
        return {
            name: fitted.probability(own_features(named, name, mentions, first))
            for name, mentions in named.groups
        }


def first_chances(named: Named, lexicon: Lexicon) -> dict[str, float]:
    """Return by canonical name how likely it is own by phrases and places alone."""
    features = phrase_features(named, lexicon)
    model = deciding.model("phrases")
    surest = {name: model.probability(found) for name, found in features.items()}
    second = deciding.model("family")
    return {
        name: second.probability(found)
        for name, found in introduction.with_family(features, surest).items()
    }


def phrase_features(named: Named, lexicon: Lexicon) -> dict[str, Features]:
    """Return by canonical name what phrases and places say of an entity being own."""
    partners: dict[Span, Span] = {}
    for pair in named.bracketed:
        partners[pair.long], partners[pair.short] = pair.short, pair.long
    mentions = (mention for _, found in named.groups for mention in found)
    seen = introduction.setting(named.text, partners, mentions)
    return {name: introduction.features(seen, name, found, lexicon) for name, found in named.groups}


#: What no name goes over: the end of a title, an empty line, the beginning of a heading or an item.
_BREAK: Final = re.compile(r"\n[^\S\n]*(?:\n|[-*+•#>|]|\d+[.)]\s)")


def _whole(
    text: str, wanted: Mapping[tuple[int, int], set[str]]
) -> dict[tuple[int, int], set[str]]:
    """Return the stretches that lie within one title, heading, item or paragraph."""
    title = text.find("\n")
    return {
        (start, end): labels
        for (start, end), labels in wanted.items()
        if not start <= title < end and not _breaks(text, start, end)
    }


def _breaks(text: str, start: int, end: int) -> bool:
    # "1." may begin an item whose number ends the stretch.
    found = _BREAK.search(text, start, end + 3)
    return found is not None and found.start() < end


def own_features(
    named: Named, name: str, mentions: Sequence[Mention], first: Mapping[str, float]
) -> Features:
    """Return what phrases and tagger together say of an entity being the document's own."""
    tagged = [named.tagged[m.span].own for m in mentions if m.span in named.tagged]
    best = max(tagged, default=0.0)
    mean = sum(tagged) / len(tagged) if tagged else 0.0
    label = mentions[0].label
    return {
        "phrases": logit(first[name]),
        "tagged": logit(mean),
        "tagged at best": logit(best),
        "not tagged": float(not tagged),
        f"label {label}": 1.0,
        "confidence": logit(max(m.confidence for m in mentions)),
        "in title": float(mentions[0].span.start < max(named.text.find("\n"), 0)),
    }


def kind_features(named: Named, mentions: Sequence[Mention]) -> Features:
    """Return what speaks for each label of a name that is the document's own."""
    scores = [named.tagged[m.span].labels for m in mentions if m.span in named.tagged]
    return kinds.features(
        named.text, [m.span for m in mentions], mentions[0].label, kinds.shares(scores)
    )


def _with_elisions(
    text: str, chosen: Sequence[Candidate]
) -> tuple[list[Candidate], dict[Span, str]]:
    """Return the candidates and the parts that stand for whole names, and those names."""
    completed = list(chosen)
    elided: dict[Span, str] = {}
    at = {(c.start, c.end): c for c in chosen}
    taken: dict[int, Candidate] = {}
    for candidate in chosen:
        for position in range(candidate.start, candidate.end):
            taken[position] = candidate
    for candidate in chosen:
        for part in elisions(text, candidate.start, candidate.end, label=candidate.label):
            known = at.get((part.start, part.end))
            if known is not None and known.label == candidate.label:
                elided[Span(part.start, part.end)] = part.name
            elif not any(position in taken for position in range(part.start, part.end)):
                elided[Span(part.start, part.end)] = part.name
                completed.append(
                    Candidate(
                        part.start,
                        part.end,
                        candidate.label,
                        candidate.confidence * 0.9,
                        "elided",
                    )
                )
    return completed, elided
