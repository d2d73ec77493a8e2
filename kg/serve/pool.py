"""Query processes kept ready: one query a process at a time, ended when it runs wild."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import msgspec

from kg.errors import KGError, TimedOut
from kg.query.worker import (
    Job,
    Opening,
    Reply,
    command,
    error_of,
    frame_length,
    out_of_memory,
    pack,
)


class Busy(KGError):
    """More queries are waiting than the server is willing to queue."""


class _Worker:
    """One child, spoken to without blocking."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        #: Whether it leaves the processor to others.
        self.yields = False

    @classmethod
    async def started(cls, opening: Opening) -> _Worker:
        """Return a child that has opened the graph."""
        process = await asyncio.create_subprocess_exec(
            *command(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        worker = cls(process)
        try:
            reply = await worker.exchange(opening)
        except BaseException:
            await worker.stop()
            raise
        if reply is None or reply.kind != "ready":
            await worker.stop()
            raise error_of(reply) if reply else KGError(out_of_memory("opening the graph"))
        return worker

    async def exchange(self, message: object) -> Reply | None:
        """Send one frame and return the next, or ``None`` when the child is gone."""
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            return None
        try:
            stdin.write(pack(message))
            await stdin.drain()
            length = frame_length(await stdout.readexactly(4))
            data = await stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return msgspec.msgpack.decode(data, type=Reply)

    def yield_processor(self, nice: int) -> None:
        """Let others go first from now on, where the system knows of that."""
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, nice)
                self.yields = True

    async def stop(self) -> None:
        """End the child and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


#: Seconds after which a graph that does not open is given up.
_OPENING: Final = 120.0
#: How many queries are remembered as having run wild.
_REMEMBERED: Final = 256
#: How much less of the processor a long query gets than the quick ones, as ``nice`` counts.
_NICE: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How many queries run and wait, and for how long."""

    #: Queries that run at a time while nobody knows yet whether they are quick.
    workers: int = 2
    #: Long queries that run at a time besides.
    long_workers: int = 2
    #: Seconds after which a query counts as long.
    quick: float = 1.0
    #: Seconds a query may run.
    timeout: float = 30.0
    #: Queries that may wait for their turn, and seconds they do before they are refused.
    waiting: int = 32
    patience: float = 10.0
    #: Long queries that may wait; they do so for as long as a query may run.
    long_waiting: int = 8


def _key(job: Job) -> bytes:
    """Return what tells one query from another, short whatever its length."""
    return hashlib.sha256(msgspec.msgpack.encode(job, order="deterministic")).digest()


class _Lane:
    """A number of places, and a queue of limited length before them, served in its order."""

    def __init__(self, places: int, waiting: int, patience: float, what: str) -> None:
        self._places = asyncio.Semaphore(places)
        self._room = waiting
        self._patience = patience
        self._what = what

    def free(self) -> bool:
        """Return whether somebody who comes now need not wait."""
        return not self._places.locked()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it; raise :class:`Busy` where too many wait, or too long."""
        if not self.free():
            if self._room <= 0:
                raise Busy(f"too many {self._what} are waiting; try again later")
            self._room -= 1
            try:
                await asyncio.wait_for(self._places.acquire(), self._patience)
            except TimeoutError as error:
                raise Busy(
                    f"no process was free for {self._patience:g} s: too many {self._what}; "
                    "try again later"
                ) from error
            finally:
                self._room += 1
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()


class Pool:
    """Query processes, one query each at a time, so shared that quick queries get their turn.

    Nothing tells beforehand how long a query takes.  Each therefore starts in the lane of the
    quick ones.  One that is not done after ``limits.quick`` seconds gives its place there to the
    next: it runs on among the long ones, which are fewer and get less of the processor, or, where
    all their places are taken, is ended and starts again when one is free.  A query that has run
    into its end before goes to the long ones at once, and leaves one place there to others.
    """

    def __init__(self, opening: Opening, limits: Limits) -> None:
        self._opening = opening
        self._limits = limits
        self._quick = _Lane(limits.workers, limits.waiting, limits.patience, "queries")
        most, patience = limits.long_waiting, limits.timeout
        self._long = _Lane(limits.long_workers, most, patience, "long queries")
        again = max(1, limits.long_workers - 1)
        self._again = _Lane(again, most, patience, "queries that have run wild before")
        self._size = limits.workers + limits.long_workers
        self._free: asyncio.Queue[_Worker | None] = asyncio.Queue()
        self._all: set[_Worker] = set()
        self._starting: set[asyncio.Task[None]] = set()
        #: Queries that were ended for their time or memory, the latest last.
        self._wild: dict[bytes, None] = {}

    async def start(self) -> None:
        """Start the processes; raise the error of the first that cannot open the graph."""
        # The first may build the store on disk, which the others then find.
        for _ in range(self._size):
            self._free.put_nowait(await self._started())

    async def stop(self) -> None:
        """End all processes."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        workers, self._all = self._all, set()
        await asyncio.gather(*(worker.stop() for worker in workers))

    async def ask(self, job: Job) -> Reply:
        """Return the reply to ``job``.

        Raises :class:`TimedOut` where it takes too long or too much memory, :class:`Busy` where
        too many wait, and what the query itself raises.
        """
        if _key(job) in self._wild:
            async with self._again.place(), self._long.place():
                return await self._run_long(job, await self._worker())
        async with contextlib.AsyncExitStack() as held:
            await held.enter_async_context(self._quick.place())
            worker = await self._worker()
            running = asyncio.ensure_future(worker.exchange(job))
            first = min(self._limits.quick, self._limits.timeout)
            try:
                done, _ = await asyncio.wait({running}, timeout=first)
            except BaseException:
                await self._end(worker, running)
                raise
            if done:
                return self._checked(job, worker, await running)
            if self._limits.timeout <= first:
                await self._end(worker, running)
                raise self._timed_out(job)
            if self._long.free():
                # The lock is taken without waiting, hence before anybody else can.
                async with self._long.place():
                    await held.aclose()
                    rest = self._limits.timeout - first
                    return await self._run_long(job, worker, running, rest)
            await self._end(worker, running)
        async with self._long.place():
            return await self._run_long(job, await self._worker())

    async def _run_long(
        self,
        job: Job,
        worker: _Worker,
        running: asyncio.Future[Reply | None] | None = None,
        rest: float | None = None,
    ) -> Reply:
        """Return the reply to a query that has a place among the long ones."""
        worker.yield_processor(_NICE)
        running = running or asyncio.ensure_future(worker.exchange(job))
        try:
            done, _ = await asyncio.wait({running}, timeout=rest or self._limits.timeout)
        except BaseException:
            # The asker has gone away: nobody will read what the process is about to answer.
            await self._end(worker, running)
            raise
        if not done:
            await self._end(worker, running)
            raise self._timed_out(job)
        return self._checked(job, worker, await running)

    def _checked(self, job: Job, worker: _Worker, reply: Reply | None) -> Reply:
        """Return a reply that is an answer, its process being free again; else raise its error."""
        if reply is None:
            self._remember(job)
            self._replace(worker)
            raise TimedOut(out_of_memory("the query"))
        self._wild.pop(_key(job), None)
        if worker.yields:
            # It cannot take its priority back.
            self._replace(worker)
        else:
            self._free.put_nowait(worker)
        if reply.kind not in ("answer", "bytes"):
            raise error_of(reply)
        return reply

    def _timed_out(self, job: Job) -> TimedOut:
        self._remember(job)
        return TimedOut(
            f"timed out after {self._limits.timeout:g} s, without a result; narrow the query"
        )

    def _remember(self, job: Job) -> None:
        key = _key(job)
        self._wild.pop(key, None)
        self._wild[key] = None
        while len(self._wild) > _REMEMBERED:
            del self._wild[next(iter(self._wild))]

    # --- processes -----------------------------------------------------------------------------

    async def _worker(self) -> _Worker:
        """Return a process that is ready; there are as many as there are places."""
        worker = await self._free.get()
        if worker is not None and worker.process.returncode is None:
            return worker
        # It has died between two queries, or could not be replaced when it was ended.
        if worker is not None:
            self._all.discard(worker)
        try:
            return await self._started()
        except BaseException:
            self._free.put_nowait(None)
            raise

    async def _started(self) -> _Worker:
        worker = await asyncio.wait_for(_Worker.started(self._opening), _OPENING)
        self._all.add(worker)
        return worker

    async def _end(self, worker: _Worker, running: asyncio.Future[Reply | None]) -> None:
        """End a process in the midst of a query, and start another in its place."""
        running.cancel()
        self._replace(worker)
        await worker.stop()

    def _replace(self, worker: _Worker) -> None:
        """Put another process in the place of this one, without waiting for it."""
        self._all.discard(worker)
        task = asyncio.ensure_future(self._put_another(worker))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _put_another(self, worker: _Worker) -> None:
        await worker.stop()
        try:
            new: _Worker | None = await self._started()
        except (KGError, OSError, TimeoutError):
            # Whoever comes next tries again, and is told of the error.
            new = None
        self._free.put_nowait(new)
