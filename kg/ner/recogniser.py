"""The recogniser: from documents to their entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from kg.ner import choosing, coined, masking, naming
from kg.ner.abbreviations import Pair, pairs
from kg.ner.choosing import Candidate
from kg.ner.coordinations import elisions
from kg.ner.lexicon import Lexicon
from kg.ner.lexicon import load as load_lexicon
from kg.ner.shapes import shapes
from kg.values import Document, LocalEntity, Mention, Span


@dataclass(frozen=True, slots=True)
class Recogniser:
    """What is loaded once: the lexicon and the tagger of one gear."""

    gear: str
    lexicon: Lexicon

    @staticmethod
    @cache
    def load(gear: str = "fast") -> Recogniser:
        """Return the recogniser of ``gear``, loaded once a process."""
        return Recogniser(gear, load_lexicon())

    def entities(self, documents: Sequence[Document]) -> list[tuple[LocalEntity, ...]]:
        """Return the entities of each document, in the order of their first mention."""
        return [self._entities(document) for document in documents]

    def _entities(self, document: Document) -> tuple[LocalEntity, ...]:
        text = masking.prose(document)
        bracketed = pairs(text)
        candidates = self._candidates(text, bracketed)
        chosen = choosing.one_label(text, choosing.choose(candidates))
        again = choosing.repeated(text, chosen)
        chosen = choosing.one_label(text, choosing.choose([*candidates, *again]))
        elided: dict[Span, str] = {}
        taken = [False] * (len(text) + 1)
        for candidate in chosen:
            taken[candidate.start : candidate.end] = [True] * (candidate.end - candidate.start)
        for candidate in list(chosen):
            for part in elisions(text, candidate.start, candidate.end, label=candidate.label):
                if any(taken[part.start : part.end]):
                    continue
                taken[part.start : part.end] = [True] * (part.end - part.start)
                elided[Span(part.start, part.end)] = part.name
                chosen.append(
                    Candidate(
                        part.start, part.end, candidate.label, candidate.confidence * 0.9, "elided"
                    )
                )
        mentions = sorted(
            Mention(Span(c.start, c.end), c.label, round(c.confidence, 4), c.extractor)
            for c in chosen
        )
        groups = naming.group(text, mentions, bracketed, self.lexicon, elided=elided)
        return tuple(
            naming.entity(text, name, found, introduced=_introduced(text, name, found))
            for name, found in groups
        )

    def _candidates(self, text: str, bracketed: Sequence[Pair]) -> list[Candidate]:
        found = [
            Candidate(m.start, m.end, m.entry.label, m.entry.share, "lexicon")
            for m in self.lexicon.matches(text)
        ]
        found += [Candidate(s.start, s.end, s.label, s.confidence, "shape") for s in shapes(text)]
        found += [
            Candidate(c.start, c.end, c.label, c.confidence, "coined")
            for c in coined.coinages(text)
        ]
        known = {(c.start, c.end): c for c in sorted(found, key=lambda c: c.confidence)}
        for pair in bracketed:
            for one, other in ((pair.long, pair.short), (pair.short, pair.long)):
                candidate = known.get((one.start, one.end))
                if candidate:
                    found.append(
                        Candidate(
                            other.start,
                            other.end,
                            candidate.label,
                            candidate.confidence,
                            "abbreviation",
                        )
                    )
        return found


def _introduced(text: str, name: str, mentions: Sequence[Mention]) -> bool:
    lead = coined.title_lead(text)
    for mention in mentions:
        start, end = mention.span.start, mention.span.end
        if lead and (start, end) == lead:
            return True
        if mention.extractor == "coined" or coined.called(text, start):
            return True
    return False
