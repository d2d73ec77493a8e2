"""The same questions have the same answers in a real Virtuoso, loaded with the same file."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from small import small
from test_query import ANSWERS

from kg.errors import KGError
from kg.exporters import exporter
from kg.query import Answer, Job, load, question, remote
from kg.query.running import answer
from tests.conftest import absent

SERVER = shutil.which("virtuoso-t")
CLIENT = shutil.which("isql-vt")

INI = """[Database]
DatabaseFile = {home}/virtuoso.db
ErrorLogFile = {home}/virtuoso.log
LockFile = {home}/virtuoso.lck
TransactionFile = {home}/virtuoso.trx
xa_persistent_file = {home}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {home}/virtuoso-temp.db
TransactionFile = {home}/virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{port}
ServerThreads = 10
DirsAllowed = {home}
NumberOfBuffers = 2000
MaxDirtyBuffers = 1500
CheckpointInterval = 0
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerThreads = 5
[SPARQL]
ResultSetMaxRows = 10000
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Virtuoso that has loaded the graph as the documentation says."""
    if SERVER is None or CLIENT is None:
        absent("no Virtuoso: apt-get install virtuoso-opensource")
    home = tmp_path_factory.mktemp("virtuoso")
    exporter("nquads")(small(), home / "graph.nq")
    port, http = free_port(), free_port()
    configuration = home / "virtuoso.ini"
    configuration.write_text(INI.format(home=home, port=port, http=http))
    process = subprocess.Popen(
        [SERVER, "+configfile", str(configuration), "+foreground"],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{http}/sparql"
        wait_for(url, process)
        commands = f"ld_dir('{home}', 'graph.nq', 'urn:unused'); rdf_loader_run(); checkpoint;"
        done = subprocess.run(
            [CLIENT, f"127.0.0.1:{port}", "dba", "dba", f"exec={commands}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Error" not in done.stdout + done.stderr, done.stdout + done.stderr
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, "Virtuoso has ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("Virtuoso did not start in 90 s")


def plain(found: Answer) -> list[tuple[str | None, ...]]:
    """Rows as the characters of their terms, numbers in one form."""

    def cell(value: object) -> str | None:
        text = getattr(value, "value", None)
        datatype = getattr(value, "datatype", "")
        if text is not None and datatype.endswith(("#decimal", "#integer", "#double")):
            return f"{float(text):g}"
        if datatype.endswith("#boolean"):
            # What Virtuoso computes to be true is the integer 1.
            return {"true": "1", "false": "0"}.get(str(text), text)
        return text

    return [tuple(map(cell, row)) for row in found.rows]


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_virtuoso_answers_as_the_embedded_store_does(endpoint: str, name: str) -> None:
    job = Job(question(name).sparql, name, ANSWERS[name][0])
    here = answer(load(small()), job)
    there = remote.ask(endpoint, job, timeout=60)
    assert there.columns == here.columns
    # Virtuoso orders by a collation of its own, so rows are compared without their order.
    assert sorted(plain(there), key=str) == sorted(plain(here), key=str)


def test_ask_is_a_truth_there_too(endpoint: str) -> None:
    for query, truth in (
        ("ASK { model:tiny mlkg:distilledFrom model:big }", True),
        ("ASK { model:big mlkg:distilledFrom model:tiny }", False),
    ):
        assert remote.ask(endpoint, Job(query)).boolean is truth


def test_its_words_are_shown_when_a_query_is_wrong(endpoint: str) -> None:
    with pytest.raises(KGError, match="syntax error"):
        remote.ask(endpoint, Job("SELECT ?x { ?x "))
