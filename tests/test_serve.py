"""A real server on a real port: the SPARQL 1.1 Protocol, its limits, its pages, real clients."""

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
import rdflib
from small import small

from kg import schema, store
from kg.errors import KGError, UsageError
from kg.exporters import exporter, schema_page
from kg.query.worker import Job
from kg.serve import negotiation
from kg.serve.pool import _key
from kg.serve.running import listen, serve
from tests.conftest import absent

BASE = "https://w3id.org/mlkg/"
STATEMENTS, PROVENANCE = f"{BASE}graph/statements", f"{BASE}graph/provenance"
WILD = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p }"
TIMEOUT = 3.0


class Running:
    """A server in a process of its own, and how to ask it."""

    def __init__(self, folder: Path, *options: str, limits: str = "", settings: str = "") -> None:
        command = [sys.executable, "-m", "kg", "serve", str(folder), "--port", "0", "--json"]
        if limits or settings:
            # What no option sets is set where the option would be read.
            code = f"""
import functools, sys, kg.serve.app, kg.serve.pool
from kg.cli import main
kg.serve.pool.Limits = functools.partial(kg.serve.pool.Limits, {limits})
kg.serve.app.Settings = functools.partial(kg.serve.app.Settings, {settings})
sys.exit(main(sys.argv[1:]))"""
            command[1:3] = ["-c", code]
        self.process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        text = ""
        while not text.endswith("\n}\n"):
            line = self.process.stdout.readline()
            if not line:
                assert self.process.stderr is not None
                raise AssertionError(self.process.stderr.read())
            text += line
        self.address = json.loads(text)["data"]["address"]
        self.port = urlsplit(self.address).port or 0

    def ask(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], str]:
        """Send one request; return status, headers in lower case, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, data, named)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, text

    def get(self, query: str, accept: str = "", **more: str) -> tuple[int, dict[str, str], str]:
        headers = {"Accept": accept} if accept else {}
        return self.ask("GET", f"/sparql?{urlencode({'query': query, **more})}", **headers)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("served")
    store.write(small(), home)
    exporter("nquads")(small(), home / "graph.nq")
    exporter("void")(small(), home / "void.ttl")
    (home / "graph.html").write_text("<!doctype html><title>explorer</title>")
    return home


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    running = Running(folder, "--timeout", str(TIMEOUT))
    yield running
    running.stop()


FORM = {"Content_Type": "application/x-www-form-urlencoded"}
DIRECT = {"Content_Type": "application/sparql-query"}
COUNT = "SELECT (COUNT(*) AS ?n) { ?s a mlkg:Model }"


def rows(text: str) -> list[dict[str, str]]:
    return [
        {name: term["value"] for name, term in binding.items()}
        for binding in json.loads(text)["results"]["bindings"]
    ]


# --- the W3C test cases of the SPARQL 1.1 Protocol ---------------------------------------------
#
# The names are those of the manifest data-sparql11/protocol. Its dataset tests name graphs on the
# web that a server would have to fetch; ours fetches nothing, so they are asked of our own graphs.
# An update is 403 here, whatever its form: the endpoint only reads.

Pairs = tuple[tuple[str, str], ...]


class Case(NamedTuple):
    """A request, and what must come of it."""

    status: int
    method: str = "GET"
    #: Parameters in the address, and those in the body, as a form.
    asked: Pairs = ()
    form: Pairs = ()
    #: The body where it is no form, and its type.
    body: bytes = b""
    kind: str = ""
    #: The types that the answer may have; in JSON, what it says.
    types: tuple[str, ...] = ()
    says: object = None


FORM_TYPE = "application/x-www-form-urlencoded"
QUERY_TYPE = "application/sparql-query"
UPDATE_TYPE = "application/sparql-update"
JSON = "application/sparql-results+json"
BOOLEAN_TYPES = (JSON, "application/sparql-results+xml")
ROW_TYPES = (*BOOLEAN_TYPES, "text/csv", "text/tab-separated-values")
TRIPLE_TYPES = ("text/turtle", "application/n-triples", "application/ld+json")
TRIPLE_TYPES += ("application/rdf+xml",)
#: Asked of our own graphs: true only with the dataset that the request names.
BOTH = (("query", "ASK { ?s mlkg:trainedOn ?o . ?a rdf:predicate mlkg:trainedOn }"),)
IN_NAMED = (
    ("query", "ASK { GRAPH ?g { ?s mlkg:trainedOn ?o } GRAPH ?h { ?a rdf:object ?o } }"),
    *(("named-graph-uri", name) for name in (STATEMENTS, PROVENANCE)),
)
IN_DEFAULT = (*BOTH, *(("default-graph-uri", name) for name in (STATEMENTS, PROVENANCE)))
IN_EACH = (
    ("query", "ASK { ?s mlkg:trainedOn ?o . GRAPH ?g { ?a rdf:predicate mlkg:trainedOn } }"),
    ("default-graph-uri", STATEMENTS),
    ("named-graph-uri", PROVENANCE),
)
#: The dataset of the query alone would not do.
OVER_THE_QUERYS = (
    ("query", f"ASK FROM <{PROVENANCE}> {{ ?s mlkg:trainedOn ?o }}"),
    ("default-graph-uri", STATEMENTS),
)
ASK = (("query", "ASK {}"),)
TRUE = {"status": 200, "types": BOOLEAN_TYPES, "says": True}
TINY = (("query", "SELECT ?o { model:tiny mlkg:distilledFrom ?o }"),)
CLEAR = (("update", "CLEAR ALL"),)
#: Updates do not apply: the endpoint only reads. That each is refused is what is tested.
REFUSED = {"status": 403, "method": "POST"}
W3C = {
    "query_post_form": Case(**TRUE, method="POST", form=ASK),
    "query_post_direct": Case(**TRUE, method="POST", body=b"ASK {}", kind=QUERY_TYPE),
    "query_get": Case(**TRUE, asked=ASK),
    "query_dataset_default_graphs_get": Case(**TRUE, asked=IN_DEFAULT),
    "query_dataset_default_graphs_post": Case(**TRUE, method="POST", form=IN_DEFAULT),
    "query_dataset_named_graphs_get": Case(**TRUE, asked=IN_NAMED),
    "query_dataset_named_graphs_post": Case(**TRUE, method="POST", form=IN_NAMED),
    "query_dataset_full": Case(**TRUE, method="POST", form=IN_EACH),
    "query_multiple_dataset": Case(**TRUE, method="POST", form=OVER_THE_QUERYS),
    "query_content_type_select": Case(
        200, asked=TINY, types=ROW_TYPES, says=[{"o": f"{BASE}model/big"}]
    ),
    "query_content_type_ask": Case(**TRUE, asked=ASK),
    "query_content_type_describe": Case(
        200, asked=(("query", "DESCRIBE model:tiny"),), types=TRIPLE_TYPES
    ),
    "query_content_type_construct": Case(
        200, asked=(("query", "CONSTRUCT WHERE { model:tiny ?p ?o }"),), types=TRIPLE_TYPES
    ),
    "update_dataset_default_graph": Case(**REFUSED, form=(*CLEAR, ("using-graph-uri", STATEMENTS))),
    "update_dataset_default_graphs": Case(
        **REFUSED,
        form=(*CLEAR, ("using-graph-uri", STATEMENTS), ("using-graph-uri", PROVENANCE)),
    ),
    "update_dataset_named_graphs": Case(
        **REFUSED, form=(*CLEAR, ("using-named-graph-uri", STATEMENTS))
    ),
    "update_dataset_full": Case(
        **REFUSED,
        form=(*CLEAR, ("using-graph-uri", STATEMENTS), ("using-named-graph-uri", PROVENANCE)),
    ),
    "update_post_form": Case(**REFUSED, form=CLEAR),
    "update_post_direct": Case(**REFUSED, body=b"CLEAR ALL", kind=UPDATE_TYPE),
    "update_base_uri": Case(
        **REFUSED, form=(("update", f"BASE <{BASE}> INSERT DATA {{ <a> <b> <c> }}"),)
    ),
    "bad_query_method": Case(405, method="PUT", asked=ASK),
    "bad_multiple_queries": Case(400, asked=(*ASK, ("query", "SELECT * {}"))),
    "bad_query_wrong_media_type": Case(415, method="POST", body=b"ASK {}", kind="text/plain"),
    "bad_query_missing_form_type": Case(415, method="POST", body=b"query=ASK%20%7B%7D"),
    "bad_query_missing_direct_type": Case(415, method="POST", body=b"ASK {}"),
    "bad_query_non_utf8": Case(
        400, method="POST", body="ASK {}".encode("utf-16"), kind=f"{QUERY_TYPE}; charset=UTF-16"
    ),
    "bad_query_syntax": Case(400, asked=(("query", "ASK {"),)),
    "bad_update_get": Case(400, asked=CLEAR),
    "bad_multiple_updates": Case(**REFUSED, form=(*CLEAR, *CLEAR)),
    "bad_update_wrong_media_type": Case(415, method="POST", body=b"CLEAR ALL", kind="text/plain"),
    "bad_update_missing_form_type": Case(415, method="POST", body=b"update=CLEAR%20ALL"),
    "bad_update_non_utf8": Case(
        400, method="POST", body="CLEAR ALL".encode("utf-16"), kind=f"{UPDATE_TYPE}; charset=UTF-16"
    ),
    "bad_update_syntax": Case(**REFUSED, form=(("update", "CLEAR XYZ"),)),
    "bad_update_dataset_conflict": Case(
        **REFUSED,
        form=(
            ("update", f"WITH <{STATEMENTS}> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}"),
            ("using-named-graph-uri", PROVENANCE),
        ),
    ),
    # Not in the manifest: an update that comes as a query.
    "(update sent as a query)": Case(400, method="POST", form=(("query", "CLEAR ALL"),)),
    "(update sent as a query, direct)": Case(
        400, method="POST", body=b"INSERT DATA { <a:> <a:> <a:> }", kind=QUERY_TYPE
    ),
}
EVERYTHING = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


@pytest.fixture(scope="module")
def held(server: Running) -> str:
    """How many triples the graph holds before anybody has tried to change it."""
    return rows(server.get(EVERYTHING)[2])[0]["n"]


@pytest.mark.parametrize("name", W3C)
def test_w3c_case_comes_out_as_it_must(server: Running, held: str, name: str) -> None:
    case = W3C[name]
    path = f"/sparql?{urlencode(case.asked)}" if case.asked else "/sparql"
    body = urlencode(case.form) if case.form else case.body or None
    kind = FORM_TYPE if case.form else case.kind
    sent = {"Content_Type": kind} if kind else {}
    status, headers, text = server.ask(case.method, path, body, **sent)
    assert status == case.status, text
    answered = headers["content-type"].partition(";")[0]
    if case.types:
        assert answered in case.types
    if answered == JSON:
        assert (json.loads(text)["boolean"] if case.says is True else rows(text)) == case.says
    elif case.types:
        graph = rdflib.Graph().parse(data=text, format=answered)
        assert str(graph.value(rdflib.URIRef(f"{BASE}model/tiny"), rdflib.RDFS.label)) == "Tiny"
    assert rows(server.get(EVERYTHING)[2]) == [{"n": held}]


#: The names in the manifest.
MANIFEST = """query_post_form query_dataset_default_graphs_get query_dataset_default_graphs_post
    query_dataset_named_graphs_post query_dataset_named_graphs_get query_dataset_full
    query_multiple_dataset query_get query_content_type_select query_content_type_ask
    query_content_type_describe query_content_type_construct update_dataset_default_graph
    update_dataset_default_graphs update_dataset_named_graphs update_dataset_full
    update_post_form update_post_direct update_base_uri query_post_direct
    bad_query_method bad_multiple_queries bad_query_wrong_media_type
    bad_query_missing_form_type bad_query_missing_direct_type bad_query_non_utf8
    bad_query_syntax bad_update_get bad_multiple_updates bad_update_wrong_media_type
    bad_update_missing_form_type bad_update_non_utf8 bad_update_syntax
    bad_update_dataset_conflict"""


def test_every_w3c_case_is_asked() -> None:
    assert {name for name in W3C if not name.startswith("(")} == set(MANIFEST.split())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_query_dataset_default_graphs(server: Running, method: str) -> None:
    """query_dataset_default_graphs_get and _post: both graphs make up the default graph."""
    pairs = [("query", "ASK { ?s mlkg:trainedOn ?o . ?a rdf:predicate mlkg:trainedOn }")]
    pairs += [("default-graph-uri", STATEMENTS), ("default-graph-uri", PROVENANCE)]
    assert boolean(server, method, pairs) is True
    assert boolean(server, method, pairs[:2]) is False


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_query_dataset_named_graphs(server: Running, method: str) -> None:
    """query_dataset_named_graphs_get and _post: those named are all there are."""
    query = "ASK { GRAPH ?g { ?s mlkg:trainedOn ?o } }"
    named = [("named-graph-uri", STATEMENTS), ("named-graph-uri", PROVENANCE)]
    assert boolean(server, method, [("query", query), *named]) is True
    assert boolean(server, method, [("query", query), named[1]]) is False
    assert boolean(server, method, [("query", "ASK { ?s ?p ?o }"), *named]) is False


def test_query_dataset_full(server: Running) -> None:
    query = "ASK { ?s mlkg:trainedOn ?o . GRAPH ?g { ?a rdf:predicate mlkg:trainedOn } }"
    pairs = [("default-graph-uri", STATEMENTS), ("named-graph-uri", PROVENANCE), ("query", query)]
    assert boolean(server, "POST", pairs) is True
    assert boolean(server, "POST", [pairs[0], ("named-graph-uri", STATEMENTS), pairs[2]]) is False


def test_query_multiple_dataset(server: Running) -> None:
    """The protocol's dataset goes before the one of the query."""
    query = f"ASK FROM <{STATEMENTS}> {{ ?s mlkg:trainedOn ?o }}"
    assert boolean(server, "POST", [("query", query)]) is True
    assert boolean(server, "POST", [("default-graph-uri", PROVENANCE), ("query", query)]) is False


def boolean(server: Running, method: str, pairs: list[tuple[str, str]]) -> bool:
    encoded = urlencode(pairs)
    if method == "GET":
        status, _, text = server.ask("GET", f"/sparql?{encoded}")
    else:
        status, _, text = server.ask("POST", "/sparql", encoded, **FORM)
    assert status == 200, text
    return bool(json.loads(text)["boolean"])


@pytest.mark.parametrize("kind", ROW_TYPES)
def test_query_content_type_select(server: Running, kind: str) -> None:
    status, headers, text = server.get("SELECT (1 AS ?x) {}", kind)
    assert status == 200
    assert headers["content-type"].partition(";")[0] == kind
    assert "1" in text


@pytest.mark.parametrize("kind", ROW_TYPES[:2])
def test_query_content_type_ask(server: Running, kind: str) -> None:
    status, headers, text = server.get("ASK {}", kind)
    assert (status, headers["content-type"]) == (200, kind)
    assert "true" in text


@pytest.mark.parametrize("kind", TRIPLE_TYPES)
@pytest.mark.parametrize("query", ["DESCRIBE model:tiny", "CONSTRUCT WHERE { model:tiny ?p ?o }"])
def test_query_content_type_describe_and_construct(server: Running, kind: str, query: str) -> None:
    status, headers, text = server.get(query, kind)
    assert status == 200
    assert headers["content-type"].partition(";")[0] == kind
    graph = rdflib.Graph().parse(data=text, format=kind)
    tiny = rdflib.URIRef(BASE + "model/tiny")
    assert str(graph.value(tiny, rdflib.RDFS.label)) == "Tiny"


def test_bad_query_method(server: Running) -> None:
    status, headers, _ = server.ask("PUT", f"/sparql?{urlencode({'query': 'ASK {}'})}")
    assert status == 405
    assert {name.strip() for name in headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


def test_bad_multiple_queries(server: Running) -> None:
    status, _, text = server.ask("GET", "/sparql?query=ASK%20%7B%7D&query=SELECT%20%2A%20%7B%7D")
    assert (status, text) == (400, "give exactly one query, not 2\n")


def test_bad_query_non_utf8(server: Running) -> None:
    kind = "application/sparql-query; charset=UTF-16"
    body = "ASK {}".encode("utf-16")
    assert server.ask("POST", "/sparql", body, Content_Type=kind)[0] == 400
    assert server.ask("POST", "/sparql", body, **DIRECT)[0] == 400
    assert server.ask("GET", "/sparql?query=%FF%FE")[0] == 400


def test_bad_query_syntax(server: Running) -> None:
    status, headers, text = server.get("ASK {\n  ?s ?p }")
    assert status == 400
    assert headers["content-type"].startswith("text/plain")
    assert "line 2" in text
    assert "^" in text


# --- the rest of the endpoint ------------------------------------------------------------------


def test_prefixes_are_preset_and_the_default_graph_is_the_union(server: Running) -> None:
    query = (
        "ASK { model:tiny mlkg:distilledFrom ?b . ?a rdf:object ?b ; mlkg:status mlkg:Accepted }"
    )
    assert json.loads(server.get(query)[2])["boolean"] is True
    assert rows(server.get(COUNT)[2]) == [{"n": "5"}]


def test_what_is_not_acceptable_is_told(server: Running) -> None:
    assert server.get("ASK {}", "image/png")[0] == 406
    assert server.get("ASK {}", "text/turtle")[0] == 406
    assert server.get("SELECT * {}", "text/html, */*;q=0.1")[0] == 200


@pytest.mark.parametrize(
    ("accept", "first"),
    [
        ("", "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("text/csv;q=0.5, application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv;q=0.5, application/sparql-results+xml;q=0.4", "text/csv"),
        ("application/json", "application/sparql-results+json"),
        ("text/*", "text/csv"),
        ("*/*, text/csv", "text/csv"),
    ],
)
def test_the_asker_chooses_the_format(accept: str, first: str) -> None:
    assert negotiation.chosen(accept, negotiation.ROWS)[0] == first


def test_head_is_get_without_a_body(server: Running) -> None:
    status, headers, text = server.ask("HEAD", f"/sparql?{urlencode({'query': 'ASK {}'})}")
    assert (status, text) == (200, "")
    assert headers["content-type"] == "application/sparql-results+json"


def test_no_query_at_all_answers_the_service_description(server: Running) -> None:
    status, headers, text = server.ask("GET", "/sparql")
    assert status == 200
    assert headers["content-type"].startswith("text/turtle")
    graph = rdflib.Graph().parse(data=text, format="turtle")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    assert {str(name) for name in graph.objects(None, sd.name)} == {STATEMENTS, PROVENANCE}


def test_void_tells_the_endpoint(server: Running) -> None:
    _, _, text = server.ask("GET", "/.well-known/void")
    graph = rdflib.Graph().parse(data=text, format="turtle")
    (endpoint,) = graph.objects(None, rdflib.VOID.sparqlEndpoint)
    assert str(endpoint) == f"{server.address}sparql"
    assert list(graph.objects(None, rdflib.VOID.triples))


def test_service_is_refused_and_the_other_server_is_never_called(server: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.2)
        url = f"http://127.0.0.1:{other.getsockname()[1]}/"
        for query in (
            f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}",
            f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}",
            f"SELECT * {{ \\u0053ERVICE <{url}> {{ ?s ?p ?o }} }}",
            f"PREFIX : <{url}> SELECT * {{ ?s ?p 1.SERVICE:{{ ?s ?p ?o }} }}",
        ):
            assert server.get(query)[0] == 400, query
        with pytest.raises(TimeoutError):
            other.accept()


def test_from_fetches_nothing(server: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.2)
        url = f"http://127.0.0.1:{other.getsockname()[1]}/g"
        assert json.loads(server.get(f"ASK FROM <{url}> {{ ?s ?p ?o }}")[2])["boolean"] is False
        assert boolean(
            server, "GET", [("query", "ASK { ?s ?p ?o }"), ("default-graph-uri", url)]
        ) is (False)
        with pytest.raises(TimeoutError):
            other.accept()


def test_no_page_of_another_origin_may_ask(server: Running) -> None:
    _, headers, _ = server.ask("GET", "/sparql?query=ASK%20%7B%7D", Origin="http://evil.example")
    assert not [name for name in headers if name.startswith("access-control")]
    assert server.ask("GET", "/sparql?query=ASK%20%7B%7D", Host="evil.example")[0] == 400


# --- limits: each test says which one struck ---------------------------------------------------


def test_a_request_is_limited_in_length_and_not_below_the_limit(folder: Path) -> None:
    running = Running(folder, settings="most_body=1000")
    try:
        query = "ASK {}"
        fits, too_long = (query + " " * (size - len(query)) for size in (1000, 1001))
        assert running.ask("POST", "/sparql", fits, **DIRECT)[0] == 200
        status, _, text = running.ask("POST", "/sparql", too_long, **DIRECT)
        assert (status, text) == (413, "a request is at most 1000 bytes long\n")
        form = urlencode({"query": too_long})
        assert running.ask("POST", "/sparql", form, **FORM)[0] == 413
    finally:
        running.stop()


def test_an_answer_is_limited_in_length_and_not_below_the_limit(folder: Path) -> None:
    running = Running(folder, settings="most_answer=1000")
    try:
        head = len("x\r\n\r\n")
        for size, status in ((1000 - head, 200), (1001 - head, 503)):
            found = running.get(f'SELECT ("{"a" * size}" AS ?x) {{}}', "text/csv")
            assert found[0] == status, found[2]
        assert found[2] == "the answer is larger than 1,000 bytes; add a LIMIT\n"
        triples = running.get("CONSTRUCT WHERE { ?s ?p ?o }", "text/turtle")
        assert (triples[0], triples[2]) == (503, found[2])
    finally:
        running.stop()


#: Text of 16 * 16^6 characters, made at once and without a scan: hundreds of megabytes.
GREEDY = (
    'SELECT (STRLEN(?g) AS ?n) { BIND("abcdefghijklmnop" AS ?a) '
    + "".join(
        f"BIND(CONCAT({', '.join([f'?{old}'] * 16)}) AS ?{new}) "
        for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    + "}"
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits memory")
def test_memory_is_limited_and_not_time(folder: Path) -> None:
    """The query that fails with little memory is answered with more, in the same time."""
    for memory, status in (("2000", 200), ("400", 503)):
        running = Running(folder, "--memory", memory, "--timeout", "60", limits="quick=60")
        try:
            found = running.get(GREEDY)
            assert found[0] == status, found[2]
            if status == 200:
                assert rows(found[2]) == [{"n": str(16**7)}]
            else:
                assert "more memory than it may have" in found[2]
                assert "timed out" not in found[2]
            assert rows(running.get(COUNT)[2]) == [{"n": "5"}]
        finally:
            running.stop()


def asked_and_left(running: Running, query: str) -> http.client.HTTPConnection:
    """Send a query and do not wait for its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("GET", f"/sparql?{urlencode({'query': query})}")
    return connection


def first_answered(connections: list[http.client.HTTPConnection]) -> http.client.HTTPConnection:
    """Wait until one of them has an answer, and say which; none of the others may have one."""
    ready, _, _ = select.select([connection.sock for connection in connections], [], [], 120)
    (found,) = (connection for connection in connections if connection.sock in ready)
    return found


def until(seen: Callable[[], bool], what: str) -> None:
    """Wait for an event that only looking shows, at most two minutes."""
    deadline = time.monotonic() + 120
    while not seen():
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(0.01)


def test_only_so_many_queries_run_and_wait(folder: Path) -> None:
    """One runs, one waits; the third is refused at once, though no time is up."""
    running = Running(
        folder, "--workers", "1", "--timeout", "60", limits="waiting=1, quick=60, patience=60"
    )
    try:
        asked = [asked_and_left(running, f"{WILD} # {n}") for n in range(3)]
        refused = first_answered(asked)
        answer = refused.getresponse()
        assert answer.status == 503
        assert answer.read() == b"too many queries are waiting; try again later\n"
        assert answer.headers["retry-after"] == "1"
        for connection in asked:
            connection.close()
        until(lambda: running.get(COUNT)[0] == 200, "a place that is free again")
        assert rows(running.get(COUNT)[2]) == [{"n": "5"}]
    finally:
        running.stop()


def test_a_query_waits_for_its_turn_before_it_is_refused(folder: Path) -> None:
    running = Running(folder, "--workers", "1", "--timeout", "60", limits="quick=60, patience=0.5")
    try:
        asked = [asked_and_left(running, f"{WILD} # {n}") for n in range(2)]
        answer = first_answered(asked).getresponse()
        assert answer.status == 503
        words = b"no process was free for 0.5 s: too many queries; try again later\n"
        assert answer.read() == words
        assert answer.headers["retry-after"] == "1"
        for connection in asked:
            connection.close()
    finally:
        running.stop()


# --- wild queries ------------------------------------------------------------------------------


def test_a_wild_query_is_killed_and_the_server_lives_on(server: Running) -> None:
    begin = time.monotonic()
    status, _, text = server.get(WILD)
    assert status == 503
    assert "timed out after 3 s" in text
    assert time.monotonic() - begin < TIMEOUT + 15
    assert rows(server.get(COUNT)[2]) == [{"n": "5"}]


def test_an_ordinary_query_is_answered_beside_wild_ones(folder: Path) -> None:
    """Eight clients, three of them wild, by time and by memory; none of the others is refused.

    `scripts/bench_sparql` does it for a minute, on a large graph.
    """
    running = Running(folder, "--timeout", "2", "--memory", "400", limits="quick=0.5")
    found: list[tuple[str, int, str]] = []
    deadline = time.monotonic() + 8

    def client(number: int) -> None:
        turn = 0
        while time.monotonic() < deadline:
            turn += 1
            # The same one again and again, a new one each time, and one that wants memory.
            wild = (WILD, f"{WILD} # {turn}", GREEDY)
            status, _, text = running.get(wild[number] if number < 3 else COUNT)
            found.append(("wild" if number < 3 else "ordinary", status, text))

    try:
        threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, len(children(running.process.pid)))
            time.sleep(0.05)
        ordinary = [(status, text) for kind, status, text in found if kind == "ordinary"]
        assert [item for item in ordinary if item[0] != 200] == []
        assert {rows(text)[0]["n"] for _, text in ordinary} == {"5"}
        assert {status for kind, status, _ in found if kind == "wild"} == {503}
        assert len(ordinary) > 20
        assert rows(running.get(COUNT)[2]) == [{"n": "5"}]
        # Two quick and two long ones; one that has just been ended may still be seen.
        assert most <= 6
    finally:
        running.stop()


#: Seconds of work, and then an answer: each triple with each, fifty times.
LONG = f"SELECT (COUNT(*) AS ?n) {{ ?a ?b ?c . ?d ?e ?f . VALUES ?x {{ {'1 ' * 50} }} }}"
ON_LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are read from /proc"
)


@ON_LINUX
def test_a_query_that_has_run_wild_is_another_with_other_graphs_or_in_another_format() -> None:
    job = Job("ASK {}", parameters={"x": "1", "y": "2"}, media_type="text/csv")
    same = replace(job, parameters={"y": "2", "x": "1"})
    others = [
        replace(job, parameters={"x": "1"}),
        replace(job, default_graphs=("http://g",)),
        replace(job, named_graphs=("http://g",)),
        replace(job, media_type="application/sparql-results+json"),
        replace(job, limit=1),
    ]
    assert _key(same) == _key(job)
    assert len({_key(other) for other in (job, *others)}) == 6


def test_a_long_query_that_is_no_wild_one_ends_among_them(folder: Path) -> None:
    """It makes way in the quick lane, is held to less of the processor, and answers all the same.

    Its process is halted while another query has the only quick place: had it kept that place,
    the other would wait for ever.
    """
    options = ("--timeout", "120", "--workers", "1")
    running = Running(folder, *options, limits="quick=0.2, patience=60")
    try:
        held = int(rows(running.get(EVERYTHING)[2])[0]["n"])
        usual = os.getpriority(os.PRIO_PROCESS, running.process.pid)

        def yielding() -> list[int]:
            each = ((pid, niceness(pid)) for pid in children(running.process.pid))
            return [pid for pid, nice in each if nice is not None and nice > usual]

        until(lambda: yielding() == [], "only processes that nobody holds back")
        long = asked_and_left(running, LONG)
        until(lambda: len(yielding()) == 1, "a query among the long ones")
        (process,) = yielding()
        os.kill(process, signal.SIGSTOP)
        try:
            assert rows(running.get(COUNT)[2]) == [{"n": "5"}]
            assert select.select([long.sock], [], [], 0)[0] == []
        finally:
            os.kill(process, signal.SIGCONT)
        answer = long.getresponse()
        assert (answer.status, rows(answer.read().decode())) == (200, [{"n": f"{held**2 * 50}"}])
        long.close()
    finally:
        running.stop()


@ON_LINUX
def test_a_query_ends_with_the_client_that_asked_it(folder: Path) -> None:
    running = Running(folder, "--timeout", "120")
    try:
        before = {pid: processor_ticks(pid) for pid in children(running.process.pid)}

        def working() -> list[int]:
            return [pid for pid, ticks in before.items() if processor_ticks(pid) > ticks + 10]

        connection = asked_and_left(running, WILD)
        until(lambda: bool(working()), "a process that works on the query")
        (process,) = working()
        connection.close()
        until(lambda: process not in children(running.process.pid), "the end of that process")
        assert before.keys() - set(children(running.process.pid)) == {process}
    finally:
        running.stop()


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def niceness(pid: int) -> int | None:
    """The niceness of a process, ``None`` where it is gone."""
    try:
        return os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:
        return None


def processor_ticks(pid: int) -> int:
    """How much of the processor a process has had, in ticks; none where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


@ON_LINUX
def test_a_query_process_that_dies_is_replaced(folder: Path) -> None:
    running = Running(folder, "--workers", "1")
    try:
        before = set(children(running.process.pid))
        assert before
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not before & set(children(running.process.pid)), "the end of all processes")
        # The first may still have been given to one that the server did not know to be gone.
        found = [running.get(COUNT) for _ in range(2)]
        assert rows(found[-1][2]) == [{"n": "5"}]
    finally:
        running.stop()


def test_stopping_leaves_no_process_behind(folder: Path) -> None:
    running = Running(folder)
    before = children(running.process.pid)
    running.stop()
    assert running.process.returncode == 0
    assert [pid for pid in before if Path(f"/proc/{pid}").exists()] == []


# --- things and pages --------------------------------------------------------------------------


def test_a_thing_has_a_page_for_people(server: Running) -> None:
    status, headers, text = server.ask("GET", "/model/tiny", Accept="text/html,*/*;q=0.8")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "<h1>Tiny</h1>" in text
    assert '<a href="/model/big">Big</a>' in text
    assert "<q>We distil Tiny from Big and fine-tune it from Base.</q>" in text
    assert server.ask("GET", "/doc/org%2Ftiny-gguf", Accept="text/html")[0] == 200


def test_a_page_groups_by_property_and_leads_to_the_assertion_and_the_ontology(
    server: Running,
) -> None:
    """Each property once, each statement with its confidence, and no link off the machine."""
    text = server.ask("GET", "/model/tiny", Accept="text/html")[2]
    said, of_it, _ = text.split("<h2>")[1:]
    assert said.count('<a href="/ontology#trainedOn">mlkg:trainedOn</a>') == 1
    assertion = re.search(r'Big</a> <a class="why" href="(/assertion/\w+)">why, 95 %</a>', said)
    assert assertion
    assert (
        "<h1>Tiny distilledFrom Big</h1>" in server.ask("GET", assertion[1], Accept="text/html")[2]
    )
    assert "mlkg:quantizedFrom</a> it</td>" in of_it
    assert "https://w3id.org/mlkg/ontology" not in re.sub(r"<code>.*?</code>", "", text)
    _, headers, ontology = server.ask("GET", "/ontology", Accept="text/html")
    assert headers["content-type"].startswith("text/html")
    assert 'id="trainedOn"' in ontology
    turtle = server.ask("GET", "/ontology", Accept="text/turtle")[2]
    trained_on = rdflib.URIRef(schema.NAMESPACE + "trainedOn")
    assert (trained_on, None, None) in rdflib.Graph().parse(data=turtle, format="turtle")


def test_what_is_named_by_a_hash_is_called_by_its_content(server: Running) -> None:
    """Scores, facts, assertions and evidence, in links to them and on their own pages."""
    home, pages = "/model/tiny-gguf", {}
    for path in ("/benchmark/quiz", home):
        text = server.ask("GET", path, Accept="text/html")[2]
        pages |= dict(re.findall(r'<a href="(/(?:result|fact)/\w+)">(.*?)</a>', text))
    assert sorted(pages.values()) == [
        "Base: 80 accuracy on Quiz",
        "Tiny: 71.5% on Quiz",
        "tiny-gguf, license: mit",
    ]
    query = """SELECT ?a ?e { ?a rdf:subject model:tiny-gguf ; rdf:predicate mlkg:quantizedFrom ;
        mlkg:hasEvidence ?e }"""
    ((assertion, evidence),) = (row.values() for row in rows(server.get(query)[2]))
    pages["/" + assertion.removeprefix(BASE)] = "tiny-gguf quantizedFrom Tiny"
    pages["/" + evidence.removeprefix(BASE)] = "base_model: org/tiny"
    for path, name in pages.items():
        text = server.ask("GET", path, Accept="text/html")[2]
        assert f"<h1>{name}</h1>" in text
    why = server.ask("GET", "/" + evidence.removeprefix(BASE), Accept="text/html")[2]
    assert f'<a href="/{assertion.removeprefix(BASE)}">tiny-gguf quantizedFrom Tiny</a>' in why
    assert '<a href="/doc/org%2Ftiny-gguf">tiny-gguf</a>' in why
    # The one place where the whole IRI stands is below the heading.
    assert re.findall(f">({BASE}[^<]*)<", why) == [evidence]


@pytest.mark.parametrize("kind", TRIPLE_TYPES)
def test_a_thing_has_triples_for_machines(server: Running, kind: str) -> None:
    status, headers, text = server.ask("GET", "/model/tiny", Accept=kind)
    assert status == 200
    assert headers["content-type"].partition(";")[0] == kind
    graph = rdflib.Graph().parse(data=text, format=kind)
    tiny, big = (rdflib.URIRef(f"{BASE}model/{name}") for name in ("tiny", "big"))
    assert (tiny, rdflib.URIRef(schema.NAMESPACE + "distilledFrom"), big) in graph


@pytest.mark.parametrize("path", ["/model/nobody", "/model/%3E%20%7D", "/nothing", "/model/../x"])
def test_what_is_not_there_is_404(server: Running, path: str) -> None:
    assert server.ask("GET", path)[0] == 404


def test_names_are_written_as_text_in_pages(tmp_path: Path) -> None:
    nasty = tmp_path / "nasty.nt"
    nasty.write_text(
        f'<{BASE}model/x> <{schema.PREFIXES["rdfs"]}label> "<script>alert(1)</script>" .\n'
    )
    running = Running(nasty)
    try:
        text = running.ask("GET", "/model/x", Accept="text/html")[2]
        assert "<script>" not in text
        assert "&lt;script&gt;" in text
    finally:
        running.stop()


def test_the_explorer_is_at_the_root(server: Running) -> None:
    assert "explorer" in server.ask("GET", "/")[2]


def test_canned_questions_are_bound_by_the_server(server: Running) -> None:
    _, _, text = server.ask("GET", "/questions/ancestors?model=tiny+gguf")
    assert f"<{BASE}model/tiny-gguf>" in json.loads(text)["query"]
    assert server.ask("GET", "/questions/ancestors?model=nobody")[0] == 404
    assert server.ask("GET", "/questions/nothing")[0] == 404


# --- clients -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sparql_wrapper_asks_it(server: Running) -> None:
    wrapper = pytest.importorskip("SPARQLWrapper")
    client = wrapper.SPARQLWrapper(f"{server.address}sparql", returnFormat=wrapper.JSON)
    client.setQuery(f"SELECT ?o {{ <{BASE}model/tiny> <{schema.NAMESPACE}distilledFrom> ?o }}")
    found = client.queryAndConvert()["results"]["bindings"]
    assert [row["o"]["value"] for row in found] == [f"{BASE}model/big"]
    client.setMethod(wrapper.POST)
    assert len(client.queryAndConvert()["results"]["bindings"]) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_rdflib_asks_it(server: Running) -> None:
    from rdflib.plugins.stores.sparqlstore import SPARQLStore

    graph = rdflib.Graph(SPARQLStore(f"{server.address}sparql"))
    tiny = rdflib.URIRef(f"{BASE}model/tiny")
    distilled = rdflib.URIRef(schema.NAMESPACE + "distilledFrom")
    assert [str(term) for term in graph.objects(tiny, distilled)] == [f"{BASE}model/big"]


def test_kg_query_asks_it(server: Running) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kg", "query", "--endpoint", f"{server.address}sparql"),
            *("ancestors", "--param", "model=tiny gguf", "--format", "csv"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.split("\n")) == 5


# --- starting ----------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_with_the_remedy() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(KGError, match="choose another with --port"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])


def test_other_machines_are_let_in_only_when_that_is_said(folder: Path) -> None:
    with pytest.raises(UsageError, match="--allow-remote"):
        serve(folder, host="0.0.0.0", port=0)  # noqa: S104 - that it is refused is the point


def test_another_origin_may_ask_where_that_is_said(folder: Path) -> None:
    running = Running(folder, "--cors", "http://friend.example")
    try:
        for origin, allowed in (("http://friend.example", True), ("http://evil.example", False)):
            _, headers, _ = running.ask("GET", "/sparql?query=ASK%20%7B%7D", Origin=origin)
            assert (headers.get("access-control-allow-origin") == origin) is allowed
    finally:
        running.stop()


# --- the query page, in a browser --------------------------------------------------------------


def opened(browser, server: Running, path: str):  # type: ignore[no-untyped-def]
    page = browser.new_page()
    foreign: list[str] = []
    errors: list[str] = []
    page.on("request", lambda r: foreign.append(r.url) if server.address not in r.url else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.address + path)
    page.wait_for_selector("body[data-ready]")
    return page, foreign, errors


def test_a_query_is_asked_on_the_page_and_can_be_shared(server: Running, browser) -> None:  # type: ignore[no-untyped-def]
    page, foreign, errors = opened(browser, server, "query")
    page.fill("#query", "SELECT ?b { model:tiny mlkg:distilledFrom ?b }")
    page.press("#query", "Control+Enter")
    page.wait_for_selector("#table td a")
    assert page.get_attribute("#table td a", "href") == "/model/big"
    shared = page.url.removeprefix(server.address)
    assert shared.startswith("query#q=")
    again, _, _ = opened(browser, server, shared)
    again.wait_for_selector("#table td a")
    assert again.inner_text("#table td") == "model:big"
    again.click("[data-tab=graph]")
    assert again.text_content("#graph svg text") == "model:big"
    assert foreign == [f for f in foreign if f.startswith(("blob:", "data:"))]
    assert errors == []


def test_the_editor_completes_and_errors_are_shown(server: Running, browser) -> None:  # type: ignore[no-untyped-def]
    page, _, errors = opened(browser, server, "query")
    page.fill("#query", "SELECT * { ?s ")
    page.locator("#query").press_sequentially("mlkg:disti")
    page.wait_for_selector("#completion li")
    page.press("#query", "Enter")
    assert page.input_value("#query") == "SELECT * { ?s mlkg:distilledFrom"
    page.click("#run")
    page.wait_for_selector("#error:not([hidden])")
    assert "does not parse" in page.inner_text("#error")
    assert errors == []


def test_the_query_page_starts_ready_and_explains_an_empty_answer(server: Running, browser) -> None:  # type: ignore[no-untyped-def]
    """Ctrl-Enter asks at once, of what is accepted; no rows have a reason; arrows are drawn."""
    assert server.ask("GET", "/favicon.ico")[0] == 204
    page, _, errors = opened(browser, server, "query")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#table tbody tr")
    assert "mlkg:status mlkg:Accepted" in page.input_value("#query")
    assert page.inner_text("#table tbody tr td") == "model:tiny"
    page.click("[data-tab=graph]")
    assert page.locator("#graph line[marker-end]").count() == 1
    assert page.text_content("#graph .relation") == "teacher"
    page.click("[data-tab=table]")
    page.fill("#query", "SELECT * { ?s mlkg:distiledFrom ?o }")
    page.click("#run")
    page.get_by_text("the ontology has no mlkg:distiledFrom; did you mean").wait_for()
    page.select_option("#canned", "descendants")
    assert "# title: " in page.input_value("#query")
    assert errors == []


def test_a_canned_question_is_asked_on_the_page(server: Running, browser) -> None:  # type: ignore[no-untyped-def]
    page, _, errors = opened(browser, server, "query")
    page.select_option("#canned", "ancestors")
    page.fill("#parameters input[name=model]", "tiny gguf")
    page.press("#parameters input[name=model]", "Enter")
    page.wait_for_selector("#table tbody tr")
    assert page.locator("#table tbody tr").count() == 3
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert errors == []


AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["query", "model/tiny", "the ontology"])
def test_pages_are_accessible_and_fit_the_screen(  # type: ignore[no-untyped-def]
    server: Running, browser, tmp_path: Path, path: str, width: int, scheme: str
) -> None:
    if not AXE.is_file():
        absent("no axe-core: run npm ci in tests/browser")
    size = {"width": width, "height": 844}
    session = browser.new_context(bypass_csp=True, viewport=size, color_scheme=scheme)
    tab = session.new_page()
    if path == "the ontology":
        home = tmp_path / "schema.html"
        home.write_text(schema_page.page(), encoding="utf-8")
        tab.goto(home.as_uri())
    else:
        tab.goto(server.address + path)
    if path == "query":
        tab.wait_for_selector("body[data-ready]")
        tab.fill("#query", "SELECT ?s ?p ?o { ?s ?p ?o } LIMIT 20")
        tab.click("#run")
        tab.wait_for_selector("#table td")
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    tab.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = tab.evaluate(
        "async () => (await axe.run()).violations"
        ".map(v => [v.impact, v.id, v.nodes.map(n => n.html).slice(0, 3)])"
    )
    session.close()
    assert [issue for issue in found if issue[0] in ("serious", "critical")] == []
