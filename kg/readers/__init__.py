"""Inputs to documents: files, folders and standard input, read by what they contain.

::

    for document in read(["papers.jsonl.gz", "cards/"], on_skip=print):
        ...

Documents are yielded as they are read, so inputs may be larger than memory.  A file that cannot
be read is a :class:`kg.errors.ReadError`; a bad record among good ones, and a bad file in a
folder, is told to ``on_skip`` and left out.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from kg.errors import NoInput, ReadError, UsageError
from kg.plugins import choose, installed
from kg.readers import cards, pages, papers, texts
from kg.readers.source import DOCUMENT_LIMIT, NoDocuments, Skipped, Source, clean, opened
from kg.store import FOLDER, MANIFEST, read_manifest
from kg.values import Document

__all__ = ["READERS", "Reader", "Skipped", "Source", "none_found", "read", "reader_of"]

logger = logging.getLogger(__name__)

#: What a reader is: it takes an opened source, and yields documents; bad records go to
#: ``source.skip``. A plug-in's may have an attribute ``accepts(head, name) -> bool``.
Reader: TypeAlias = Callable[[Source], Iterator[Document]]

#: The readers that are built in, by the name that ``--reader`` takes.
READERS: Final[dict[str, Reader]] = {
    "page": pages.read_page,
    "papers": papers.read_papers,
    "csv": papers.read_table,
    "card": cards.read_card,
    "text": texts.read_text,
}

#: The files that are read in a folder; a file given by name is read whatever its ending.
_ENDINGS = re.compile(r"\.(?:md|markdown|txt|text|json|jsonl|ndjson|csv|tsv)(?:\.gz)?", re.I)
#: Files of Hub repositories that are never papers or cards.
_PASSED_OVER: Final = re.compile(
    r"(?:config|tokenizer|tokenizer_config|generation_config|special_tokens_map|added_tokens|vocab"
    r"|preprocessor_config|processor_config|model_index|modules|dataset_infos|.*\.index"
    r"|all_results|train_results|eval_results|trainer_state|requirements|merges|licen[cs]e)"
    r"\.(?:json|txt|md)",
    re.IGNORECASE,
)


class _Stopped(ReadError):
    """A record was lost, and the caller wants none to be."""


def read(
    inputs: Iterable[str | Path | Document],
    *,
    reader: str | None = None,
    strict: bool = False,
    on_skip: Callable[[Skipped], None] = lambda skipped: None,
) -> Iterator[Document]:
    """Yield the documents of all ``inputs``, in their order, as often as they come.

    Folders are read in the order of their files' names.  What has one id is told apart, and what
    is the same made one, by :func:`kg.assemble.documents.distinct`, whatever the order.
    ``reader`` forces one of :data:`READERS` (or of a plug-in) on every input; ``strict`` raises
    :class:`kg.errors.ReadError` at the first record that is lost.
    """

    def report(skipped: Skipped) -> None:
        if strict and skipped.lost:
            raise _Stopped(f"{skipped} (stopped, as --strict asks)")
        on_skip(skipped)

    forced = choose("reader", reader, {**READERS}) if reader else None
    inputs = list(inputs) if not isinstance(inputs, (str, Path)) else [inputs]
    for item in inputs:
        if not isinstance(item, Document) and str(item) != "-" and not os.path.lexists(item):
            raise NoInput(f"there is no file or folder {item}; check the path")
    yield from _documents(inputs, forced, report)


def none_found(inputs: Iterable[object], left_out: Sequence[object]) -> ReadError:
    """Return what to say of inputs without a document, of which ``left_out`` was said before."""
    names = ", ".join(map(str, inputs)) or "no input"
    why = str(left_out[0]) if left_out else "kg build --help tells what is read"
    return ReadError(f"no document was found in {names}; {why}")


def reader_of(source: Source) -> Reader:
    """Return the reader that fits what ``source`` begins with."""
    for other in installed("reader", READERS).values():
        accepts = getattr(other, "accepts", None)
        if accepts is not None and accepts(source.head, source.name):
            return other
    if cards.looks_like_card(source.head, source.name):
        return cards.read_card
    if papers.is_json(source.head):
        return papers.read_papers
    if papers.is_table(source.head):
        return papers.read_table
    if pages.looks_like_page(source.head):
        return pages.read_page
    # Neither: the ending tells what it was meant to be, and its reader what is wrong with it.
    ending = re.search(r"\.(\w+)(?:\.gz)?$", source.name.casefold())
    if ending and ending[1] in ("json", "jsonl", "ndjson"):
        return papers.read_papers
    if ending and ending[1] in ("csv", "tsv"):
        return papers.read_table
    return texts.read_text


def _documents(
    inputs: Iterable[str | Path | Document],
    forced: Reader | None,
    report: Callable[[Skipped], None],
) -> Iterator[Document]:
    """Yield the documents of each input; a bad file in a folder is reported."""
    for item in inputs:
        if isinstance(item, Document):
            yield _cleaned(item)
        elif str(item) != "-" and Path(item).is_dir():
            for path in _walk(Path(item), report):
                try:
                    yield from _of_file(path, forced, report)
                except _Stopped:
                    raise
                except NoDocuments as error:
                    reason = f"passed over: {_without_name(str(error), str(path))}"
                    report(Skipped(str(path), "", reason, lost=False))
                except ReadError as error:
                    report(Skipped(str(path), "", _without_name(str(error), str(path))))
        else:
            yield from _of_file(item, forced, report)


def _of_file(
    path: str | Path, forced: Reader | None, report: Callable[[Skipped], None]
) -> Iterator[Document]:
    with opened(path, report) as source:
        if not source.head.strip() and source.whole:
            source.skip("", "the file is empty; remove it or fill it")
            return
        reader = forced or reader_of(source)
        logger.info("%s: read by %s", source.name, getattr(reader, "__name__", reader))
        count = 0
        try:
            for document in reader(source):
                count += 1
                if len(document.text) > DOCUMENT_LIMIT:
                    source.skip(
                        f"document {document.id}",
                        f"the text has {len(document.text):,} characters, more than "
                        f"{DOCUMENT_LIMIT:,}; split it",
                    )
                    continue
                yield document
        except _Stopped:
            raise
        except ReadError as error:
            # Damage after good records costs the rest of this file, not what was read before.
            if not count:
                raise
            source.skip(
                "", f"only {count} documents were read: {_without_name(str(error), source.name)}"
            )


def _cleaned(document: Document) -> Document:
    """Return a document that a caller made, without the characters that no output can hold."""
    text, title = clean(document.text), clean(document.title)
    if not document.id:
        raise UsageError(f"a document has no id (its title: {title[:60]!r}); give it one")
    unchanged = text == document.text and title == document.title
    return document if unchanged else replace(document, text=text, title=title)


def _walk(folder: Path, report: Callable[[Skipped], None]) -> Iterator[Path]:
    """Yield the files under ``folder`` in the order of their paths; links are followed once."""
    others: Counter[str] = Counter()
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                if (status.st_dev, status.st_ino) not in entered:
                    entered.add((status.st_dev, status.st_ino))
                    inside = sorted(os.listdir(path), reverse=True)
                    own = _written_by_kg(path)
                    if own:
                        reason = "kg has written a graph here; its files were passed over"
                        report(Skipped(str(path), "", reason, lost=False, warns=True))
                    waiting += [
                        path / name
                        for name in inside
                        if not name.startswith(".") and name not in own
                    ]
                continue
        except OSError as error:
            report(Skipped(str(path), "", f"cannot be opened: {error.strerror or error}"))
            continue
        wanted = _ENDINGS.search(path.name) and not _PASSED_OVER.fullmatch(path.name)
        if stat.S_ISREG(status.st_mode) and (wanted or path.name in cards.SIDE_FILES):
            yield path
        else:
            others[path.suffix or path.name] += 1
    if others:
        kinds = ", ".join(f"{name} ({count})" for name, count in sorted(others.items())[:12])
        report(
            Skipped(str(folder), "", f"files of other kinds were passed over: {kinds}", lost=False)
        )


def _written_by_kg(folder: Path) -> frozenset[str]:
    """Return the names of what a build has written into ``folder``, if it is one of ours."""
    try:
        files = read_manifest(folder / MANIFEST).get("files", ())
    except (OSError, ReadError):
        return frozenset()
    names = files if isinstance(files, list) else []
    return frozenset({MANIFEST, FOLDER, *(name for name in names if isinstance(name, str))})


def _without_name(message: str, name: str) -> str:
    return message.removeprefix(name).lstrip(":, ")
