"""Corrections that people make, kept in a file of their own and applied at every build.

``overrides.yaml`` is a list of rules, each with one verb, who decided it and why::

    version: 1
    rules:
      - merge: [DeepSeek R1, DeepSeek-R1]
        author: Ada
        date: 2026-11-24
        reason: one model, two spellings
        source: https://huggingface.co/deepseek-ai/DeepSeek-R1

Names are found whatever their case, blanks and hyphens; an id such as ``model/deepseek-r1`` names
one entity exactly.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from kg import schema
from kg.config import known
from kg.errors import NoInput, ReadError, UsageError
from kg.values import LABELS

#: Each verb and what its list of arguments means. A trailing ``...`` allows more of the last.
VERBS: Final = {
    "add_entity": ("name", "type"),
    "rename": ("name", "new name"),
    "retype": ("name", "type"),
    "merge": ("name", "name", "..."),
    "keep_apart": ("name", "name"),
    "drop": ("name",),
    "add_alias": ("name", "alias"),
    "add_edge": ("name", "relation", "name"),
    "reject_edge": ("name", "relation", "name"),
    "retype_edge": ("name", "relation", "name", "new relation"),
    "unsure_edge": ("name", "relation", "name"),  # looked at and left open: not asked again
    "unsure_merge": ("name", "name"),
}
#: What may stand beside the verb.
PROVENANCE: Final = ("author", "date", "reason", "source")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ./+_-]*[A-Za-z0-9]")
#: A file beyond this is no list that people keep by hand.
_LARGEST_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One correction: a verb of :data:`VERBS`, its arguments, and who made it, when and why."""

    verb: str
    arguments: tuple[str, ...]
    author: str = ""
    date: str = ""
    reason: str = ""
    source: str = ""
    #: Where it stands in its file, counted from 1; 0 for a rule made in code.
    line: int = 0

    def __str__(self) -> str:
        return f"{self.verb} {', '.join(self.arguments)}"


@dataclass(frozen=True, slots=True)
class Overrides:
    """The rules of one file, in its order; a later rule wins over an earlier one."""

    rules: tuple[Rule, ...] = ()


def load(path: str | os.PathLike[str]) -> Overrides:
    """Read an overrides file; a malformed one is a :class:`UsageError` naming line and remedy."""
    where = Path(path)
    try:
        raw = where.read_bytes()
    except FileNotFoundError as error:
        raise NoInput(f"there is no file {where}; check the path") from error
    except OSError as error:
        raise ReadError(f"{where}: cannot be read ({error.strerror})") from error
    if len(raw) > _LARGEST_BYTES:
        raise UsageError(f"{where}: {len(raw):,} bytes; at most {_LARGEST_BYTES:,} are read")
    return Overrides(tuple(_rules(_parse(where, raw), where)))


def _parse(where: Path, raw: bytes) -> CommentedMap:
    # The round-trip loader builds plain values only (no tag makes an object) and keeps lines.
    try:
        content = YAML(typ="rt").load(raw.decode("utf-8")) or CommentedMap()
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{where}: is not YAML: {str(error).splitlines()[0]}") from error
    except (ValueError, TypeError, AttributeError) as error:
        # What the loader lets through of Python: a 99th month, a list as a key.
        raise UsageError(
            f"{where}: holds a value that cannot be read ({error}); correct it, or quote it"
        ) from error
    if not isinstance(content, CommentedMap):
        raise UsageError(f"{where}: should begin with 'version: 1' and hold a list 'rules'")
    for key in content:
        place = f"{where}, line {content.lc.key(key)[0] + 1}"
        _check(_text(key, place), ("version", "rules"), place)
    if content.get("version", 1) != 1:
        version = _text(content["version"], str(where))
        raise UsageError(f"{where}: version {version} is not known; this kg reads 1")
    return content


def _rules(content: CommentedMap, where: Path) -> Iterable[Rule]:
    rules = content.get("rules") or CommentedSeq()
    if not isinstance(rules, CommentedSeq):
        raise UsageError(f"{where}: 'rules' should be a list, each item beginning with '- '")
    for index, item in enumerate(rules):
        line = (rules.lc.item(index) or (rules.lc.line,))[0] + 1
        place = f"{where}, line {line}"
        if not isinstance(item, CommentedMap):
            raise UsageError(f"{place}: a rule is a verb with a list, e.g. 'merge: [A, B]'")
        yield _rule(item, place, line)


def _rule(item: CommentedMap, place: str, line: int) -> Rule:
    for key in item:
        _check(_text(key, place), (*VERBS, *PROVENANCE), place)
    verbs = [key for key in item if key in VERBS]
    if len(verbs) != 1:
        found = " and ".join(verbs) or "none"
        raise UsageError(f"{place}: a rule has one verb, here {found}; verbs: {', '.join(VERBS)}")
    (verb,) = verbs
    value: Any = item[verb]
    parts = value if isinstance(value, list) else [value]
    arguments = tuple(_text(part, place) for part in parts)
    _check_arguments(verb, arguments, place)
    author, date, reason, source = (_text(item.get(key) or "", place) for key in PROVENANCE)
    return Rule(verb, arguments, author, date, reason, source, line)


def _text(value: object, place: str) -> str:
    """Return a single value as text; aliases in lists in lists would never end."""
    if not isinstance(value, (str, int, float, datetime.date)):
        raise UsageError(f"{place}: each value should be a word or words; put it in quotes")
    return str(value)


def _check_arguments(verb: str, arguments: tuple[str, ...], place: str) -> None:
    wanted = VERBS[verb]
    more = wanted[-1] == "..."
    least = len(wanted) - more
    if len(arguments) < least or (len(arguments) > least and not more) or not all(arguments):
        raise UsageError(f"{place}: {verb} takes [{', '.join(wanted)}], not {list(arguments)}")
    for kind, argument in zip(wanted, arguments, strict=False):
        if kind == "type":
            _check(argument, LABELS, place)
        elif kind.endswith("relation"):
            _check(argument, tuple(schema.relations()), place)


def _check(word: str, words: tuple[str, ...], place: str) -> None:
    known(word, words, f"{place}: '{word}' is not known")


def append(path: str | os.PathLike[str], rules: Iterable[Rule]) -> int:
    """Add ``rules`` to the file at ``path``, made if need be, its comments kept.

    A rule that stands there already (same verb and arguments) is not written again.  Returns how
    many were written.
    """
    where = Path(path)
    yaml = YAML(typ="rt")
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = _parse(where, where.read_bytes()) if where.exists() else CommentedMap(version=1)
    there = {(rule.verb, rule.arguments) for rule in _rules(content, where)}
    if not content.get("rules"):
        content["rules"] = CommentedSeq()
    count = 0
    for rule in rules:
        if (rule.verb, rule.arguments) in there:
            continue
        there.add((rule.verb, rule.arguments))
        content["rules"].append(_as_map(rule))
        count += 1
    aside = where.with_name(where.name + ".new")
    with aside.open("w", encoding="utf-8") as lines:
        yaml.dump(content, lines)
    aside.replace(where)
    return count


def _as_map(rule: Rule) -> CommentedMap:
    # The emitter leaves some strings bare that read back as something else (``?0``).
    arguments = CommentedSeq(
        part if _PLAIN.fullmatch(part) else DoubleQuotedScalarString(part)
        for part in rule.arguments
    )
    arguments.fa.set_flow_style()
    item = CommentedMap({rule.verb: arguments})
    for key in PROVENANCE:
        if value := getattr(rule, key):
            item[key] = value
    return item
