"""An input as bytes and lines: opened once, unpacked, decoded, and bounded in every direction.

The limits are stated here and nowhere else.  What exceeds one is skipped and reported, or is a
:class:`kg.errors.ReadError`; nothing is cut silently.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, cast

from kg.errors import ReadError

#: The longest line that is read, in bytes: one JSON record, one row of a table.
LINE_LIMIT: Final = 32 * 2**20
#: The largest file that is read whole, in bytes: a card, a text, a page, one JSON value.
FILE_LIMIT: Final = 64 * 2**20
#: The longest document, in characters (spaCy's own default limit for one text).
DOCUMENT_LIMIT: Final = 1_000_000
#: What a .gz file may unpack to: a floor in bytes, and so many bytes for each packed one.
GZIP_FLOOR: Final = 64 * 2**20
GZIP_RATIO: Final = 100
#: How much of an input is looked at to choose its reader, in bytes.
HEAD: Final = 64 * 2**10

STANDARD_INPUT: Final = "standard input"

#: Control characters (but tab and line ends), lone surrogates and what is no character: they
#: steer terminals, and no XML may hold them.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SIGNATURES: Final = {
    b"%PDF": "a PDF; kg reads titles and abstracts, not PDF: export them as text or JSON lines",
    b"PK\x03\x04": "a zip archive (or an office file); unpack it and give its files",
    b"PAR1": "a Parquet file; export it as JSON lines or CSV",
    b"BZh": "packed by bzip2; unpack it first (kg unpacks .gz only)",
    b"\xfd7zXZ": "packed by xz; unpack it first (kg unpacks .gz only)",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it first (kg unpacks .gz only)",
    b"SQLite format 3": "an SQLite database; export its table as CSV or JSON lines",
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in an input that was not read as it stands, and why."""

    source: str
    #: ``line 7``, ``record 3``, ``front matter``: where in the source, or empty for all of it.
    place: str
    reason: str
    #: False for a mere note: the document was read all the same, or was no document.
    lost: bool = True
    #: Whether a person should look at it, though nothing was left out.
    warns: bool = False

    def __str__(self) -> str:
        where = f"{self.source}, {self.place}" if self.place else self.source
        return f"{where}: {self.reason}"


class NoDocuments(ReadError):
    """The input can be read, but holds nothing that is a paper, a card or a text."""


class _Unpacked(io.RawIOBase):
    """The bytes of a gzip file, which ends in an error as soon as they are out of proportion."""

    def __init__(self, name: str, packed: BinaryIO) -> None:
        self._name = name
        self._packed = _Counted(packed)
        self._gzip = gzip.GzipFile(fileobj=cast("BinaryIO", self._packed), mode="rb")
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            data = self._gzip.read(min(len(buffer), 2**20))
        except (OSError, EOFError, zlib.error) as error:
            raise ReadError(
                f"{self._name}: the gzip data is damaged or cut off after {self._out} bytes "
                f"({error}); fetch or pack the file again"
            ) from error
        self._out += len(data)
        if self._out > GZIP_FLOOR + GZIP_RATIO * self._packed.count:
            raise ReadError(
                f"{self._name}: unpacks to more than {GZIP_RATIO} times its size, which no text "
                "does; if you trust it, unpack it first"
            )
        buffer[: len(data)] = data
        return len(data)


class _Counted:
    """A stream that knows how many bytes were taken from it (a pipe cannot ``tell``)."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data


class _Chained(io.RawIOBase):
    """``head``, which was read to look at it, and then the rest of ``stream``."""

    def __init__(self, head: bytes, stream: BinaryIO, recode: str | None) -> None:
        self._decoder = codecs.getincrementaldecoder(recode)("replace") if recode else None
        self._waiting = self._recoded(head, final=False)
        self._stream = stream
        self._ended = False

    def readable(self) -> bool:
        return True

    def _recoded(self, data: bytes, *, final: bool) -> bytes:
        if self._decoder is None:
            return data
        return self._decoder.decode(data, final).encode("utf-8", "replace")

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while not self._waiting and not self._ended:
            data = self._stream.read(2**18)
            self._ended = not data
            self._waiting = self._recoded(data, final=self._ended)
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size


class Source:
    """One input, opened: what a reader gets.  It can be read once, as lines or as one text."""

    def __init__(self, name: str, stream: BinaryIO, report: Callable[[Skipped], None]) -> None:
        #: As the user gave it, or ``standard input``.
        self.name = name
        self._report = report
        self._foreign: dict[str, list[str]] = {}
        self._raw = stream
        stream = _buffered(_Chained(*_taken(stream, HEAD), None), 2**16)
        if stream.peek(2)[:2] == b"\x1f\x8b":
            stream = _buffered(_Unpacked(name, stream), 2**18)
        head, stream = _taken(stream, HEAD)
        utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        recode = "utf-16" if utf16 else None
        _check_signature(name, head)
        if not utf16 and b"\x00" in head and _is_binary(head):
            raise ReadError(f"{name} is no text file; give text, Markdown, JSON or CSV")
        #: The first characters of the input, to choose a reader by.
        self.head = head.decode(recode or "utf-8", "replace").lstrip("\ufeff")
        #: Whether :attr:`head` is all there is.
        self.whole = len(head) < HEAD
        self._stream = _buffered(_Chained(head, stream, recode), 2**20)

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.name != STANDARD_INPUT:
            self._raw.close()
        for reason, places in self._foreign.items():
            rest = len(places) - 1
            more = f" (and {rest:,} more line{'s' * (rest > 1)})" if rest else ""
            self.warn(places[0], f"{reason}{more}; save the file as UTF-8 if names suffered")
        self._foreign.clear()

    def skip(self, place: str, reason: str) -> None:
        """Report that the record at ``place`` could not be read."""
        self._report(Skipped(self.name, place, reason))

    def note(self, place: str, reason: str) -> None:
        """Report something that a user should know, though nothing was lost by it."""
        self._report(Skipped(self.name, place, reason, lost=False))

    def warn(self, place: str, reason: str) -> None:
        """Report something that a user should look at, though everything was read."""
        self._report(Skipped(self.name, place, reason, lost=False, warns=True))

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the characters of each line, its line end included."""
        number = 0
        while line := self._stream.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                while line and not line.endswith(b"\n"):
                    line = self._stream.readline(LINE_LIMIT)
                limit = f"{LINE_LIMIT // 2**20} MB"
                self.skip(f"line {number}", f"the line is longer than {limit}; split the record")
                continue
            yield number, self._decoded(line, f"line {number}", first=number == 1)

    def text(self) -> str:
        """Return all characters of the input."""
        data = self._stream.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise ReadError(
                f"{self.name} is larger than {FILE_LIMIT // 2**20} MB, too much for one text; "
                "split it, or give the records as JSON lines"
            )
        return self._decoded(data, "", first=True)

    def _decoded(self, data: bytes, place: str, *, first: bool) -> str:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text, reason = _foreign(data)
            self._foreign.setdefault(reason, []).append(place)
        return text.removeprefix("\ufeff") if first else text


def opened(path: Path | str, report: Callable[[Skipped], None]) -> Source:
    """Return the file at ``path``, or standard input for ``-``, ready to be read."""
    if str(path) == "-":
        return Source(STANDARD_INPUT, sys.stdin.buffer, report)
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - the source closes it
    except OSError as error:
        reason = error.strerror or error
        raise ReadError(f"{path} cannot be opened: {reason}; check the path") from error
    try:
        return Source(str(path), stream, report)
    except BaseException:
        stream.close()
        raise


def clean(text: str) -> str:
    """Return ``text`` with line feeds as line ends, and U+FFFD for each unreadable character.

    Form feeds and vertical tabs become blanks.
    """
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    if not _UNREADABLE.search(text):
        return text
    return _UNREADABLE.sub(lambda match: " " if match[0] in "\v\f" else "\ufffd", text)


def _foreign(data: bytes) -> tuple[str, str]:
    """Return the characters of bytes that are no UTF-8, and what was done to have them.

    They are Windows-1252 (of which Latin-1 is a part) unless some of them are UTF-8: then they
    are damaged, and reading them otherwise would damage the rest.
    """
    with contextlib.suppress(UnicodeDecodeError):
        if data.decode("utf-8", "ignore").isascii():
            return data.decode("cp1252"), "no UTF-8, so it was read as Windows-1252"
    return data.decode("utf-8", "replace"), "no UTF-8; U+FFFD stands for what cannot be read"


def _taken(stream: BinaryIO, size: int) -> tuple[bytes, BinaryIO]:
    """Return the first ``size`` bytes (a pipe gives them in pieces), and the stream."""
    taken = bytearray()
    while len(taken) < size and (data := stream.read(size - len(taken))):
        taken += data
    return bytes(taken), stream


def _buffered(raw: io.RawIOBase, size: int) -> io.BufferedReader:
    return io.BufferedReader(cast("io.FileIO", raw), size)


def _check_signature(name: str, head: bytes) -> None:
    for signature, remedy in _SIGNATURES.items():
        if head.startswith(signature):
            raise ReadError(f"{name} is {remedy}")


def _is_binary(head: bytes) -> bool:
    """Whether control bytes are more than an accident in a text."""
    control = sum(byte < 9 or 13 < byte < 27 for byte in head)
    return control * 20 > len(head)
