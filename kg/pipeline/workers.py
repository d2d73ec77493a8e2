"""Read documents in this process, in several, or on a cluster: the same readings each way.

Work travels as packed documents and comes back as packed readings, so that the process that
keeps them need not understand them.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Any, Final

from kg.errors import KGError
from kg.ner import Gear
from kg.pipeline.checkpoints import pack, unpack_document
from kg.pipeline.reading import batches
from kg.values import Document

#: Documents that a worker reads between two checkpoints.
CHUNK: Final = 64
#: Below so many documents the start of worker processes costs more than it gains.
WORTHWHILE: Final = 400
#: Chunks under way for each worker, so that none waits for work.
_AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document: its packed reading, or why there is none."""

    digest: bytes
    packed: bytes = b""
    #: For a document that could not be read: its id and what went wrong.
    document: str = ""
    problem: str = ""


#: What no text can cause: the installation or the machine is broken, so reading on is of no use.
_SYSTEMIC: Final = (KGError, OSError, ImportError, MemoryError)

Work = list[tuple[bytes, bytes]]


def read_chunk(work: Work, gear: Gear) -> list[Outcome]:
    """Return the outcome of each ``(digest, packed document)``.

    A document that breaks the reading of its chunk is read again alone, and left out if it
    breaks that too.
    """
    from kg.pipeline.reading import read

    documents = [unpack_document(packed) for _, packed in work]
    try:
        readings = list(read(documents, gear=gear))
    except _SYSTEMIC:
        raise
    except Exception:  # whatever a hostile text may raise: found out one by one below
        return [
            _read_alone(own, document, gear)
            for (own, _), document in zip(work, documents, strict=True)
        ]
    return [Outcome(own, pack(reading)) for (own, _), reading in zip(work, readings, strict=True)]


def _read_alone(own: bytes, document: Document, gear: Gear) -> Outcome:
    from kg.pipeline.reading import read

    try:
        (reading,) = read([document], gear=gear)
    except _SYSTEMIC:
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        return Outcome(own, document=document.id, problem=problem)
    return Outcome(own, pack(reading))


def read_here(work: Iterable[tuple[bytes, bytes]], gear: Gear) -> Iterator[list[Outcome]]:
    """Yield the outcomes of ``work``, read in this process, a chunk at a time."""
    for chunk in batches(work, CHUNK):
        yield read_chunk(chunk, gear)


def read_in_processes(
    work: Iterable[tuple[bytes, bytes]], gear: Gear, jobs: int
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of ``work``, read by ``jobs`` processes, in the order of the work.

    The workers die with this process, however it dies.  One that is killed (by the system when
    memory runs out, say) is replaced once; what it held is read again.
    """
    waiting = deque[Work]()
    source = batches(work, CHUNK)
    for attempt in (1, 2):
        pool = ProcessPoolExecutor(
            jobs, get_context("spawn"), initializer=_start_worker, initargs=(os.getpid(),)
        )
        try:
            yield from _pump(pool, source, waiting, gear, jobs)
        except BrokenProcessPool as error:
            if attempt == 2:
                raise KGError(
                    "a worker process was killed twice, for want of memory perhaps; what was read "
                    "is kept: run the same command again with --jobs 1"
                ) from error
        else:
            return
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _pump(
    pool: ProcessPoolExecutor, source: Iterator[Work], waiting: deque[Work], gear: Gear, jobs: int
) -> Iterator[list[Outcome]]:
    """Keep the pool busy; what it has not answered for stays in ``waiting``."""
    under_way: deque[tuple[Work, Future[list[Outcome]]]] = deque()
    try:
        while True:
            while len(under_way) < jobs * _AHEAD:
                if not waiting:
                    waiting.extend(islice(source, 1))
                if not waiting:
                    break
                # A chunk leaves those that wait only once the pool, which may be broken, has it.
                under_way.append((waiting[0], pool.submit(read_chunk, waiting[0], gear)))
                waiting.popleft()
            if not under_way:
                return
            outcomes = under_way[0][1].result()
            under_way.popleft()
            yield outcomes
    except BrokenProcessPool:
        waiting.extendleft(chunk for chunk, _ in reversed(under_way))
        raise


def _start_worker(parent: int) -> None:
    """Let this process die with ``parent``, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # One process a core: threads of its own would only stand in the others' way.
    os.environ.setdefault("KG_THREADS", "1")
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG: the kernel kills this process when its parent ends.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def read_on_cluster(
    work: Iterable[tuple[bytes, bytes]], gear: Gear, scheduler: str
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of ``work``, read by the workers of a Dask scheduler, as they come.

    A task whose worker dies is given to another by Dask.
    """
    try:
        distributed: Any = importlib.import_module("distributed")  # untyped
    except ImportError as error:
        raise KGError("--scheduler needs Dask: pip install 'mlkg[dask]'") from error
    try:
        client = distributed.Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise KGError(
            f"{scheduler}: no Dask scheduler answers there; start one with 'dask scheduler'"
        ) from error
    with client:
        source = batches(work, CHUNK)
        threads = max(1, sum(client.nthreads().values()))
        running = distributed.as_completed([], loop=client.loop, with_results=True)
        under_way = 0
        while True:
            while under_way < threads * _AHEAD and (chunk := next(source, [])):
                running.add(client.submit(read_chunk, chunk, gear, pure=False))
                under_way += 1
            if not under_way:
                return
            _, outcomes = next(running)
            under_way -= 1
            yield outcomes
