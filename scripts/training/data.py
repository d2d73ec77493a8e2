"""Documents as the numbers that the tagger learns from."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from kg.ner.features import Knowledge, features
from kg.ner.tags import TAGS, WordSpan, encode
from kg.ner.words import Word, WordPieces, split

MOST_PIECES = 510
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Example:
    """One document, or one window of a long one, in numbers."""

    id: str
    words: tuple[Word, ...]
    pieces: tuple[tuple[int, ...], ...]
    shapes: tuple[int, ...]
    rows: Tensor
    tags: tuple[int, ...] = ()
    plural: tuple[int, ...] = ()
    introduced: tuple[int, ...] = ()
    #: log-probabilities of a teacher, words x tags, and its two other outputs
    soft: tuple[Tensor, Tensor, Tensor] | None = field(default=None, compare=False)

    @property
    def size(self) -> int:
        """How many pieces it takes, with CLS and SEP."""
        return sum(map(len, self.pieces)) + 2

    def window(self, first: int, last: int) -> Example:
        """The words ``first`` to ``last`` (one past) alone."""
        cut = slice(first, last)
        soft = self.soft and (self.soft[0][cut], self.soft[1][cut], self.soft[2][cut])
        return replace(
            self,
            words=self.words[cut],
            pieces=self.pieces[cut],
            shapes=self.shapes[cut],
            rows=self.rows[cut],
            tags=self.tags[cut],
            plural=self.plural[cut],
            introduced=self.introduced[cut],
            soft=soft,
        )


def example(document: dict[str, Any], pieces: WordPieces, knowledge: Knowledge) -> Example:
    """A document in numbers, with what it should be tagged as if it has entities."""
    text = document["text"]
    words = split(text)
    shapes, rows = features(text, words, knowledge)
    found = tuple(pieces(word.text) for word in words)
    table = torch.tensor(rows, dtype=torch.float32).reshape(len(words), knowledge.width)
    plain = Example(document["id"], tuple(words), found, tuple(shapes), table)
    if "entities" not in document:
        return plain
    starts = {word.start: i for i, word in enumerate(words)}
    ends = {word.end: i for i, word in enumerate(words)}
    spans = []
    plural = [IGNORED] * len(words)
    introduced = [IGNORED] * len(words)
    for entity in document["entities"]:
        for start, end in entity["mentions"]:
            first, last = starts.get(start), ends.get(end)
            stripped = last is None and text[end : end + 1] == "s"
            if stripped:
                last = ends.get(end + 1)
            if first is None or last is None:
                continue
            spans.append(WordSpan(first, last, entity["label"]))
            if text[words[last].end - 1] == "s":
                plural[last] = int(stripped)
            for i in range(first, last + 1):
                introduced[i] = int(bool(entity["introduced"]))
    return replace(
        plain,
        tags=tuple(encode(len(words), spans)),
        plural=tuple(plural),
        introduced=tuple(introduced),
    )


def windows(one: Example) -> list[tuple[int, Example]]:
    """Overlapping windows that the encoder can take, each with its first word's number."""
    sizes = [len(found) for found in one.pieces]
    if sum(sizes) <= MOST_PIECES:
        return [(0, one)]
    found = []
    first = 0
    while True:
        last, total = first, 0
        while last < len(sizes) and total + sizes[last] <= MOST_PIECES:
            total += sizes[last]
            last += 1
        last = max(last, first + 1)
        found.append((first, one.window(first, last)))
        if last == len(sizes):
            return found
        first = max(first + 1, last - 80)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded tensors; what the network takes first, what it should say after."""

    pieces: Tensor
    piece_shapes: Tensor
    piece_mask: Tensor
    first: Tensor
    last: Tensor
    shapes: Tensor
    rows: Tensor
    mask: Tensor
    tags: Tensor
    plural: Tensor
    introduced: Tensor
    soft: tuple[Tensor, Tensor, Tensor] | None

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The arguments of the network."""
        return (
            self.pieces,
            self.piece_shapes,
            self.piece_mask,
            self.first,
            self.last,
            self.shapes,
            self.rows,
            self.mask,
        )


def collate(examples: Sequence[Example], cls: int, sep: int) -> Batch:
    """Pad examples to one batch."""
    longest = max(one.size for one in examples)
    count = max(len(one.words) for one in examples)
    size = len(examples)
    pieces, piece_shapes = (
        torch.zeros(size, longest, dtype=torch.long),
        torch.zeros(size, longest, dtype=torch.long),
    )
    first, last = (
        torch.zeros(size, count, dtype=torch.long),
        torch.zeros(size, count, dtype=torch.long),
    )
    shapes = torch.zeros(size, count, dtype=torch.long)
    rows = torch.zeros(size, count, examples[0].rows.shape[1])
    mask = torch.zeros(size, count, dtype=torch.bool)
    targets = [torch.full((size, count), IGNORED, dtype=torch.long) for _ in range(3)]
    soft = (torch.zeros(size, count, len(TAGS)), torch.zeros(size, count), torch.zeros(size, count))
    for d, one in enumerate(examples):
        numbers, kinds, place = [cls], [0], 1
        for i, found in enumerate(one.pieces):
            numbers.extend(found)
            kinds.extend([one.shapes[i]] * len(found))
            first[d, i], last[d, i] = place, place + len(found) - 1
            place += len(found)
        pieces[d, : place + 1] = torch.tensor([*numbers, sep])
        piece_shapes[d, : place + 1] = torch.tensor([*kinds, 0])
        length = len(one.words)
        shapes[d, :length] = torch.tensor(one.shapes)
        rows[d, :length] = one.rows
        mask[d, :length] = True
        if one.tags:
            for target, values in zip(targets, (one.tags, one.plural, one.introduced), strict=True):
                target[d, :length] = torch.tensor(values)
        if one.soft:
            for whole, part in zip(soft, one.soft, strict=True):
                whole[d, :length] = part
    has_soft = soft if any(one.soft for one in examples) else None
    piece_mask = torch.arange(longest)[None] < torch.tensor([one.size for one in examples])[:, None]
    return Batch(
        pieces, piece_shapes, piece_mask, first, last, shapes, rows, mask, *targets, has_soft
    )


def batches(
    examples: Iterable[Example],
    size: int,
    draw: random.Random | None,
    cls: int,
    sep: int,
    part: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """Batches of about equal length; in random order if there is a ``draw``.

    ``part`` (k, n) leaves every n-th example of each batch from the k-th on, for n processes
    that learn together.
    """
    noise = (lambda: draw.uniform(0.8, 1.25)) if draw else (lambda: 1.0)
    ordered = sorted(examples, key=lambda one: one.size * noise())
    groups = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    if draw:
        draw.shuffle(groups)
    for group in groups:
        yield collate(group[part[0] :: part[1]] or group[:1], cls, sep)
