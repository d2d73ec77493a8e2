"""Group the mentions of a document into entities, and give each its canonical name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from kg.ner.abbreviations import Pair, initials
from kg.ner.lexicon import Lexicon
from kg.ner.spelling import Parts, key, singular
from kg.ner.stretches import Stretches
from kg.text import BARE_NUMBER, printed
from kg.values import LocalEntity, Mention, Span

#: Labels whose names are terms of the field more often than proper names.
_TERMS: Final = frozenset({"Method", "Task", "Metric"})
#: What may stand between a name and its abbreviation: "the Foo Bar framework (FB)".
_NOUN: Final = re.compile(r"s?\s+[a-z]+")


def spelling(name: str) -> str:
    """Return what the spellings of one name in one document share: case, hyphens, the plural."""
    return key(singular(name)) or name.casefold()


def group(
    text: str,
    mentions: Sequence[Mention],
    pairs: Sequence[Pair],
    lexicon: Lexicon,
    *,
    elided: Mapping[Span, str],
    source: str = "",
) -> list[tuple[str, tuple[Mention, ...]]]:
    """Return canonical name and mentions of each entity, in the order of their first mention.

    ``source`` is the text with the marks that are masked in ``text``, if there are any.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            # Half the way for who asks again.
            parent[name] = parent[above]
            name = above
        return name

    def join(one: str, other: str) -> None:
        # The earlier name stays the root, so that the outcome does not hang on the order of joins.
        first, second = sorted((root(one), root(other)))
        parent[second] = first

    at: dict[Span, Mention] = {mention.span: mention for mention in mentions}
    keys = {
        mention.span: f"{mention.label}:{spelling(elided.get(mention.span, mention.span.of(text)))}"
        for mention in mentions
    }
    for folded in keys.values():
        root(folded)
    short_of: dict[str, str] = {}
    places = Stretches.of((mention.span.start, mention.span.end) for mention in mentions)
    for pair in pairs:
        long, short = (
            at.get(form) or _ending_at(text, at, places, form) for form in (pair.long, pair.short)
        )
        if long and short and long.label == short.label:
            join(keys[long.span], keys[short.span])
            short_of[keys[long.span]] = pair.short.of(text)
    _join_known(text, mentions, keys, lexicon, join)
    _join_variants(keys, join)
    _join_shortened(text, mentions, keys, pairs, short_of, join)

    members: dict[str, list[Mention]] = defaultdict(list)
    for mention in sorted(mentions):
        members[root(keys[mention.span])].append(mention)
    shorts: dict[str, str] = {root(folded): short for folded, short in short_of.items()}
    named: list[tuple[str, tuple[Mention, ...]]] = []
    taken: dict[str, int] = {}
    for name_root, found in sorted(members.items(), key=lambda item: item[1][0]):
        name = _canonical(source or text, found, elided, shorts.get(name_root, ""), lexicon)
        if name in taken and named[taken[name]][1][0].label == found[0].label:
            index = taken[name]
            named[index] = (name, tuple(sorted((*named[index][1], *found))))
            continue
        name = _unique(name, found[0].label, taken)
        taken[name] = len(named)
        named.append((name, tuple(found)))
    return named


def _ending_at(
    text: str, at: Mapping[Span, Mention], places: Stretches, part: Span
) -> Mention | None:
    """Return the mention that ends where a bracketed form does, or a noun or a plural s before."""
    for start, end in places.over(part.start, part.end):
        rest = text[end : part.end]
        if end <= part.end and (rest in ("", "s") or _NOUN.fullmatch(rest)):
            return at[Span(start, end)]
    return None


def _join_shortened(
    text: str,
    mentions: Sequence[Mention],
    keys: Mapping[Span, str],
    pairs: Iterable[Pair],
    short_of: dict[str, str],
    join: Callable[[str, str], None],
) -> None:
    """Join names that differ in a part that the document abbreviates, or in their maker's name.

    ``3DGS compression`` is ``3D Gaussian Splatting compression`` where the text says what 3DGS is;
    an acronym is the phrase of which it is made; ``OpenAI o1`` is ``o1``.
    """
    parts = {key(pair.long.of(text)): key(pair.short.of(text)) for pair in pairs}
    longest = sorted((long for long in parts if len(long) > 6), key=len, reverse=True)
    rank = {long: i for i, long in enumerate(longest)}
    held = Parts.of(longest)
    present = set(keys.values())
    by_key: dict[str, str] = {}
    acronyms: dict[tuple[str, str], Mention] = {}
    for mention in mentions:
        surface = mention.span.of(text)
        if surface.isupper() and surface.isalpha() and len(surface) > 2:
            acronyms.setdefault((mention.label, surface.casefold()), mention)
    for mention in mentions:
        own = keys[mention.span]
        folded, tried = own, 0
        # What is abbreviated may make another long form whole.
        while left := [nth for long in held.inside(folded) if (nth := rank[long]) >= tried]:
            long = longest[min(left)]
            tried = rank[long] + 1
            if folded != f"{mention.label}:{long}":
                folded = folded.replace(long, parts[long])
        if folded in by_key:
            join(by_key[folded], own)
        by_key.setdefault(folded, own)
        surface = mention.span.of(text)
        if " " in surface or "-" in surface:
            acronym = acronyms.get((mention.label, initials(surface)))
            if acronym:
                join(keys[acronym.span], own)
                short_of.setdefault(own, acronym.span.of(text))
        if mention.label == "Model" and surface.count(" ") == 1:
            maker, _, rest = surface.partition(" ")
            if maker.isalpha() and len(rest) > 1 and any(c.isdigit() or c == "-" for c in rest):
                other = f"Model:{spelling(rest)}"
                if other in present:
                    join(other, own)


def _join_known(
    text: str,
    mentions: Sequence[Mention],
    keys: Mapping[Span, str],
    lexicon: Lexicon,
    join: Callable[[str, str], None],
) -> None:
    """Join the spellings that the lexicon gives one name, such as RL and reinforcement learning."""
    by_name: dict[tuple[str, str], str] = {}
    for mention in mentions:
        entry = lexicon.get(mention.span.of(text))
        name = entry.name if entry and entry.label == mention.label else mention.span.of(text)
        folded = (mention.label, spelling(name))
        if folded in by_name:
            join(by_name[folded], keys[mention.span])
        else:
            by_name[folded] = keys[mention.span]


def _join_variants(keys: Mapping[Span, str], join: Callable[[str, str], None]) -> None:
    """Join a name and the same with its head noun: SQuAD and SQuAD dataset."""
    present = set(keys.values())
    for folded in sorted(present):
        label, _, name = folded.partition(":")
        for noun in (
            "dataset",
            "benchmark",
            "framework",
            "method",
            "algorithm",
            "loss",
            "learning",
            "score",
            "model",
        ):
            if name.endswith(noun) and f"{label}:{name.removesuffix(noun)}" in present:
                join(folded, f"{label}:{name.removesuffix(noun)}")


def _canonical(
    text: str,
    mentions: Sequence[Mention],
    elided: Mapping[Span, str],
    short: str,
    lexicon: Lexicon,
) -> str:
    label = mentions[0].label
    surfaces = Counter(elided.get(m.span, m.span.of(text)) for m in mentions)
    surfaces = _added((printed(s), n) for s, n in surfaces.items())
    entries = [
        entry for s in sorted(surfaces) if (entry := lexicon.get(s)) and entry.label == label
    ]
    if label in _TERMS:
        known = [e.name for e in entries if e.name.islower()]
        if known:
            return min(known)
        lower = [s for s in surfaces if _is_term(s)]
        title = [s for s in surfaces if _is_title_case(s)]
        proper = [s for s in surfaces if s not in lower and s not in title]
        if not proper and (lower or title):
            best = max(lower or title, key=lambda s: (surfaces[s], len(s), s))
            return _in_lower_case(best)
    shorts = [s for s in surfaces if s == short or (short and spelling(s) == spelling(short))]
    if shorts:
        return max(shorts, key=lambda s: (surfaces[s], s))
    exact = [s for s in surfaces if not _is_title_case(s) or label not in _TERMS]
    return max(exact or surfaces, key=lambda s: (surfaces[s], -len(s) if len(exact) > 1 else 0, s))


def _added(counted: Iterable[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for surface, number in sorted(counted):
        total[surface] += number
    return total


def _is_term(surface: str) -> bool:
    """Whether a surface is written as a common noun is: ``knowledge distillation``."""
    return not any(c.isupper() for c in surface) and not any(c.isdigit() for c in surface[:1])


def _is_title_case(surface: str) -> bool:
    """Whether each word is capitalised as in a title, and none holds other capitals or digits."""
    words = re.findall(r"[^\W_]+", surface)
    return bool(words) and all(
        w.islower() or (w[0].isupper() and w[1:].islower() and len(w) > 2) for w in words
    )


def _in_lower_case(term: str) -> str:
    words = re.split(r"(\s+|-)", term)
    folded = "".join(w.casefold() if not any(c.isupper() for c in w[1:]) else w for w in words)
    return singular(folded)


def _unique(name: str, label: str, taken: Mapping[str, int]) -> str:
    if name not in taken:
        return name
    name = f"{name} ({label.casefold()})"
    while name in taken:
        name += "'"
    return name


def entity(
    text: str, name: str, mentions: tuple[Mention, ...], *, introduced: bool, repository: str = ""
) -> LocalEntity:
    """Return the entity of these mentions, with its other spellings as aliases."""
    surfaces = {printed(mention.span.of(text)) for mention in mentions}
    aliases = tuple(
        sorted(s for s in surfaces if s != name and len(s) > 2 and not BARE_NUMBER.fullmatch(s))
    )
    return LocalEntity(name, mentions[0].label, introduced, mentions, aliases, repository)
