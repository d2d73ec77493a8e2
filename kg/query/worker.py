"""A child process that asks a store, so that a query can be stopped by ending the process.

The engine has no time limit of its own.  Parent and child speak in frames on the child's
standard input and output: four bytes of length, then MessagePack.  The child takes
:class:`Job`\\ s until its input ends, and answers each with one :class:`Reply`.
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from kg import schema
from kg.errors import KGError, NoInput, NotAcceptable, NotFound, ReadError, TimedOut, UsageError
from kg.query.answers import Answer, Value

_LENGTH: Final = struct.Struct(">I")
#: The child ends itself where the engine wants more memory than this, in megabytes.
MEMORY: Final = 4096


@dataclass(frozen=True, slots=True)
class Opening:
    """What a child is started with."""

    path: str
    cache: str | None = None
    on_disk: bool | None = None
    #: In megabytes; 0 for no limit.
    memory: int = MEMORY


@dataclass(frozen=True, slots=True)
class Job:
    """One query."""

    query: str
    #: The canned question's name, for messages.
    name: str = "this query"
    #: Parameters as the user wrote them.
    parameters: dict[str, str] = field(default_factory=dict)
    #: Preset: what the query may use without declaring it.
    prefixes: dict[str, str] = field(default_factory=lambda: dict(schema.PREFIXES))
    #: The graphs that make up the default graph; none means the union of all.
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] | None = None
    #: The most rows; 0 for all.
    limit: int = 0
    services: tuple[str, ...] = ()
    #: Set by the endpoint: answer with this media type's bytes rather than with values.
    media_type: str = ""
    #: The most bytes of such an answer; 0 for any.
    most_bytes: int = 0
    #: Only bind the parameters, and answer with the query as text.
    bind_only: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of opening the store or of a job."""

    #: ``ready``, ``answer``, ``bytes``, or the name of an error.
    kind: str
    message: str = ""
    answer: Answer | None = None
    content: bytes = b""
    #: For a name that is not found.
    nearest: tuple[str, ...] = ()
    cut: bool = False


#: The errors that a reply can tell of; of another one, the nearest that it is a kind of.
_ERRORS: Final[Mapping[str, type[KGError]]] = {
    kind.__name__: kind
    for kind in (KGError, ReadError, NoInput, UsageError, NotAcceptable, NotFound)
}


def pack(message: Any) -> bytes:
    """Return one frame."""
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


def send(stream: IO[bytes], message: Any) -> None:
    """Write one frame."""
    stream.write(pack(message))
    stream.flush()


def frame_length(head: bytes) -> int:
    """Return how many bytes follow the four of a frame's head."""
    return int(_LENGTH.unpack(head)[0])


def receive(stream: IO[bytes], kind: type[Any]) -> Any:
    """Read one frame; return ``None`` at the end of the stream."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    data = stream.read(frame_length(head))
    return msgspec.msgpack.decode(data, type=kind)


def command() -> list[str]:
    """Return the command line that starts a child of this process."""
    home = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {home!r}); "
        f"from kg.query.worker import main; main({os.getpid()})"
    )
    # -P: whatever lies in the current folder is not imported.
    return [sys.executable, "-P", "-c", code]


# --- the parent's side -------------------------------------------------------------------------


class Child:
    """A running child, asked one job at a time."""

    def __init__(self, opening: Opening) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._send(opening)
        try:
            self._checked(self._receive(), "opening the graph")
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The id of the child's process."""
        return self._process.pid

    def ask(self, job: Job, *, timeout: float | None = None) -> Answer:
        """Return the answer; raise :class:`TimedOut` after ``timeout`` seconds, the child ended."""
        reply = self.fetch(job, timeout=timeout)
        if reply.answer is None:
            raise KGError("the query process sent no answer; this is a defect of kg")
        return reply.answer

    def fetch(self, job: Job, *, timeout: float | None = None) -> Reply:
        """Return the reply, which holds bytes where the job asks for a media type."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        timer = threading.Timer(timeout, expire) if timeout else None
        self._send(job)
        if timer:
            timer.start()
        try:
            reply = self._receive()
        finally:
            if timer:
                timer.cancel()
        if expired.is_set():
            self.stop()
            raise TimedOut(
                f"timed out after {timeout:g} s, without a result; narrow the query, or give it "
                "longer with --timeout"
            )
        return self._checked(reply, "the query")

    def stop(self) -> None:
        """End the child and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _send(self, message: Any) -> None:
        if self._process.stdin is None:
            raise KGError("the query process has no input; this is a defect of kg")
        # A child that has died is noticed when its reply does not come.
        with contextlib.suppress(BrokenPipeError):
            send(self._process.stdin, message)

    def _receive(self) -> Reply | None:
        if self._process.stdout is None:
            return None
        reply: Reply | None = receive(self._process.stdout, Reply)
        return reply

    def _checked(self, reply: Reply | None, what: str) -> Reply:
        if reply is None:
            self.stop()
            raise KGError(out_of_memory(what))
        if reply.kind in ("ready", "answer", "bytes"):
            return reply
        raise error_of(reply)


def out_of_memory(what: str) -> str:
    """Return what to say when a child has died of itself."""
    return f"{what} ended early: most likely it needs more memory than it may have; narrow it"


def error_of(reply: Reply) -> KGError:
    """Return the error that a reply tells of."""
    kind = _ERRORS.get(reply.kind, KGError)
    if issubclass(kind, NotFound):
        return kind(reply.message, nearest=reply.nearest)
    return kind(reply.message)


# --- the child's side --------------------------------------------------------------------------


def main(parent: int) -> None:
    """Serve jobs from standard input until it ends, or until the process ``parent`` does."""
    # What others print must not end up among the frames.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    opening: Opening | None = receive(sys.stdin.buffer, Opening)
    if opening is None:
        return
    _die_with_parent(parent)
    from kg.query.stores import open_store

    try:
        cache = Path(opening.cache) if opening.cache else None
        store = open_store(Path(opening.path), cache=cache, on_disk=opening.on_disk)
    except (KGError, OSError) as error:
        send(out, _reply_of(error))
        return
    _limit_memory(opening.memory)
    send(out, Reply("ready"))
    while True:
        job: Job | None = receive(sys.stdin.buffer, Job)
        if job is None:
            return
        try:
            reply = perform(store, job)
        except Exception as error:  # whatever the engine raises, the asker must hear of it
            reply = _reply_of(error)
        send(out, reply)


def perform(store: Any, job: Job) -> Reply:
    """Return the reply to ``job``: bytes where a media type is set, else an answer."""
    from kg.query.running import answer, bound, serialised

    if job.bind_only:
        query, notes = bound(store, job)
        return Reply("bytes", "\n".join(notes), content=query.encode())
    if job.media_type:
        content, cut = serialised(store, job)
        return Reply("bytes", content=content, cut=cut)
    return Reply("answer", answer=answer(store, job))


def _reply_of(error: Exception) -> Reply:
    kinds = (kind.__name__ for kind in type(error).__mro__)
    kind = next((name for name in kinds if name in _ERRORS), "KGError")
    if isinstance(error, NotFound):
        return Reply(kind, error.args[0], nearest=error.nearest)
    return Reply(kind, str(error))


def _limit_memory(megabytes: int) -> None:
    """Let the process end rather than the machine run out of memory."""
    if megabytes <= 0 or os.name != "posix":
        return
    import resource

    most = megabytes * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    # macOS has the call but refuses it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent(parent: int) -> None:
    """On Linux, ask for a signal when the parent is gone, so that no query outlives its asker."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    set_death_signal = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    # It may have gone before there was anybody to tell.
    if os.getppid() != parent:
        os._exit(1)


def to_value(term: Any) -> Value | None:
    """Return a term of the engine as a value."""
    import pyoxigraph as ox

    if term is None:
        return None
    if isinstance(term, ox.NamedNode):
        return Value("uri", term.value)
    if isinstance(term, ox.BlankNode):
        return Value("bnode", term.value)
    if isinstance(term, ox.Literal):
        plain = schema.PREFIXES["xsd"] + "string"
        datatype = "" if term.language or term.datatype.value == plain else term.datatype.value
        return Value("literal", term.value, datatype, term.language or "")
    return Value("triple", str(term))


def values(terms: Iterable[Any]) -> tuple[Value | None, ...]:
    """Return terms of the engine as values."""
    return tuple(map(to_value, terms))
