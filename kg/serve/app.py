"""The server's routes: the SPARQL 1.1 Protocol, the query page, the explorer, and things."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from kg import resources, schema
from kg.errors import KGError, NotAcceptable, NotFound, TimedOut, UsageError
from kg.exporters import BASE, schema_page
from kg.query import question, questions
from kg.query.answers import Answer
from kg.query.hints import TOGETHER, unmatched
from kg.query.worker import Job, Opening
from kg.serve import negotiation, pages
from kg.serve.pool import Busy, Limits, Pool

PAGE: Final = Path(__file__).parent / "page"
#: The first parts of the paths of things.
KINDS: Final = (
    *("model", "dataset", "benchmark", "method", "task", "metric"),
    *("doc", "assertion", "evidence", "result", "fact", "extractor", "run"),
)
_FORM: Final = "application/x-www-form-urlencoded"
_QUERY: Final = "application/sparql-query"
_UPDATE: Final = "application/sparql-update"
#: Our own pages load nothing from elsewhere; explorer and ontology bring what they need in them.
_POLICY: Final = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
_EXPLORER: Final = "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server behaves."""

    #: How many queries run and wait, and for how long.
    limits: Limits = Limits()  # noqa: RUF009 - frozen, so one for all is safe
    #: Bytes of a request's body.
    most_body: int = 1_000_000
    #: Bytes of an answer.
    most_answer: int = 50_000_000
    #: Origins whose pages may ask; none unless given.
    cors: tuple[str, ...] = ()
    #: Names by which the server may be called, against DNS rebinding.
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")


class _Refused(Exception):
    """A request that is answered with an error's status and plain words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _plain(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(message + "\n", status, headers, media_type="text/plain")


def _status_of(error: KGError) -> int:
    if isinstance(error, TimedOut | Busy):
        return 503
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, NotAcceptable):
        return 406
    return 400 if isinstance(error, UsageError) else 500


_T = TypeVar("_T")
Handler = Callable[[Request], Awaitable[Response]]


def _guarded(handler: Handler) -> Handler:
    """Return ``handler`` with its errors turned into statuses and plain words."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except _Refused as error:
            return _plain(error.status, str(error))
        except KGError as error:
            # Of those, only waiting helps: the same query would run wild again.
            headers = {"retry-after": "1"} if isinstance(error, Busy) else None
            return _plain(_status_of(error), str(error), headers)

    return guarded


async def _while_connected(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what comes of ``work``, which is cancelled where the client goes away before."""

    async def gone() -> None:
        # The body has been read, so that the next message but an empty one is the end.
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task, watch = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise _Refused(499, "the client has gone away")
        return await task
    finally:
        task.cancel()
        watch.cancel()


class Server:
    """The handlers, and what they share."""

    def __init__(self, opening: Opening, folder: Path | None, settings: Settings) -> None:
        self.settings = settings
        self.folder = folder
        self.base = BASE
        self.pool = Pool(opening, settings.limits)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Start and end the query processes with the server."""
        await self.pool.start()
        try:
            found = await self._answer("SELECT ?g { GRAPH ?g { ?a mlkg:status ?s } } LIMIT 1")
            if found.rows and found.rows[0][0] is not None:
                self.base = found.rows[0][0].value.removesuffix("graph/provenance")
            yield
        finally:
            await self.pool.stop()

    async def _answer(self, query: str) -> Answer:
        reply = await self.pool.ask(Job(query))
        if reply.answer is None:
            raise KGError("the query process sent no answer; this is a defect of kg")
        return reply.answer

    # --- SPARQL --------------------------------------------------------------------------------

    async def sparql(self, request: Request) -> Response:
        """Answer one request of the SPARQL 1.1 Protocol."""
        parameters = await self._parameters(request)
        updates = [value for name, value in parameters if name == "update"]
        if updates:
            status = 400 if request.method == "GET" else 403
            raise _Refused(status, "this endpoint only answers queries; it takes no update")
        queries = [value for name, value in parameters if name == "query"]
        if not queries and request.method in ("GET", "HEAD") and not parameters:
            return self._description(request)
        if len(queries) != 1:
            raise _Refused(400, f"give exactly one query, not {len(queries)}")
        default_graphs = tuple(v for name, v in parameters if name == "default-graph-uri")
        named_graphs = tuple(v for name, v in parameters if name == "named-graph-uri")
        offered = (*negotiation.ROWS, *negotiation.TRIPLES)
        accepted = negotiation.chosen(request.headers.get("accept"), offered)
        if not accepted:
            raise _Refused(406, f"not acceptable: answers are written as {', '.join(offered)}")
        has_dataset = bool(default_graphs or named_graphs)
        job = Job(
            queries[0],
            default_graphs=default_graphs,
            named_graphs=named_graphs if has_dataset else None,
            media_type=",".join(accepted),
            most_bytes=self.settings.most_answer,
        )
        reply = await _while_connected(request, self.pool.ask(job))
        if reply.cut:
            most = f"{self.settings.most_answer:,} bytes"
            raise _Refused(503, f"the answer is larger than {most}; add a LIMIT")
        name, _, content = reply.content.partition(b"\n")
        media_type = name.decode()
        if media_type.startswith("text/"):
            media_type += "; charset=utf-8"
        return Response(
            content, headers={"content-type": media_type, "vary": "Accept"}, media_type=None
        )

    async def hints(self, request: Request) -> Response:
        """Return in words why a query has no rows; nothing where it has some."""
        queries = [value for name, value in await self._parameters(request) if name == "query"]
        if len(queries) != 1:
            raise _Refused(400, f"give exactly one query, not {len(queries)}")
        reply = await self.pool.ask(Job(queries[0], limit=1))
        answer = reply.answer
        if answer is None or answer.kind == "boolean" or answer.rows:
            return JSONResponse([])
        return JSONResponse(unmatched(answer) or [TOGETHER])

    async def _parameters(self, request: Request) -> list[tuple[str, str]]:
        """Return the protocol's parameters, wherever in the request they stand."""
        parameters = _decoded(request.scope["query_string"])
        if request.method != "POST":
            return parameters
        kind, _, rest = request.headers.get("content-type", "").partition(";")
        charset = rest.strip().lower().removeprefix("charset=").strip('"')
        kind = kind.strip().lower()
        if kind not in (_FORM, _QUERY, _UPDATE):
            raise _Refused(
                415, f"a POST holds {_FORM} or {_QUERY}, not {kind or 'an unnamed type'}"
            )
        if charset and charset not in ("utf-8", "utf8"):
            raise _Refused(400, f"SPARQL is sent in UTF-8, not {charset}")
        body = await self._body(request)
        if kind == _FORM:
            return parameters + _decoded(body)
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Refused(400, f"the body is not UTF-8: {error.reason}") from error
        return [*parameters, ("query" if kind == _QUERY else "update", text)]

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self.settings.most_body:
                raise _Refused(413, f"a request is at most {self.settings.most_body} bytes long")
        return bytes(body)

    def _description(self, request: Request) -> Response:
        """Return the service description that SPARQL 1.1 wants of an endpoint without a query."""
        endpoint = str(request.url.replace(query=""))
        text = f"""@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix fmt: <http://www.w3.org/ns/formats/> .

<{endpoint}#service> a sd:Service ;
    sd:endpoint <{endpoint}> ;
    sd:supportedLanguage sd:SPARQL11Query ;
    sd:feature sd:UnionDefaultGraph ;
    sd:resultFormat fmt:SPARQL_Results_JSON, fmt:SPARQL_Results_XML, fmt:SPARQL_Results_CSV,
        fmt:SPARQL_Results_TSV, fmt:Turtle, fmt:N-Triples, fmt:RDF_XML, fmt:JSON-LD ;
    sd:availableGraphs <{endpoint}#graphs> .

<{endpoint}#graphs> a sd:GraphCollection ;
    sd:namedGraph <{endpoint}#statements>, <{endpoint}#provenance> .

<{endpoint}#statements> a sd:NamedGraph ; sd:name <{self.base}graph/statements> .
<{endpoint}#provenance> a sd:NamedGraph ; sd:name <{self.base}graph/provenance> .
"""
        return Response(text, media_type="text/turtle")

    # --- pages ---------------------------------------------------------------------------------

    async def explorer(self, _: Request) -> Response:
        """Return the interactive page of the graph, or go to the query page where there is none."""
        page = self.folder / "graph.html" if self.folder else None
        if page is None or not page.is_file():
            return RedirectResponse("/query", 302)
        return FileResponse(page, headers={"content-security-policy": _EXPLORER})

    async def query_page(self, _: Request) -> Response:
        """Return the query page."""
        return FileResponse(PAGE / "query.html", headers={"content-security-policy": _POLICY})

    async def canned(self, _: Request) -> Response:
        """Return the canned questions."""
        return JSONResponse(
            [
                {
                    "name": item.name,
                    "title": item.title,
                    "sparql": item.sparql,
                    "parameters": [
                        {
                            "name": p.name,
                            "about": p.about,
                            "optional": p.optional or p.default is not None,
                        }
                        for p in item.parameters
                    ],
                }
                for item in questions().values()
            ]
        )

    async def bind(self, request: Request) -> Response:
        """Return a canned question with its parameters bound, as SPARQL."""
        asked = question(request.path_params["name"])
        given = {name: value for name, value in request.query_params.items() if value}
        job = Job(asked.sparql, asked.name, given, bind_only=True)
        reply = await self.pool.ask(job)
        return JSONResponse({"query": reply.content.decode(), "notes": reply.message})

    async def terms(self, _: Request) -> Response:
        """Return what the editor completes."""
        return JSONResponse(pages.terms())

    async def ontology(self, request: Request) -> Response:
        """Return the ontology, as a page or as Turtle."""
        offered = ("text/html", "text/turtle")
        accepted = negotiation.chosen(request.headers.get("accept"), offered)
        if not accepted:
            raise _Refused(406, f"not acceptable: the ontology is written as {', '.join(offered)}")
        if accepted[0] == "text/turtle":
            path = resources.ontology("mlkg.ttl")
            return FileResponse(path, media_type="text/turtle", headers={"vary": "Accept"})
        headers = {"vary": "Accept", "content-security-policy": _EXPLORER}
        return Response(schema_page.page(), media_type="text/html", headers=headers)

    async def icon(self, _: Request) -> Response:
        """Return that there is no icon, for which browsers ask unbidden."""
        return Response(status_code=204)

    async def void(self, request: Request) -> Response:
        """Return the description of the data, with this endpoint's address."""
        path = self.folder / "void.ttl" if self.folder else None
        text = path.read_text(encoding="utf-8") if path is not None and path.is_file() else ""
        endpoint = str(request.url.replace(path="/sparql", query=""))
        void = "http://rdfs.org/ns/void#"
        text += f"\n<{self.base}void#dataset> <{void}sparqlEndpoint> <{endpoint}> .\n"
        return Response(text, media_type="text/turtle")

    async def thing(self, request: Request) -> Response:
        """Return the page or the triples of one thing."""
        raw = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.partition(b"?")[0].decode("ascii", "replace")
        iri = self.base + path.lstrip("/")
        if any(character in iri for character in '<>"{}|^`\\ '):
            raise _Refused(404, "no such thing")
        offered = ("text/html", *negotiation.TRIPLES)
        accepted = negotiation.chosen(request.headers.get("accept"), offered)
        if not accepted:
            raise _Refused(406, f"not acceptable: things are written as {', '.join(offered)}")
        if not (await self._answer(pages.exists(iri))).boolean:
            raise _Refused(404, f"this graph says nothing of {iri}")
        if accepted[0] != "text/html":
            kinds = [kind for kind in accepted if kind != "text/html"]
            job = Job(pages.description(iri), media_type=",".join(kinds))
            reply = await self.pool.ask(job)
            name, _, content = reply.content.partition(b"\n")
            return Response(content, media_type=name.decode(), headers={"vary": "Accept"})
        asked = pages.questions(iri)
        found = await asyncio.gather(*(self._answer(query) for query in asked.values()))
        answers = dict(zip(asked, found, strict=True))
        names = pages.names(iri, answers, self._local)
        named = await self._answer(names) if names else None
        text = pages.page(iri, answers, named, self._local, path)
        headers = {"vary": "Accept", "content-security-policy": _POLICY}
        return Response(text, media_type="text/html", headers=headers)

    def _local(self, iri: str) -> str:
        """Return the address at this server of what is ours, and others as they are."""
        if iri.startswith(schema.NAMESPACE):
            return f"/ontology#{iri.removeprefix(schema.NAMESPACE)}"
        rest = iri.removeprefix(self.base)
        ours = rest != iri and rest.partition("/")[0] in KINDS
        return f"/{rest}" if ours else iri


def application(opening: Opening, folder: Path | None, settings: Settings) -> Starlette:
    """Return the ASGI application that serves the graph."""
    server = Server(opening, folder, settings)
    routes = [
        Route("/sparql", _guarded(server.sparql), methods=["GET", "POST"]),
        Route("/", _guarded(server.explorer)),
        Route("/graph.html", _guarded(server.explorer)),
        Route("/query", _guarded(server.query_page)),
        Route("/questions", _guarded(server.canned)),
        Route("/questions/{name}", _guarded(server.bind)),
        Route("/terms", _guarded(server.terms)),
        Route("/hints", _guarded(server.hints), methods=["POST"]),
        Route("/ontology", _guarded(server.ontology)),
        Route("/favicon.ico", _guarded(server.icon)),
        Route("/.well-known/void", _guarded(server.void)),
        Mount("/page", StaticFiles(directory=PAGE)),
        *(Route(f"/{kind}/{{rest:path}}", _guarded(server.thing)) for kind in KINDS),
    ]
    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts))]
    if settings.cors:
        middleware.append(
            Middleware(
                CORSMiddleware, allow_origins=list(settings.cors), allow_methods=["GET", "POST"]
            )
        )
    app = Starlette(routes=routes, middleware=middleware, lifespan=server.lifespan)
    app.state.pool = server.pool
    return app


def _decoded(encoded: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a query string or form; raise a refusal where it is not UTF-8."""
    try:
        return parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict"
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise _Refused(400, "parameters are percent-encoded UTF-8, and this is not") from error
