"""What the tagger reaches alone, without lexicon, looks and phrases: ``python -m training.alone``.

Its best tags are made one opinion: a name has one label, and is marked everywhere it occurs.  kg
decides otherwise, over all that is known (:mod:`kg.ner.recogniser`); this measures the networks,
for kg/docs/model.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from _paths import SHARED
from training.corpora import read

from kg.ner.features import normal
from kg.ner.learned import Gear, Reading, Tagger
from kg.ner.tags import LABELS, WordSpan, best_tags, decode
from kg.ner.words import SHAPES, Word, shape

#: how far the log-probability of being outside may lie above that of an unmarked mention
MARGIN = 2.0
GEARS: tuple[Gear, ...] = ("fast", "accurate")
#: shapes of words that by themselves look like a name
NAME_SHAPES = frozenset(SHAPES) - {
    "other",
    "lower",
    "number",
    "title",
    "letter",
    ".",
    ",",
    "(",
    ")",
    "-",
    "/",
    ":",
    "quote",
    "symbol",
}


def span_score(log_probabilities: Any, first: int, last: int, label: str) -> float:
    """The log-probability of the words ``first`` to ``last`` being one mention with that label."""
    base = 1 + 4 * LABELS.index(label)
    if first == last:
        return float(log_probabilities[first, base + 3])
    inside = float(log_probabilities[first + 1 : last, base + 1].sum())
    return float(log_probabilities[first, base]) + inside + float(log_probabilities[last, base + 2])


def outside_score(log_probabilities: Any, first: int, last: int) -> float:
    """The log-probability of the words ``first`` to ``last`` being no part of any mention."""
    return float(log_probabilities[first : last + 1, 0].sum())


def surface(words: Sequence[Word], span: WordSpan) -> str:
    """What makes two mentions the same name: case, hyphens and a plural s aside."""
    return normal([word.text for word in words[span.first : span.last + 1]])


def one_label(
    words: Sequence[Word], log_probabilities: Any, spans: Iterable[WordSpan]
) -> list[WordSpan]:
    """Give all mentions of a name the label with the highest summed log-probability."""
    groups: defaultdict[str, list[WordSpan]] = defaultdict(list)
    for span in spans:
        groups[surface(words, span)].append(span)
    found: list[WordSpan] = []
    for group in groups.values():
        label = group[0].label
        if len({span.label for span in group}) > 1:
            totals = {
                name: sum(
                    span_score(log_probabilities, span.first, span.last, name) for span in group
                )
                for name in LABELS
            }
            label = max(LABELS, key=totals.__getitem__)
        found.extend(WordSpan(span.first, span.last, label) for span in group)
    return sorted(found)


def everywhere(
    words: Sequence[Word], log_probabilities: Any, spans: Iterable[WordSpan]
) -> list[WordSpan]:
    """Add the unmarked occurrences of marked names that the tagger is not sure are none."""
    known = sorted(spans)
    taken = {i for span in known for i in range(span.first, span.last + 1)}
    names: dict[tuple[str, ...], str] = {}
    for span in known:
        names.setdefault(tuple(word.text for word in words[span.first : span.last + 1]), span.label)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for i, word in enumerate(words):
        places[word.text].append(i)
    added = []
    for name, label in sorted(names.items(), key=lambda item: (-len(item[0]), item[0])):
        for first in places[name[0]]:
            last = first + len(name) - 1
            if last >= len(words) or any(i in taken for i in range(first, last + 1)):
                continue
            if tuple(word.text for word in words[first : last + 1]) != name:
                continue
            gap = outside_score(log_probabilities, first, last) - span_score(
                log_probabilities, first, last, label
            )
            if gap < (3 * MARGIN if named(name) else MARGIN):
                added.append(WordSpan(first, last, label))
                taken.update(range(first, last + 1))
    return sorted([*known, *added])


def named(name: Sequence[str]) -> bool:
    """Whether a word of the name looks like no ordinary word: digits, or capitals inside."""
    return any(SHAPES[shape(word)] in NAME_SHAPES for word in name)


def mentions(reading: Reading) -> list[tuple[int, int, str]]:
    """The mentions of one text: where they stand, and their labels."""
    words, scores = reading.words, reading.log_probabilities
    spans = one_label(words, scores, decode(best_tags([scores])[0]))
    found = []
    for span in everywhere(words, scores, spans):
        word = words[span.last]
        plural = word.text[-1] == "s" and len(word.text) > 2 and reading.plural[span.last] > 0.5
        found.append((words[span.first].start, word.end - int(plural), span.label))
    return found


def main() -> None:
    """Print precision, recall and F1 of the mentions of both gears."""
    for gear in GEARS:
        tagger = Tagger.load(gear)
        for name in ("dev", "seed-dev"):
            right = found = known = 0
            for document in read(SHARED / "gold" / f"{name}.jsonl"):
                (reading,) = tagger.read([document["text"]])
                mine = set(mentions(reading))
                gold = {(a, b, e["label"]) for e in document["entities"] for a, b in e["mentions"]}
                right, found, known = right + len(mine & gold), found + len(mine), known + len(gold)
            print(
                f"{gear} alone on {name}: precision {right / found:.3f}, "
                f"recall {right / known:.3f}, F1 {2 * right / (found + known):.3f}"
            )


if __name__ == "__main__":
    main()
