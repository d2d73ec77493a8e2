"""Run the server until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvicorn

from kg.errors import KGError, UsageError
from kg.query.sources import opening
from kg.query.stores import disk_store
from kg.query.worker import Opening
from kg.serve.app import Settings, application

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise :class:`KGError` where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise KGError(
            f"port {port} of {host}: {error.strerror}; choose another with --port, or 0 for any"
        ) from error


def serve(
    where: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 7878,
    allow_remote: bool = False,
    memory: int = 2048,
    settings: Settings | None = None,
    started: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the graph in a folder, or any RDF file, until interrupted.

    ``started`` is called with the address.  The store is on disk, so memory does not grow with
    the graph.  Raises :class:`kg.errors.UsageError` for an address that others can reach, unless
    ``allow_remote``.
    """
    if host not in _LOOPBACK and not allow_remote:
        raise UsageError(
            f"{host} can be reached from other machines, and anybody there could ask; "
            "say --allow-remote if that is meant"
        )
    settings = settings or Settings()
    if allow_remote:
        settings = replace(settings, hosts=("*",))
    with opening(where, memory=memory, on_disk=True) as source, listen(host, port) as bound:
        if source.cache is not None:
            # Errors of the file are told before anything listens to requests, and a process that
            # takes the place of another need not hash the file again.
            store = disk_store(Path(source.path), Path(source.cache))
            source = Opening(str(store), memory=memory)
        folder = where if where.is_dir() else None
        config = uvicorn.Config(
            application(source, folder, settings),
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
            server_header=False,
        )
        actual = bound.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        server = _Announcing(config, lambda: started(f"http://{name}:{actual}/"))
        server.run(sockets=[bound])
        if not server.started:
            raise KGError("the server did not start; its log says why")


class _Announcing(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so where that worked."""
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()
