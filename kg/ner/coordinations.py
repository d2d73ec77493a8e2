"""Names of which a list prints only the part that differs: "Llama-3.1-8B and 70B"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kg.ner.shapes import looks

_SIZE: Final = re.compile(
    r"\d+(?:\.\d+)?[BMKTbmk](?:-?[Aa]\d+(?:\.\d+)?[Bb])?(?:-[A-Z]\w+(?:-[A-Z]\w+)*)?(?![\w%])"
)
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)*(?![\w%.-]|\.\d| ?%)|\d+(?:\.\d+)*(?=\.(?:\s|$))")
_VERSION: Final = re.compile(r"[VR]\d+(?:\.\d+)*(?![\w%])")
_VARIANT: Final = re.compile(r"[A-Za-z]+(?:-v\d)?(?![\w%])")
_SIZE_IN_NAME: Final = re.compile(
    r"(?<![\d.])\d+(?:\.\d+)?[BMKTbmk](?:-[Aa]\d+(?:\.\d+)?[Bb])?(?![A-Za-z0-9])"
)
_NUMBER_AT_END: Final = re.compile(r"\d+(?:\.\d+)*$")
_VERSION_AT_END: Final = re.compile(r"[VRvr]\d+(?:\.\d+)*$")
_PLUS: Final = re.compile(r"\(\+\)")
_NEXT: Final = re.compile(r"\s*/\s*|\s*,\s+(?:and |or |& )?|\s+(?:and|or|&|to)\s+(?:the\s+)?")
_OPEN: Final = re.compile(
    r"(?:\s+(?:models?|series|family|language model|variants|variants?))?\s*\("
)
_NOT_OF_IT: Final = re.compile(
    r"\s*(?:%|\\%|points?\b|times\b|x\b|×|percent|[a-z-]*datasets\b|tasks\b|benchmarks\b|languages\b|models\b|examples\b|"
    r"samples\b|tokens\b|epochs\b|GPUs?\b|layers\b|steps\b|bits?\b|billion|million)"
)
#: So many elided names are completed of one list, so that the time taken is linear.
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Elision:
    """A part of a name that stands for the whole of it."""

    start: int
    end: int
    #: The completed name.
    name: str


def elisions(text: str, start: int, end: int, *, label: str = "Model") -> list[Elision]:
    """Return the elided names that follow the name ``text[start:end]`` in its coordination.

    >>> [e.name for e in elisions("Llama-3.1-8B and 70B", 0, 12)]
    ['Llama-3.1-70B']
    """
    name = text[start:end]
    found: list[Elision] = []
    position = end
    bracket = _OPEN.match(text, end)
    if label == "Benchmark" and (plus := _PLUS.match(text, end)):
        return [Elision(plus.start() + 1, plus.start() + 2, name + "+")]
    if bracket and label == "Model":
        inside = _first_in_bracket(text, bracket.end(), name)
        if inside:
            found.append(inside)
            position = inside.end
    if not found and not _may_go_on(name, text, end):
        return []
    while len(found) < _MOST and (joint := _NEXT.match(text, position)):
        slash = "/" in joint[0]
        member = _member(
            text, joint.end(), found[-1].name if found else name, slash=slash, label=label
        )
        if member is None or (
            not slash and _NOT_OF_IT.match(text, member.end) and not _is_size(member, text)
        ):
            break
        found.append(member)
        position = member.end
    return found


def _is_size(member: Elision, text: str) -> bool:
    return _SIZE.fullmatch(text[member.start : member.end]) is not None


def _may_go_on(name: str, text: str, end: int) -> bool:
    return bool(
        re.search(r"\d", name)
        or text[end : end + 1] == "/"
        or name.split()[-1].casefold() in looks().variants
    )


def _first_in_bracket(text: str, at: int, name: str) -> Elision | None:
    size = _SIZE.match(text, at)
    if size and not _SIZE_IN_NAME.search(name):
        rest = text[size.end() : size.end() + 30]
        if re.match(r"\s*(?:[/,)]|and\b|&|to\b|parameters?\b)", rest) and not re.match(
            r"\s*tokens", rest
        ):
            return Elision(size.start(), size.end(), _joined(name, size[0]))
    variant = _VARIANT.match(text, at)
    if variant and variant[0].casefold() in looks().variants and variant[0][0].isupper():
        return Elision(variant.start(), variant.end(), _joined(name, variant[0]))
    return None


def _member(text: str, at: int, name: str, *, slash: bool, label: str) -> Elision | None:
    size = _SIZE.match(text, at)
    if size:
        known = list(_SIZE_IN_NAME.finditer(name))
        if not known or label != "Model":
            return None
        last = known[-1]
        behind = (
            ""
            if "-" in size[0] and not re.match(r".*-[Aa]\d+[Bb]$", size[0])
            else name[last.end() :]
        )
        return Elision(size.start(), size.end(), name[: last.start()] + size[0] + behind)
    version = _VERSION.match(text, at)
    if version and (known := list(_VERSION_AT_END.finditer(name))):
        return Elision(version.start(), version.end(), name[: known[-1].start()] + version[0])
    number = _NUMBER.match(text, at)
    if number:
        end_number = _NUMBER_AT_END.search(name)
        if number[0].startswith("0."):
            return None  # a score, no version
        if end_number is None or not (slash or _alike(end_number[0], number[0], label)):
            return None
        return Elision(number.start(), number.end(), name[: end_number.start()] + number[0])
    variant = _VARIANT.match(text, at)
    if slash and label == "Model" and variant and variant[0][0].isupper():
        head, blank, tail = name.rpartition(" ") if " " in name else name.rpartition("-")
        variants = looks().variants
        if blank and (
            (tail.casefold() in variants and variant[0].casefold() in variants)
            or (re.fullmatch(r"[A-Z][a-z]?", tail) and re.fullmatch(r"[A-Z][a-z]?", variant[0]))
        ):
            return Elision(variant.start(), variant.end(), head + blank + variant[0])
    return None


def _alike(one: str, other: str, label: str) -> bool:
    """Whether two numbers can end members of one list: years, or versions of the same kind."""
    if label == "Metric" or label == "Method" or label == "Task":
        return False
    return len(one) == len(other) or ("." in one) or ("." in other) or label == "Dataset"


def _joined(name: str, part: str) -> str:
    """Return the name of a family member, written as such names are.

    >>> _joined("Qwen3-VL", "2B"), _joined("Pythia", "160M")
    ('Qwen3-VL-2B', 'Pythia 160M')
    """
    return (
        f"{name}-{part}"
        if "-" in name or (name[-1].isdigit() and " " not in name)
        else f"{name} {part}"
    )
