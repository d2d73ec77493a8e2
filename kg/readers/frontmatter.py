"""The YAML block at the head of a Hub card: its values, and where each stands in the text.

Only plain values come out: strings, numbers, booleans, ``None``, lists and dicts with string
keys.  ruamel.yaml reads the syntax; the values are built here from its events, so that tags,
recursion, and blocks that expand to millions of values are refused before they cost anything.
What does not parse is read key by key, as far as it goes.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from kg.readers.source import clean
from kg.values import Span

#: The longest block that is given to the YAML parser, in characters.
YAML_LIMIT: Final = 750_000
#: The same for one key of a block that was refused as a whole.
_KEY_LIMIT: Final = 100_000
#: How deep values may be nested, and how many there may be once aliases are expanded.
DEPTH_LIMIT: Final = 40
VALUE_LIMIT: Final = 60_000
_ITEM_LIMIT: Final = 10_000
#: How many lines that hold a value are looked at to find the one that is nothing but it.
_HOLDING_LIMIT: Final = 1_000

_OPENING = re.compile(r"\s*---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_KEY_LINE = re.compile(r"^(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w.-]*)(?P=quote)[ \t]*:(?=\s|$)")
_ITEM = re.compile(r"^\s*-\s+(?P<value>.*)$")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: Final = {"": None, "~": None} | {
    spelling: value
    for word, value in {"null": None, "true": True, "false": False}.items()
    for spelling in (word, word.capitalize(), word.upper())
}
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")
)

_KEYS: Final = tomllib.loads((Path(__file__).parent / "hub_keys.toml").read_text("utf-8"))
#: Keys that dataset cards, and that model cards, have at the top level.
DATASET_KEYS: Final = frozenset(_KEYS["dataset"])
MODEL_KEYS: Final = frozenset(_KEYS["model"])
#: All keys by which a Hub card is known.
HUB_KEYS: Final = DATASET_KEYS | MODEL_KEYS | frozenset(_KEYS["other"])


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands above the prose of a card."""

    values: dict[str, Any]
    #: Where the prose begins in the text.
    body: int
    #: Why some of it could not be read, in words, or empty.
    problem: str = ""


class Refused(Exception):
    """The YAML is well formed, but not something that a card may hold."""


def front_matter(text: str) -> FrontMatter:
    """Return the values of the block at the head of ``text``; none where there is no block."""
    start, end, body = _block(text)
    if start == body:
        return FrontMatter({}, body)
    problem = "" if _CLOSING.match(text, end) else "no line '---' closes the front matter; "
    block = text[start:end]
    try:
        values = parse(block)
    except (YAMLError, Refused) as error:
        values, unread = _by_key(block)
        lost = f"; not read: {', '.join(unread)}" if unread else ""
        return FrontMatter(values, body, f"{problem}{_in_words(error)}; read key by key{lost}")
    return FrontMatter(values, body, problem.removesuffix("; "))


@lru_cache(maxsize=256)  # the line, then the value in it; and one value stands in many results
def key_span(text: str, key: str, value: str | None = None) -> Span | None:
    """Return where ``key`` is set: its line, or the line of the item that holds ``value``.

    White space around the line is left out.  ``None`` where the front matter has no such key.
    Text that is one JSON object (an ``adapter_config.json``) is understood too.
    """
    lines = _lines_of_key(text, key)
    if not lines:
        return None
    if value is None:
        return lines[0]
    wanted = str(value)
    holding = _holding(text, lines, wanted)
    exact = [line for line in holding if _item(line.of(text), key) == wanted]
    return (exact or holding or lines)[0]


def value_span(text: str, key: str, value: str) -> Span | None:
    """Return where the characters of ``value`` stand in the line that :func:`key_span` finds."""
    line = key_span(text, key, value)
    if line is None or not value:
        return None
    begin = line.of(text).find(":") + 1 if _KEY_LINE.match(line.of(text).lstrip('{ "')) else 0
    found = text.find(value, line.start + begin, line.end)
    return Span(found, found + len(value)) if found >= 0 else None


def parse(block: str, *, limit: int = YAML_LIMIT) -> dict[str, Any]:
    """Return the mapping that a YAML text holds, as plain values; empty for no content.

    Numbers that do not survive the way there and back (``80.10``, ``007``) and dates stay the
    strings that were written.
    """
    value = parse_any(block, limit=limit)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused("it is no list of keys and values")
    return value


def parse_any(block: str, *, limit: int = YAML_LIMIT) -> Any:
    """Return the value of a YAML text as :func:`parse` does, be it a mapping or not."""
    if len(block) > limit:
        raise Refused(f"it is longer than {limit:,} characters")
    _check_depth(block)
    events = YAML(typ="safe", pure=True).parse(block)
    try:
        return _built(events)
    except (RecursionError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise Refused(f"the parser gave up ({type(error).__name__})") from error


def _check_depth(block: str) -> None:
    """Refuse nesting that the parser's time or stack would not bear, by a look at the text."""
    depth = deepest = 0
    for match in re.finditer(r"[\[\]{}]", block):
        depth = max(0, depth + (1 if match.group() in "[{" else -1))
        deepest = max(deepest, depth)
    steps = max((len(m.group()) for m in re.finditer(r"(?:[-?][ \t]+)+", block)), default=0)
    if deepest > 10 * DEPTH_LIMIT or steps > 10 * DEPTH_LIMIT:
        raise Refused("it is nested too deeply")


class _Level:
    """A list or mapping that is being filled."""

    __slots__ = ("anchor", "key", "size", "value", "waiting")

    def __init__(self, value: list[Any] | dict[str, Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key = ""
        self.waiting = False
        self.size = 1

    def put(self, value: Any, size: int) -> None:
        """Add ``value``, which consists of ``size`` values, as item, key or value of a key."""
        self.size += size
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.waiting:
            self.value[self.key] = value
            self.waiting = False
        elif isinstance(value, (dict, list)):
            raise Refused("a key is no plain value (a template that was never filled in?)")
        else:
            self.key = "" if value is None else str(value)
            self.waiting = True


def _built(events: Iterator[Any]) -> Any:
    """Return the first document of ``events``, without recursion and within the limits."""
    levels = [_Level([], None)]
    anchors: dict[str, tuple[Any, int]] = {}
    documents = 0
    for event in events:
        match event:
            case DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise Refused("it holds more than one YAML document")
            case ScalarEvent():
                _check_tag(event)
                value = _scalar(event)
                if event.anchor:
                    anchors[event.anchor] = (value, 1)
                levels[-1].put(value, 1)
            case AliasEvent():
                if event.anchor not in anchors:
                    raise Refused(f"the alias *{event.anchor} has no value, or holds itself")
                levels[-1].put(*anchors[event.anchor])
            case SequenceStartEvent() | MappingStartEvent():
                _check_tag(event)
                if len(levels) > DEPTH_LIMIT:
                    raise Refused("it is nested too deeply")
                start: list[Any] | dict[str, Any] = (
                    [] if isinstance(event, SequenceStartEvent) else {}
                )
                levels.append(_Level(start, event.anchor))
            case _ if type(event).__name__ in ("SequenceEndEvent", "MappingEndEvent"):
                level = levels.pop()
                if level.anchor:
                    anchors[level.anchor] = (level.value, level.size)
                levels[-1].put(level.value, level.size)
        if levels[-1].size > VALUE_LIMIT:
            raise Refused(f"it expands to more than {VALUE_LIMIT:,} values")
    root = levels[0].value
    return root[0] if isinstance(root, list) and root else None


def _check_tag(event: Any) -> None:
    tag = str(event.tag) if event.tag else ""
    if tag and tag != "!" and tag not in _PLAIN_TAGS:
        raise Refused(f"the tag {tag[:80]!r} is refused; cards hold plain values")


def _scalar(event: Any) -> Any:
    written = clean(str(event.value))  # "\\e" in quotes is an escape, as it is in JSON
    if not event.implicit[0]:  # quoted, a block, or tagged
        return written
    return plain(written)


def plain(written: str) -> Any:
    """Return what an unquoted YAML scalar stands for."""
    if written in _CONSTANTS:
        return _CONSTANTS[written]
    if _INTEGER.fullmatch(written):
        return int(written)
    if _FLOAT.fullmatch(written):
        number = float(written)
        return number if math.isfinite(number) and str(number) == written else written
    return written


def _in_words(error: Exception) -> str:
    """Return the first sentence of a parser's many-line complaint, with its line."""
    problem = getattr(error, "problem", None)
    mark = getattr(error, "problem_mark", None)
    if not problem:
        return f"the YAML front matter is not readable: {' '.join(str(error).split())[:200]}"
    # The block begins on the file's second line.
    where = f", line {mark.line + 2}" if mark else ""
    return f"the YAML front matter is not readable{where}: {problem}"


def _block(text: str) -> tuple[int, int, int]:
    """Return where the block starts and ends, and where the prose begins."""
    opening = _OPENING.match(text)
    if not opening:
        return 0, 0, 0
    start = opening.end()
    closing = _CLOSING.search(text, start)
    if closing:
        body = min(closing.end() + 1, len(text))
        return start, closing.start(), body
    end = start
    for line in text[start:].splitlines(keepends=True):
        if not (_KEY_LINE.match(line) or _ITEM.match(line) or line[0] in " \t#"):
            break
        end += len(line)
    return start, end, end


def _blocks(block: str) -> list[tuple[str, str]]:
    """Return each top-level key with the lines that belong to it, key line included."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines(keepends=True):
        match = _KEY_LINE.match(line)
        if match:
            found.append((match["key"], [line]))
        elif found:
            found[-1][1].append(line)
    return [(key, "".join(lines)) for key, lines in found]


def _by_key(block: str) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the keys that can be read on their own, and the other keys.

    A block that YAML refuses is still read if it is one plain value or a list of such.
    """
    values: dict[str, Any] = {}
    unread = []
    for key, lines in _blocks(block):
        try:
            # What made the whole too slow to parse would do so again on its own.
            values.update(parse(lines, limit=_KEY_LIMIT))
        except (YAMLError, Refused):
            simple = _simple(lines)
            if simple is None:
                unread.append(key)
            else:
                values[key] = simple
    return values, unread


def _simple(lines: str) -> Any:
    """Return the value on the key's own line, or the list of plain items below it, or None."""
    first, *rest = lines.splitlines()
    value = first.partition(":")[2].strip()
    if value:
        opens = value[0] in "\"'" and (len(value) == 1 or value[-1] != value[0])
        return None if value[0] in "[{&*!|>" or opens else _unquoted(value)
    items = [match["value"] for line in rest if (match := _ITEM.match(line))]
    if items and all(":" not in item.replace("://", "") for item in items):
        return [_unquoted(item) for item in items[:_ITEM_LIMIT]]
    return None


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.strip("\"'")


def _holding(text: str, lines: Sequence[Span], wanted: str) -> list[Span]:
    """Return the first of ``lines`` that hold ``wanted``; text is searched, not line by line."""
    found: list[Span] = []
    end = lines[-1].end
    at = text.find(wanted, lines[0].start, end) if wanted else -1
    for _ in range(_HOLDING_LIMIT):
        if at < 0:
            break
        line = lines[bisect_right(lines, at, key=lambda line: line.start) - 1]
        is_inside = at + len(wanted) <= line.end
        if is_inside:
            found.append(line)
        at = text.find(wanted, line.end if is_inside else at + 1, end)
    return found


def _item(line: str, key: str) -> str:
    """Return what a line sets: the item after its dash, or the value after its key."""
    line = line.strip()
    match = _ITEM.match(line)
    if match:
        return _unquoted(match["value"])
    bare = line.lstrip('{"').removeprefix(key).lstrip('"').lstrip()
    return _unquoted(bare.removeprefix(":").strip().rstrip(","))


@lru_cache(maxsize=8)  # asked for again for each value of the key
def _lines_of_key(text: str, key: str) -> tuple[Span, ...]:
    if text.lstrip().startswith("{"):
        found = re.search(rf'"{re.escape(key)}"\s*:[^\n]*', text)
        return (_trimmed(text, found.start(), found.end()),) if found else ()
    start, end, _ = _block(text)
    lines: list[Span] = []
    position = start
    for line in text[start:end].splitlines(keepends=True):
        match = _KEY_LINE.match(line)
        if lines and match:
            break
        if (lines or (match and match["key"] == key)) and line.strip():
            lines.append(_trimmed(text, position, position + len(line)))
        position += len(line)
    return tuple(lines)


def _trimmed(text: str, start: int, end: int) -> Span:
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    return Span(start, end)


_KNOWN_KEY: Final = "(?:" + "|".join(map(re.escape, sorted(HUB_KEYS))) + r"):(?=\s|$)"
#: The blank before an item, a closing line, a known key, or a key in snake case.
_FLAT_BREAK = re.compile(rf"(?<=\S)(?<![ \n]-) (?=- |---(?:\s|$)|[a-z]+_[a-z_]+:\s|{_KNOWN_KEY})")
#: A blank at the end of a line, and the line break: before a closing line or a known key.
_TRAILING_BLANK = re.compile(rf"(?<=\S)  (?=---(?:\s|$)|{_KNOWN_KEY})")
_WIDE = re.compile(r" {2,}")


def is_flat(text: str) -> bool:
    """Whether ``text`` is a card whose line feeds became spaces."""
    return "\n" not in text.strip() and bool(re.match(r"\s*--- +[A-Za-z_]", text))


def unflattened(text: str) -> str:
    """Return a flat card with line feeds where they must have been; no offset changes.

    Indentation survived as runs of spaces; before items and known keys there was a line feed;
    two spaces in the prose were an empty line.
    """
    opening = re.match(r"\s*---", text)
    start = opening.end() if opening else 0
    closing = re.search(r" ---(?= |$)", text[start:])
    end = start + closing.end() if closing else start
    block = _TRAILING_BLANK.sub(" \n", text[start:end])
    block = _WIDE.sub(lambda run: "\n" + " " * (len(run.group()) - 1), block)
    block = _FLAT_BREAK.sub("\n", block)
    if block.startswith(" "):
        block = "\n" + block[1:]
    prose = text[end:]
    if prose.startswith(" "):
        prose = "\n" + prose[1:]
    prose = _WIDE.sub(
        lambda run: "\n\n" if len(run.group()) == 2 else "\n" + " " * (len(run.group()) - 1), prose
    )
    return text[:start] + block + prose
