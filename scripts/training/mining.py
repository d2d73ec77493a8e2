"""Names that annotations mark, with the share of their occurrences that are marked."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kg.ner.lexicon import PRIOR, PRIOR_WEIGHT, Entry
from kg.ner.spelling import PIECE, key, singular


def marked_shares(
    documents: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield text, name, label, marked and standing occurrences of each name of the annotations.

    An occurrence inside a longer marked name does not count as standing.  What a single document
    introduces is left out: it is known nowhere else.
    """
    marked: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    surfaces: dict[str, Counter[str]] = defaultdict(Counter)
    homes: dict[str, set[str]] = defaultdict(set)
    own: set[str] = set()
    for document in documents:
        for entity in document["entities"]:
            for start, end in entity["mentions"]:
                text = document["text"][start:end]
                if (
                    not any(c.isalpha() for c in text)
                    or len(text) < 2
                    or re.match(r"[\d.]+[BMKT]$", text)
                ):
                    continue
                folded = key(text)
                homes[folded].add(document["id"])
                if entity["introduced"]:
                    own.add(folded)
                marked[folded][entity["label"], entity["canonical"]] += 1
                surfaces[folded][text] += 1
    for folded in own:
        if len(homes[folded]) == 1:
            del marked[folded], surfaces[folded]
    standing: Counter[str] = Counter()
    longest: dict[str, int] = {}
    for names in surfaces.values():
        for text in names:
            parts = [m[0].casefold() for m in PIECE.finditer(text)]
            longest[parts[0]] = max(longest.get(parts[0], 0), len(parts))
    for document in documents:
        text = document["text"]
        covered = [False] * len(text)
        spans = {(s, e) for x in document["entities"] for s, e in x["mentions"]}
        for start, end in spans:
            covered[start:end] = [True] * (end - start)
        parts = [(m.start(), m.end(), m[0].casefold()) for m in PIECE.finditer(text)]
        for i, (start, _, first) in enumerate(parts):
            joined = ""
            for j in range(i, min(i + longest.get(first, 0), len(parts))):
                joined += parts[j][2]
                if joined in marked:
                    end = parts[j][1]
                    if (start, end) in spans or not any(covered[start:end]):
                        standing[joined] += 1
    for folded, labels in marked.items():
        label_votes: Counter[str] = Counter()
        for (label, _), count in labels.items():
            label_votes[label] += count
        label, hits = min(label_votes.items(), key=lambda item: (-item[1], item[0]))
        name = min(
            ((canonical, count) for (kind, canonical), count in labels.items() if kind == label),
            key=lambda item: (-item[1], item[0]),
        )[0]
        text = min(surfaces[folded].items(), key=lambda item: (-item[1], item[0]))[0]
        yield text, name, label, hits, max(standing[folded], hits)


def scope_of(text: str, name: str, *, ambiguous: bool) -> str:
    """Return ``ambiguous``, ``abbreviation``, ``alias`` or ``label``."""
    if ambiguous:
        return "ambiguous"
    if key(singular(text.casefold())) == key(singular(name.casefold())):
        return "label"
    letters = re.sub(r"[^A-Za-z]", "", text)
    if len(text) <= 8 and sum(c.isupper() for c in letters) > len(letters) / 2:
        return "abbreviation"
    return "alias"


def mined(
    documents: Sequence[dict[str, Any]], is_ambiguous: Callable[[str], bool] | None = None
) -> Iterator[tuple[str, str, str, str, int, int]]:
    """Yield text, name, label, scope, marked and standing of the names worth keeping."""
    for text, name, label, hits, standing in marked_shares(documents):
        if standing < 2 * hits:
            ambiguous = is_ambiguous(text) if is_ambiguous else text[0].isupper() and len(text) < 5
            yield text, name, label, scope_of(text, name, ambiguous=ambiguous), hits, standing


def entries(documents: Sequence[dict[str, Any]]) -> Iterator[Entry]:
    """Yield the entries that these annotations alone would give, to fit on the others."""
    for text, name, label, scope, hits, standing in mined(documents):
        share = (hits + PRIOR_WEIGHT * PRIOR["mined"]) / (standing + PRIOR_WEIGHT)
        yield Entry(text, name, label, scope, share, standing)
