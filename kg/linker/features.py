"""What the learned linker knows of each pair of entities: numbers, and words between the names."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_

import numpy as np
import numpy.typing as npt

from kg import schema
from kg.linker import cues
from kg.linker.view import Sentence, View
from kg.text import name_key
from kg.values import LABELS

#: Relations in the order of the columns that speak of one relation each.
RELATIONS = (
    "addressesTask",
    "appliedTo",
    "comparedWith",
    "convertedFrom",
    "derivedFrom",
    "distilledFrom",
    "evaluatedOn",
    "fineTunedFrom",
    "generatedBy",
    "memberOf",
    "mergedFrom",
    "outperforms",
    "partOf",
    "prunedFrom",
    "quantizedFrom",
    "successorOf",
    "trainedOn",
    "usesMethod",
)
#: Where words are looked at, each giving one column for each class of words.
_REGIONS = (
    "between",
    "shared",
    "head before",
    "head after",
    "tail before",
    "tail after",
    "head sentence",
    "tail sentence",
    "head all before",
    "tail all before",
    "tail all after",
    "tail clause",
    "tail start",
    "head name",
    "tail name",
)
_ENTITY = (
    *("label", "introduced", "rank", "mentions", "title", "first", "last", "spread", "proper"),
    *("words", "length", "order", "peers", "digit", "listed", "start", "bracket"),
    *("sure", "sure-mean"),
)
_PAIR = (
    *("sentences-apart", "words-apart", "head-first", "shared", "names-between", "same-list"),
    *("heads-between", "tails-between", "own-between", "prefix", "suffix", "within", "common"),
    *("size", "version", "first-apart", "nearest-head", "nearest-before", "own-in-sentence"),
    *("title-pair", "head-is-main", "quantity", "of-tail", "adjacent"),
    *("head-sentence", "tail-sentence", "tail-place", "head-leads", "head-led", "only-own"),
    *("head-meant", "head-meant-by-we", "other-meant", "head-meant-before", "tail-meant"),
    *("head-is-source", "least-sure"),
)
_DOCUMENT = ["sentences", "entities"] + [
    f"{label} {of}" for of in ("all", "own") for label in LABELS
]

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SIZE = re.compile(
    r"(?<![\w.])\d+(?:\.\d+)?[bmk](?![a-z])|(?:tiny|small|base|medium|large|xl|mini)\b"
)
_FAR = 60
#: Of a name with more mentions than this, only those beside the other name are looked at.
_FEW = 8
#: A stretch of more words than this is not walked through word by word.
_LONG = 400


@lru_cache(maxsize=1)
def admitted() -> frozenset[tuple[str, str]]:
    """Return the pairs of labels between which some relation may stand."""
    return frozenset(pair for name in RELATIONS for pair in schema.relations()[name].pairs)


@lru_cache(maxsize=1)
def classes() -> tuple[tuple[str, ...], dict[str, int], dict[str, int]]:
    """Return the names of the word classes, whole words and word beginnings with their bits."""
    table = cues.classes()
    whole: dict[str, int] = {}
    beginnings: dict[str, int] = {}
    for bit, words in enumerate(table.values()):
        for word in words:
            target = beginnings if word.endswith("*") else whole
            target[word.rstrip("*")] = target.get(word.rstrip("*"), 0) | 1 << bit
    return tuple(table), whole, beginnings


@lru_cache(maxsize=1)
def _lengths() -> tuple[int, ...]:
    """Return how long word beginnings are."""
    return tuple(sorted({len(beginning) for beginning in classes()[2]}))


@lru_cache(maxsize=50_000)
def _bits(word: str) -> int:
    _, whole, beginnings = classes()
    bits = whole.get(word, 0)
    for length in _lengths():
        bits |= beginnings.get(word[:length], 0)
    return bits


def width() -> int:
    """Return how many classes a word can be of, the labels of names included."""
    return len(classes()[0]) + len(LABELS)


def bits_of(view: View, sentence: Sentence, start: int, end: int) -> int:
    """Return the classes of the words ``start`` to ``end`` of ``sentence``, as bits."""
    bits = 0
    labels = len(classes()[0])
    for at in range(start, min(end, len(sentence.words))):
        owner = sentence.owners[at]
        if owner >= 0:
            bits |= 1 << labels + LABELS.index(view.entities[owner].label)
        else:
            bits |= _bits(sentence.words[at])
    return bits


def columns() -> list[str]:
    """Return the names of the columns of :attr:`Pairs.numbers`, in order."""
    names = list(classes()[0]) + [f"<{label}>" for label in LABELS]
    return (
        [f"head {name}" for name in _ENTITY]
        + [f"tail {name}" for name in _ENTITY]
        + list(_PAIR)
        + list(_DOCUMENT)
        + [f"cue {cue.id}" for cue in cues.load().cues]
        + [f"{region}: {name}" for region in _REGIONS for name in names]
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every ordered pair of entities that some relation admits, and what is known of it."""

    heads: tuple[int, ...]
    tails: tuple[int, ...]
    #: For each pair ``(sentence, word)`` of the two mentions that stand closest.
    closest: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    numbers: npt.NDArray[np.float32]


def pairs(view: View, hits: Iterable[cues.Hit]) -> Pairs:
    """Return the pairs of ``view`` with their numbers."""
    entities = view.entities
    count = len(entities)
    label_of = [LABELS.index(entity.label) for entity in entities]
    own_rank = {place: rank for rank, place in enumerate(view.introduced)}
    rows = [_row(sentence, label_of, own_rank) for sentence in view.sentences]
    around = [_around(view, rows, place) for place in range(count)]
    of_entity = _of_entities(view, rows, label_of, own_rank)
    sure = [max((m.confidence for m in entity.mentions), default=0.0) for entity in entities]
    meant = [cues.meant(view, sentence) for sentence in view.sentences]
    totals = [0.0] * len(LABELS)
    own = [0.0] * len(LABELS)
    for place in range(count):
        totals[label_of[place]] += 1
        own[label_of[place]] += place in own_rank
    of_document = [float(len(view.sentences)), float(count), *totals, *own]
    of_name = [_of_name(entity.canonical) for entity in entities]
    names = [_name(entity.canonical) for entity in entities]
    allowed = admitted()
    heads: list[int] = []
    tails: list[int] = []
    closest: list[tuple[tuple[int, int], tuple[int, int]]] = []
    numbers: list[list[float]] = []
    bits: list[list[int]] = []
    for one in range(count):
        for other in range(one + 1, count):
            forth = (entities[one].label, entities[other].label) in allowed
            back = (entities[other].label, entities[one].label) in allowed
            if not (forth or back) or not view.places[one] or not view.places[other]:
                continue
            near = nearest(view, one, other)
            common = _common(view, rows, one, other, near, label_of)
            for head, tail in ((one, other),) * forth + ((other, one),) * back:
                at = near if head == one else (near[1], near[0])
                heads.append(head)
                tails.append(tail)
                closest.append(at)
                numbers.append(
                    _of_pair(view, rows, head, tail, at, common, names, label_of, own_rank)
                    + _of_meaning(view, head, tail, at, meant, label_of)
                    + [min(sure[head], sure[tail])]
                )
                bits.append(
                    [
                        common.between,
                        common.shared,
                        *around[head].at[at[0]][:2],
                        *around[tail].at[at[1]][:2],
                        rows[at[0][0]].bits,
                        rows[at[1][0]].bits,
                        around[head].before,
                        around[tail].before,
                        around[tail].after,
                        *around[tail].at[at[1]][2:],
                        of_name[head],
                        of_name[tail],
                    ]
                )
    width = len(classes()[0]) + len(LABELS)
    if not heads:
        empty = np.zeros((0, len(columns())), np.float32)
        return Pairs((), (), (), empty)
    entity_rows = np.array(of_entity, np.float32)
    packed = np.array(bits, "<i8")[:, :, None].view(np.uint8)
    flags = np.unpackbits(packed, axis=2, count=width, bitorder="little")
    table = np.concatenate(
        [
            entity_rows[heads],
            entity_rows[tails],
            np.array(numbers, np.float32),
            np.tile(np.array(of_document, np.float32), (len(heads), 1)),
            _of_cues(heads, tails, hits),
            flags.reshape(len(heads), -1).astype(np.float32),
        ],
        axis=1,
    )
    return Pairs(tuple(heads), tuple(tails), tuple(closest), table)


def _of_cues(
    heads: Sequence[int], tails: Sequence[int], hits: Iterable[cues.Hit]
) -> npt.NDArray[np.float32]:
    """Which cues (a column each) state something of a pair (a row each); -1 where denied."""
    column = {cue.id: place for place, cue in enumerate(cues.load().cues)}
    row = {pair: place for place, pair in enumerate(zip(heads, tails, strict=True))}
    table = np.zeros((len(heads), len(column)), np.float32)
    for hit in hits:
        if (hit.head, hit.tail) in row and hit.cue.id in column:
            said = -1 if hit.negated or hit.hedged else 1
            table[row[hit.head, hit.tail], column[hit.cue.id]] = said
    return table


@dataclass(frozen=True, slots=True)
class _Row:
    """The words of one sentence, and the places of what is counted among them, in order."""

    #: For each word the classes that it belongs to, as bits; a name has a bit for its label.
    masks: tuple[int, ...]
    #: The classes of all words.
    bits: int
    #: Words of each class, in a sentence so long that they are asked for.
    of_bit: Mapping[int, Sequence[int]]
    #: Names of each label, of introduced entities, and of each entity.
    labels: tuple[Sequence[int], ...]
    own: Sequence[int]
    of_entity: Mapping[int, Sequence[int]]
    #: Which list the name at a word belongs to, and how many names that has.
    lists: Mapping[int, int]
    sizes: Mapping[int, int]
    numbers: Sequence[int]
    #: Words that end a clause.
    breaks: Sequence[int]

    def between(self, low: int, high: int) -> int:
        """Return the classes of the words after ``low`` and before ``high``."""
        if high - low <= _LONG:
            return _or(self.masks[low + 1 : high])
        return _or([1 << bit for bit, at in self.of_bit.items() if _within(at, low, high)])


def _row(sentence: Sentence, label_of: Sequence[int], own_rank: Mapping[int, int]) -> _Row:
    width = len(classes()[0])
    masks = tuple(
        1 << width + label_of[owner] if owner >= 0 else _bits(word)
        for word, owner in zip(sentence.words, sentence.owners, strict=True)
    )
    of_bit: dict[int, list[int]] = {}
    for at, mask in enumerate(masks if len(masks) > _LONG else ()):
        while mask:
            of_bit.setdefault(mask.bit_length() - 1, []).append(at)
            mask &= ~(1 << mask.bit_length() - 1)
    labels: list[list[int]] = [[] for _ in LABELS]
    of_entity: dict[int, list[int]] = {}
    for at in sentence.names:
        labels[label_of[sentence.owners[at]]].append(at)
        of_entity.setdefault(sentence.owners[at], []).append(at)
    return _Row(
        masks,
        _or(masks),
        of_bit,
        tuple(labels),
        [at for at in sentence.names if sentence.owners[at] in own_rank],
        of_entity,
        dict(zip(sentence.names, sentence.lists, strict=True)),
        Counter(sentence.lists),
        [
            at
            for at, (word, owner) in enumerate(zip(sentence.words, sentence.owners, strict=True))
            if owner < 0 and word[0].isdigit()
        ],
        [at for at, word in enumerate(sentence.words) if word in _CLAUSE],
    )


def _within(places: Sequence[int], low: int, high: int) -> int:
    """Return how many of ``places`` lie between ``low`` and ``high``, without the two."""
    return max(0, bisect_left(places, high) - bisect_right(places, low))


@dataclass(frozen=True, slots=True)
class _Around:
    """The classes of the words around the mentions of one entity."""

    #: For each mention: three words before, three after, the clause, and the first four words
    #: of the sentence.
    at: dict[tuple[int, int], tuple[int, int, int, int]]
    #: Three words before, and after, any mention.
    before: int
    after: int


_CLAUSE = frozenset({",", ";", ":", "(", ")"})


def _around(view: View, rows: Sequence[_Row], place: int) -> _Around:
    at: dict[tuple[int, int], tuple[int, int, int, int]] = {}
    all_before = all_after = 0
    for sentence, word in view.places[place]:
        row = rows[sentence]
        low, high = bisect_left(row.breaks, word), bisect_right(row.breaks, word)
        opens = row.breaks[low - 1] if low else -1
        closes = row.breaks[high] if high < len(row.breaks) else len(row.masks)
        before, after = _or(row.masks[max(0, word - 3) : word]), _or(row.masks[word + 1 : word + 4])
        at[sentence, word] = (
            before,
            after,
            row.between(opens, word) | row.between(word, closes),
            _or(row.masks[: min(4, word)]),
        )
        all_before |= before
        all_after |= after
    return _Around(at, all_before, all_after)


def _or(bits: Sequence[int]) -> int:
    return reduce(or_, bits, 0)


@dataclass(frozen=True, slots=True)
class _Name:
    """What is looked at where two names are compared."""

    key: str
    sized: bool
    version: float | None


@lru_cache(maxsize=20_000)
def _name(name: str) -> _Name:
    lower = name.lower()
    version = _NUMBER.search(lower)
    return _Name(
        name_key(name),
        _SIZE.search(lower) is not None,
        float(version.group()) if version else None,
    )


@lru_cache(maxsize=20_000)
def _of_name(name: str) -> int:
    """The classes of the words of a name that is written in lower case, as terms are."""
    return _or([_bits(word) for word in name.split()]) if name == name.lower() else 0


def _of_entities(
    view: View, sentences: Sequence[_Row], label_of: Sequence[int], own_rank: dict[int, int]
) -> list[list[float]]:
    order = [0] * len(LABELS)
    peers = [label_of.count(label) for label in range(len(LABELS))]
    rows: list[list[float]] = []
    last_sentence = max(1, len(view.sentences) - 1)
    by_first = sorted(
        range(len(view.entities)),
        key=lambda place: tuple(view.places[place][:1]) or ((_FAR, _FAR),),
    )
    rank_of = {}
    for place in by_first:
        rank_of[place] = order[label_of[place]]
        order[label_of[place]] += 1
    for place, entity in enumerate(view.entities):
        places = view.places[place]
        name = entity.canonical
        where = [sentence for sentence, _ in places] or [_FAR]
        listed = start = bracket = 0
        for at, word in places:
            sentence = view.sentences[at]
            listed = max(listed, sentences[at].sizes[sentences[at].lists[word]])
            start += word == 0
            bracket += word > 0 and sentence.words[word - 1] == "("
        rows.append(
            [
                label_of[place],
                place in own_rank,
                own_rank.get(place, _FAR),
                len(places),
                any(
                    view.sentences[at].field == "title" for at in where if at < len(view.sentences)
                ),
                where[0],
                where[-1] / last_sentence,
                len(set(where)),
                name != name.lower(),
                name.count(" ") + 1,
                len(name),
                rank_of[place],
                peers[label_of[place]],
                any(letter.isdigit() for letter in name),
                listed,
                start,
                bracket,
                max((mention.confidence for mention in entity.mentions), default=0.0),
                sum(mention.confidence for mention in entity.mentions)
                / max(1, len(entity.mentions)),
            ]
        )
    return rows


def _beside(places: Sequence[tuple[int, int]], here: tuple[int, int]) -> Sequence[tuple[int, int]]:
    """Return those of ``places``, sorted, one of which must be the closest to ``here``."""
    if len(places) <= _FEW:
        return places
    sentence = here[0]
    first, last = bisect_left(places, (sentence, -1)), bisect_left(places, (sentence + 1, -1))
    at = bisect_left(places, here, first, last)
    found = list(places[max(first, at - 1) : min(last, at + 1)])
    if first:  # the first mention in the sentence before that has one
        found.append(places[bisect_left(places, (places[first - 1][0], -1))])
    return [*found, *places[last : last + 1]]


def nearest(view: View, one: int, other: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return sentence and word of the two mentions of two entities that stand closest."""
    best = (10**9, (0, 0), (0, 0))
    for here in view.places[one]:
        for there in _beside(view.places[other], here):
            distance = abs(here[0] - there[0])
            cost = distance * 1000 + (abs(here[1] - there[1]) if not distance else 0)
            best = min(best, (cost, here, there))
    return best[1], best[2]


@dataclass(frozen=True, slots=True)
class _Common:
    """What is true of a pair whichever way it is read."""

    between: int
    shared: int
    shared_count: int
    names: int
    same_list: bool
    #: How many names of the labels of the two stand between them.
    labels: Mapping[int, int]
    own: int
    quantity: bool


def _common(
    view: View,
    rows: Sequence[_Row],
    one: int,
    other: int,
    near: tuple[tuple[int, int], tuple[int, int]],
    label_of: Sequence[int],
) -> _Common:
    (here, at), (there, to) = near
    between = names = own = 0
    labels = {label_of[one]: 0, label_of[other]: 0}
    same_list = False
    quantity = False
    if here == there:
        row = rows[here]
        low, high = min(at, to), max(at, to)
        between = row.between(low, high)
        names = _within(view.sentences[here].names, low, high)
        labels = {label: _within(row.labels[label], low, high) for label in labels}
        own = _within(row.own, low, high)
        quantity = _within(row.numbers, low, high) > 0
        same_list = row.lists[at] == row.lists[to]
    in_one = dict(view.places[one])
    shared = shared_count = 0
    for where, word in view.places[other]:
        if where in in_one:
            shared_count += 1
            low, high = sorted((word, in_one[where]))
            shared |= rows[where].between(low, high)
    return _Common(between, shared, shared_count, names, same_list, labels, own, quantity)


def _of_pair(
    view: View,
    rows: Sequence[_Row],
    head: int,
    tail: int,
    near: tuple[tuple[int, int], tuple[int, int]],
    common: _Common,
    names: Sequence[_Name],
    label_of: Sequence[int],
    own_rank: dict[int, int],
) -> list[float]:
    (here, at), (there, to) = near
    same = here == there
    apart = abs(at - to) if same else _FAR
    one, other = names[head].key, names[tail].key
    shorter = min(len(one), len(other))
    common_prefix = 0
    while common_prefix < shorter and one[common_prefix] == other[common_prefix]:
        common_prefix += 1
    sentence = view.sentences[there]
    row = rows[there]
    of_head, of_tail = (row.of_entity.get(entity, ()) for entity in (head, tail))
    rivals = row.labels[label_of[head]]
    same_label = label_of[head] == label_of[tail]

    def nearer(low: int, high: int) -> int:
        """Count the names of the head's label that are neither of the two."""
        both = _within(of_head, low, high) + same_label * _within(of_tail, low, high)
        return _within(rivals, low, high) - both

    own_here = len(row.own)
    own_here -= len(of_head) * (head in own_rank) + len(of_tail) * (tail in own_rank)
    version, version_other = names[head].version, names[tail].version
    newer = 0.0
    if version is not None and version_other is not None and common_prefix >= 2:
        newer = version - version_other
    return [
        abs(here - there),
        min(apart, _FAR),
        (here, at) < (there, to),
        common.shared_count,
        common.names,
        common.same_list,
        common.labels[label_of[head]],
        common.labels[label_of[tail]],
        common.own,
        one.startswith(other),
        other.startswith(one),
        other in one,
        common_prefix / shorter if shorter else 0,
        names[head].sized - names[tail].sized,
        max(-3.0, min(3.0, newer)),
        view.places[head][0][0] - view.places[tail][0][0],
        nearer(to - apart, to + apart),
        nearer(to - apart, to),
        own_here,
        view.sentences[here].field == "title" or sentence.field == "title",
        bool(view.introduced) and head == view.introduced[0],
        common.quantity,
        same and to > 0 and sentence.words[to - 1] in ("of", "the"),
        apart == 1,
        here,
        there,
        there / max(1, len(view.sentences) - 1),
        sentence.owners[sentence.names[0]] == head,
        there > 0 and _leads(view.sentences[there - 1], head),
        len(view.introduced) == 1 and head == view.introduced[0],
    ]


def _of_meaning(
    view: View,
    head: int,
    tail: int,
    near: tuple[tuple[int, int], tuple[int, int]],
    meant: Sequence[cues.Meant],
    label_of: Sequence[int],
) -> list[float]:
    """Whether words such as "our model" or "we", beside the tail, mean the head."""
    (here, at), (there, to) = near
    beside = meant[there]
    others = any(
        entity != head and label_of[entity] == label_of[head] for entity in beside.by_phrase
    )
    sentence = view.sentences[here]
    return [
        head in beside.by_phrase,
        head in beside.by_we,
        others,
        beside.by_phrase.get(head, _FAR) < to,
        tail in meant[here].by_phrase,
        cues.is_source(sentence, at),
    ]


def _leads(sentence: Sentence, entity: int) -> bool:
    return bool(sentence.names) and sentence.owners[sentence.names[0]] == entity
