"""Papers and cards as records: JSON, JSON lines, CSV and TSV.

A record is understood by its fields, whoever wrote it: arXiv's snapshot, Semantic Scholar,
OpenAlex, OpenReview, Hugging Face papers, the gold format, or plain ``id, title, abstract``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from kg.errors import ReadError
from kg.readers import cards
from kg.readers.documents import (
    arxiv_id,
    arxiv_url,
    paper,
    plain_text,
    safe_id,
    safe_url,
    year_in,
)
from kg.readers.source import LINE_LIMIT, NoDocuments, Source, clean
from kg.values import Document

_TITLES: Final = ("title", "display_name", "paper_title", "name")
_ABSTRACTS: Final = ("abstract", "summary", "paper_abstract", "paperAbstract", "description")
_TEXTS: Final = ("text", "content", "body")
_IDS: Final = (
    "id",
    "paperId",
    "paper_id",
    "corpusid",
    "corpusId",
    "arxiv_id",
    "arxivId",
    "acl_id",
    "doi",
    "key",
)
_YEARS: Final = (
    "year",
    "publication_year",
    "publicationDate",
    "publication_date",
    "published",
    "publishedAt",
    "date",
    "pdate",
    "cdate",
    "update_date",
)
_URLS: Final = ("url", "link", "paper_url", "url_abs", "html_url")
_KEPT: Final = ("categories", "venue", "license", "keywords", "primary_category")
#: Where a service wraps its records: ``{"data": [...]}``.
_LISTS: Final = ("data", "results", "notes", "papers", "items", "records", "documents", "works")
#: How many records may be strange before the whole input is.
_PATIENCE: Final = 20
#: How many lines one quoted field of a table may go on for.
_ROW_LINES: Final = 2_000
#: How many such fields a table may hold before its quotation marks count no more.
_RUN_ON_ROWS: Final = 20

_BLANK_TITLE: Final = "untitled"


class _Strange(Exception):
    """A record that is no paper, no card and no text."""


def read_papers(source: Source) -> Iterator[Document]:
    """Yield the documents of a JSON or JSON lines source."""
    records = _json_lines(source) if _one_a_line(source) else _json_values(source)
    yield from _documents(source, records)


def read_table(source: Source) -> Iterator[Document]:
    """Yield the documents of a CSV or TSV source, whose first row names the fields."""
    yield from _documents(source, _rows(source))


def is_json(head: str) -> bool:
    """Whether a text begins as JSON does (a Markdown link begins with a bracket, too)."""
    return bool(re.match(r'\s*(?:\{\s*(?:["}]|$)|\[\s*(?:[{\["\]]|$))', head))


def is_table(head: str) -> bool:
    """Whether the first line names fields of papers, set apart by commas, tabs or semicolons."""
    header = head.lstrip().partition("\n")[0]
    names = _called(_split_header(header)[1])
    titles = {name.casefold() for name in _TITLES} & names
    texts = {name.casefold() for name in (*_ABSTRACTS, *_TEXTS)} & names
    return len(names) > 1 and bool(texts or titles) and bool(texts or (names & {"id", "url"}))


def _documents(source: Source, records: Iterator[tuple[str, Any]]) -> Iterator[Document]:
    """Yield the documents of ``records``; report those that are none, if others are."""
    waiting: list[tuple[str, str]] = []
    found = False
    for place, record in records:
        try:
            document = _document(record, partial(source.note, place))
        except _Strange as error:
            waiting.append((place, f"the record {error}"))
            if not found and len(waiting) >= _PATIENCE:
                break
        else:
            found = True
            yield document
        if found:
            for strange in waiting:
                source.skip(*strange)
            waiting.clear()
    if waiting:
        place, reason = waiting[-1]
        raise NoDocuments(
            f"{source.name}: no record is a paper, a card or a text; at {place}, {reason}; "
            "name the fields id, title and abstract"
        )


def _one_a_line(source: Source) -> bool:
    """Whether the first or second line that is not empty is a JSON object of its own."""
    lines = [line for line in source.head.splitlines()[:50] if line.strip()]
    if len(lines) == 1 and not source.whole:
        return not source.head.lstrip().startswith("[")  # a line longer than the head
    return any(isinstance(_decoded(line), dict) for line in lines[:2]) and lines[0].strip() != "["


def _json_lines(source: Source) -> Iterator[tuple[str, Any]]:
    for number, line in source.lines():
        if not line.strip():
            continue
        record = _decoded(line)
        if isinstance(record, _Undecodable):
            source.skip(f"line {number}", f"this is no JSON: {record.reason}")
            continue
        nested = _listed(record)
        if nested is None:
            yield f"line {number}", record
        else:
            for index, inner in enumerate(nested, 1):
                yield f"line {number}, record {index}", inner


def _json_values(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield the records of a JSON text that spreads over lines: a list, or one object."""
    text = source.text()
    value = _decoded(text)
    if isinstance(value, _Undecodable):
        yield from _salvaged(source, text, value.reason)
        return
    nested = _listed(value)
    for number, record in enumerate([value] if nested is None else nested, 1):
        yield f"record {number}", record


def _salvaged(source: Source, text: str, reason: str) -> Iterator[tuple[str, Any]]:
    """Yield what is whole in a JSON list, or a run of objects, that is broken somewhere."""
    decoder = json.JSONDecoder()
    opening = re.match(r"\s*\[", text)
    position = opening.end() if opening else 0
    separator = re.compile(r"[\s,]*")
    number = 0
    while True:
        skipped = separator.match(text, position)
        position = skipped.end() if skipped else position
        if position >= len(text) or text[position] == "]":
            return
        try:
            record, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            if number == 0:
                raise ReadError(
                    f"{source.name} is no valid JSON: {reason}; check how it was written"
                ) from error
            source.skip(
                f"line {text.count(chr(10), 0, position) + 1}",
                f"the JSON breaks off after {number} records: {reason}",
            )
            return
        number += 1
        yield f"record {number}", record


class _Undecodable:
    def __init__(self, reason: str) -> None:
        self.reason = reason


def _decoded(text: str) -> Any:
    """Return the value of a JSON text; lone surrogates and NaN, which others write, pass."""
    try:
        return msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(text)
    except RecursionError:
        return _Undecodable("it is nested too deeply")
    except ValueError as error:
        return _Undecodable(str(error)[:200])


def _listed(value: Any) -> list[Any] | None:
    """Return the records of a list, or of an object that wraps one; ``None`` for a record."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and not any(key in value for key in (*_TITLES, *_ABSTRACTS)):
        for key in _LISTS:
            if isinstance(value.get(key), list):
                return list(value[key])
    return None


def _split_header(header: str) -> tuple[str, list[str]]:
    best = max("\t,;|", key=header.count)
    return best, [name.strip().strip('"').strip() for name in header.split(best)]


class _RunsOn(Exception):
    """A quoted field that does not end."""


def _rows(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield the rows of a table as records.

    A quotation mark that is never closed would swallow all rows that follow: such a row is
    given up after a while, and reading goes on in the line below it.  After the first few of
    these, quotation marks are read as characters like others.
    """
    csv.field_size_limit(LINE_LIMIT)
    lines = source.lines()
    pending: list[tuple[int, str]] = []  # lines to be read again, the next one last
    header: list[str] = []
    delimiter = ","
    given_up = 0

    def following() -> Iterator[str]:
        size = 0
        while pending or (line := next(lines, None)):
            used.append(pending.pop() if pending else line)  # type: ignore[arg-type]
            size += len(used[-1][1])
            if len(used) > _ROW_LINES or size > LINE_LIMIT:
                raise _RunsOn
            yield used[-1][1]

    while True:
        used: list[tuple[int, str]] = []
        try:
            reader = csv.reader(
                following(),
                delimiter=delimiter,
                quoting=csv.QUOTE_MINIMAL if given_up < _RUN_ON_ROWS else csv.QUOTE_NONE,
            )
            cells = next(reader, None)
        except (_RunsOn, csv.Error) as error:
            number = used[0][0]
            reason = "a quoted field does not end" if isinstance(error, _RunsOn) else str(error)
            source.skip(f"line {number}", f"the row cannot be read: {reason}")
            pending += reversed(used[1:])
            given_up += 1
            if given_up == _RUN_ON_ROWS:
                source.note(
                    f"line {number}", "from here on quotation marks end no field; mend them"
                )
            continue
        if cells is None:
            return
        place = f"line {used[0][0]}"
        if not header:
            if not "".join(cells).strip():
                continue
            delimiter, header = _split_header(used[-1][1].rstrip("\r\n"))
            if not _called(header) & {*_TITLES, *_TEXTS}:
                columns = ", ".join(header)
                source.warn(
                    place, f"no column is called title, so none is read; there are: {columns}"
                )
            continue
        if not cells or not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            source.skip(place, f"the row has {len(cells)} cells where the header has {len(header)}")
            continue
        yield place, {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}


def _document(record: Any, note: Callable[[str], None] | None = None) -> Document:
    if not isinstance(record, dict):
        raise _Strange(f"is {_kind(record)} where an object with a title was expected")
    record = {key: _value(value) for key, value in record.items()}
    content = record.get("content")
    if isinstance(content, dict):  # OpenReview
        record = {**record, **{key: _value(value) for key, value in content.items()}}
        record.pop("content", None)
    nested = record.get("paper")
    if isinstance(nested, dict) and _text_of(nested, _TITLES):  # Hugging Face daily papers
        record = {**record, **nested}
    lower = {str(key).casefold(): value for key, value in record.items()}
    for key, value in record.items():
        lower.setdefault(_plain_name(str(key)), value)
    if cards.is_record(record):
        return cards.document_of_record(record, note)
    title = _text_of(lower, _TITLES)
    abstract = _text_of(lower, _ABSTRACTS) or _inverted(lower.get("abstract_inverted_index"))
    url = _url(lower)
    given = _given_id(lower)
    year = next((y for key in _YEARS if (y := year_in(lower.get(key.casefold())))), None)
    versions = lower.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], dict):
        year = year_in(versions[0].get("created")) or year
    text = _text_of(lower, _TEXTS)
    if title and (abstract or not text):
        metadata = {key: lower[key] for key in _KEPT if lower.get(key) not in (None, "", [])}
        return paper(title, abstract, given_id=given, url=url, year=year, metadata=_plain(metadata))
    if text:
        return plain_text(title or _first_line(text), text, given_id=given, url=url, year=year)
    if abstract:
        return paper(_BLANK_TITLE, abstract, given_id=given, url=url, year=year)
    raise _Strange(f"has no title, no abstract and no text; its fields are {_names(record)}")


def _called(header: Iterable[str]) -> set[str]:
    """Return what the fields of a table are called, and what they share with others."""
    return {key for name in header for key in (name.casefold(), _plain_name(name))}


def _plain_name(field: str) -> str:
    """Return what ``Paper Title``, ``the title`` and ``title`` share."""
    words = re.sub(r"[\W_]+", " ", field.casefold()).split()
    while len(words) > 1 and words[0] in ("the", "paper", "article", "publication"):
        words.pop(0)
    return "_".join(words)


def _value(value: Any) -> Any:
    """Return what stands in OpenReview's ``{"value": ...}``, and other values as they are."""
    return value["value"] if isinstance(value, dict) and set(value) >= {"value"} else value


def _text_of(record: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = record.get(key) or record.get(key.casefold())
        if isinstance(value, list) and len(value) == 1:  # Crossref writes titles as lists
            value = value[0]
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _given_id(record: Mapping[str, Any]) -> str:
    for key in _IDS:
        if given := safe_id(record.get(key.casefold())):
            return given.removeprefix("https://openalex.org/")
    return ""


def _url(record: Mapping[str, Any]) -> str:
    """Return the best address of a record: arXiv's, then its own, then one made of its id."""
    others = record.get("externalids")
    others = others if isinstance(others, dict) else {}
    number = others.get("ArXiv") or record.get("arxiv_id") or record.get("arxivid")
    if isinstance(number, str) and arxiv_id(number):
        return arxiv_url(arxiv_id(number))
    for key in _URLS:
        value = record.get(key)
        if isinstance(value, str) and safe_url(value):
            return safe_url(value)
    location = record.get("primary_location")
    if isinstance(location, dict) and isinstance(location.get("landing_page_url"), str):
        return safe_url(location["landing_page_url"])
    if isinstance(record.get("forum"), str):
        return safe_url(f"https://openreview.net/forum?id={record['forum']}")
    given = record.get("id")
    if isinstance(given, str) and safe_url(given):
        return safe_url(given)
    doi = record.get("doi")
    if isinstance(doi, str) and re.match(r"10\.\d{4,9}/", doi):
        return safe_url(f"https://doi.org/{doi}")
    if isinstance(doi, str) and safe_url(doi):
        return safe_url(doi)
    if isinstance(record.get("paperid"), str) and record["paperid"].isalnum():
        return f"https://www.semanticscholar.org/paper/{record['paperid']}"
    return ""


def _inverted(index: Any) -> str:
    """Return the abstract that OpenAlex keeps as words with their positions."""
    if not isinstance(index, dict):
        return ""
    words = [
        (position, word)
        for word, positions in index.items()
        if isinstance(positions, list)
        for position in positions
        if isinstance(position, int) and not isinstance(position, bool)
    ]
    return " ".join(str(word) for _, word in sorted(words))


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in metadata.items():
        if isinstance(value, str):
            found[key] = clean(value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            found[key] = [clean(item) for item in value]
        elif isinstance(value, (int, float)):
            found[key] = value
    return found


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def _kind(value: Any) -> str:
    names = {"list": "a list", "str": "a string", "int": "a number", "float": "a number"}
    return names.get(type(value).__name__, "empty")


def _names(record: Mapping[str, Any]) -> str:
    shown = ", ".join(repr(str(key))[:40] for key in list(record)[:12])
    return shown or "none"
