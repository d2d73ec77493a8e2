"""Query processes kept ready: one query a process at a time, ended when it runs wild."""

from __future__ import annotations

import asyncio
import contextlib
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

    async def stop(self) -> None:
        """End the child and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


#: Seconds after which a graph that does not open is given up.
_OPENING: Final = 120.0


class Pool:
    """As many query processes as asked for; the one that is ended is replaced."""

    def __init__(self, opening: Opening, *, workers: int, waiting: int, timeout: float) -> None:
        self._opening = opening
        self._size = workers
        self._most_waiting = waiting
        self._timeout = timeout
        self._free: asyncio.Queue[_Worker | None] = asyncio.Queue()
        self._all: set[_Worker] = set()
        self._waiting = 0

    async def start(self) -> None:
        """Start the processes; raise the error of the first that cannot open the graph."""
        # The first may build the store on disk, which the others then find.
        for _ in range(self._size):
            await self._add()

    async def stop(self) -> None:
        """End all processes."""
        workers, self._all = self._all, set()
        await asyncio.gather(*(worker.stop() for worker in workers))

    @property
    def pids(self) -> list[int]:
        """The ids of the processes."""
        return sorted(worker.process.pid for worker in self._all)

    async def _add(self) -> None:
        worker = await asyncio.wait_for(_Worker.started(self._opening), _OPENING)
        self._all.add(worker)
        self._free.put_nowait(worker)

    async def ask(self, job: Job) -> Reply:
        """Return the reply to ``job``.

        Raises :class:`TimedOut` where it takes too long, :class:`Busy` where too many wait, and
        what the query itself raises.
        """
        if self._waiting >= self._most_waiting:
            raise Busy("too many queries are waiting; try again later")
        self._waiting += 1
        try:
            worker = await asyncio.wait_for(self._free.get(), self._timeout)
        except TimeoutError as error:
            raise Busy("all query processes are at work; try again later") from error
        finally:
            self._waiting -= 1
        if worker is None or worker.process.returncode is not None:
            # It has died between two queries, or could not be replaced when it did.
            worker = await self._replaced(worker)
        try:
            reply = await asyncio.wait_for(worker.exchange(job), self._timeout)
        except TimeoutError as error:
            await self._discard(worker)
            raise TimedOut(
                f"timed out after {self._timeout:g} s, without a result; narrow the query"
            ) from error
        except BaseException:
            # The asker has gone away: nobody will read what the process is about to answer.
            await self._discard(worker)
            raise
        if reply is None:
            await self._discard(worker)
            raise TimedOut(out_of_memory("the query"))
        self._free.put_nowait(worker)
        if reply.kind not in ("answer", "bytes"):
            raise error_of(reply)
        return reply

    async def _replaced(self, worker: _Worker | None) -> _Worker:
        if worker is not None:
            self._all.discard(worker)
            await worker.stop()
        try:
            new = await asyncio.wait_for(_Worker.started(self._opening), _OPENING)
        except BaseException:
            self._free.put_nowait(None)
            raise
        self._all.add(new)
        return new

    async def _discard(self, worker: _Worker) -> None:
        """End ``worker`` and leave its place to be filled by whoever comes next."""
        self._all.discard(worker)
        await worker.stop()
        self._free.put_nowait(None)
