"""A lineage for other tools, each parsed by its own: Mermaid in a browser, Graphviz, CycloneDX."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydot
import pytest
from conftest import absent
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from test_lineage import edge, entity

import kg
from kg.lineage import trace
from kg.lineage.formats import MERMAID_EDGES, as_cyclonedx, as_dot, as_mermaid, label
from kg.lineage.tree import Lineage
from kg.values import Document, Edge, Entity, Evidence, Graph, Span

MERMAID = Path(__file__).parent / "browser/node_modules/mermaid/dist/mermaid.min.js"

#: Names with something that one of the languages means something by.
HOSTILE = (
    "\"double\" and 'single'",
    "a]b[c](d){e}|f|",
    "%%{init: {'theme': 'dark'}}%%",
    "%% a comment",
    "🦙-7B-🤖",
    "</script><img src=x onerror='window.hacked = 1'>",
    "line<br/>break",
    "end",
    "subgraph",
    "1. A list",
    "- a dash",
    "# a heading",
    "_under_ *star* __two__",
    "`**markdown**`",
    "x --> y; z",
    "&amp; #quot; #35;",
    "back\\slash\\n and \\",
    'ends with \\"',
    "$$x^2$$",
    "a:::class@b.org",
    "שלום \u202eevil\u202c",
    "zero\u200bwidth",
    "two\nlines",
    "<b>html</b>",
    "very-long-" * 30,
)


def hostile() -> Lineage:
    """One model with a parent of every name in :data:`HOSTILE`, quoted as such in its sentence."""
    entities, edges = [entity("root")], []
    for number, name in enumerate(HOSTILE):
        kind = ("Model", "Dataset", "Benchmark", "Method")[number % 4]
        id_ = f"{kind.lower()}/h{number}"
        entities.append(Entity(id_, kind, name, ("🦙",), introduced_in=("d1",)))
        relation = "trainedOn" if kind == "Dataset" else "fineTunedFrom"
        item = Evidence(
            "d1", "abstract", Span(0, len(name)), name, "extracted", "cues", "rule", 0.9, None, None
        )
        edges.append(Edge("model/root", relation, id_, (item,), 0.9))
    graph = Graph(
        (Document("d1", "paper", "A title", "", "https://example.org/d1"),),
        tuple(sorted(entities, key=lambda one: one.id)),
        tuple(sorted(edges, key=lambda one: one.key)),
    )
    return trace(graph, "root")


def many() -> Lineage:
    """More children than a renderer of Mermaid takes."""
    names = [f"child{number}" for number in range(MERMAID_EDGES + 200)]
    entities = sorted((entity(name) for name in ["root", *names]), key=lambda one: one.id)
    edges = sorted(
        (edge(f"model/{name}", "fineTunedFrom", "model/root") for name in names),
        key=lambda one: one.key,
    )
    return trace(Graph(entities=tuple(entities), edges=tuple(edges)), "root")


@pytest.fixture(scope="module")
def sample() -> Graph:
    """The graph of the sample that comes with the package."""
    return kg.build([Path(kg.__file__).parent / "docs" / "sample"])


@pytest.fixture(params=["hostile", "LLaMA", "Qwen2.5", "s1-32B"])
def lineage(request: pytest.FixtureRequest, sample: Graph) -> Lineage:
    """One of several lineages: the hostile one, and those of models in the sample."""
    return hostile() if request.param == "hostile" else trace(sample, request.param)


def arrows(lineage: Lineage) -> list[tuple[str, str, str]]:
    """Return subject, relation in words and object of every hop, names as one line, sorted."""
    network = lineage.network
    return sorted(
        (plain(network.name(hop.subject)), label(hop.relation), plain(network.name(hop.object)))
        for hop in lineage.hops()
    )


def plain(text: str) -> str:
    """Return ``text`` with each run of blanks as one."""
    return " ".join(text.split())


# ---------------------------------------------------------------- Mermaid


@pytest.fixture(scope="module")
def mermaid(browser: Any) -> Iterator[Any]:
    """A page with Mermaid as it comes, without a network."""
    if not MERMAID.is_file():
        absent("no mermaid: run npm ci in tests/browser")
    session = browser.new_context(offline=True)
    page = session.new_page()
    page.set_content("<body></body>")
    page.add_script_tag(path=str(MERMAID))  # goes to the head; drawings replace the body
    page.evaluate("mermaid.initialize({startOnLoad: false})")
    yield page
    session.close()


RENDER = """async text => {
  const {svg} = await mermaid.render("drawn", text);
  document.body.innerHTML = svg;
  const all = (query, take) => [...document.body.querySelectorAll(query)].map(take);
  return {
    nodes: all("g.node", node => [node.id, node.textContent]),
    links: all("path.flowchart-link", link => link.id),
    words: all("g.edgeLabel .label", text => [text.dataset.id, text.textContent]),
    foreign: all("script, img, a, iframe", found => found.outerHTML),
    hacked: window.hacked ?? null,
  };
}"""


def test_mermaid_parses_and_draws_every_name_and_hop(mermaid: Any, lineage: Lineage) -> None:
    """What Mermaid has drawn bears the names and the arrows of the lineage, letter by letter."""
    text, notice = as_mermaid(lineage)
    assert notice == ""
    parsed = mermaid.evaluate("text => mermaid.parse(text)", text)
    assert parsed == {"diagramType": "flowchart-v2", "config": {}}
    drawn = mermaid.evaluate(RENDER, text)
    assert (drawn["hacked"], drawn["foreign"]) == (None, [])
    names = {re.search(r"-(n\d+)-", id_)[1]: plain(words) for id_, words in drawn["nodes"]}
    words = {re.search(r"L_.*", id_)[0]: plain(words) for id_, words in drawn["words"]}
    found = []
    for id_ in drawn["links"]:
        link = re.search(r"L_(n\d+)_(n\d+)_\d+", id_)
        found.append((names[link[1]], words[link[0]], names[link[2]]))
    assert sorted(found) == arrows(lineage)


def test_mermaid_takes_what_was_cut_to_its_limits(mermaid: Any) -> None:
    """As it comes, it parses as many hops as are kept, and refuses little more than that."""
    lineage = many()
    text, notice = as_mermaid(lineage)
    assert f"{MERMAID_EDGES} of {len(lineage.hops())}" in notice
    assert text.count(" -->|") == MERMAID_EDGES
    refused = "text => mermaid.parse(text).then(() => '', error => String(error))"
    assert mermaid.evaluate(refused, text) == ""
    more = "".join(f"  n1 --> n{number}\n" for number in range(101))
    assert "500" in mermaid.evaluate(refused, text + more)


# ---------------------------------------------------------------- DOT


def dot_arrows(text: str) -> list[tuple[str, str, str]]:
    """Return source, label and target of every arrow, as Graphviz reads DOT; else as pydot does."""
    if shutil.which("dot"):
        done = subprocess.run(
            ["dot", "-Tjson"], input=text, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        read = json.loads(done.stdout)
        nodes = {one["_gvid"]: unescaped(one["label"]) for one in read["objects"]}
        return sorted(
            (nodes[one["tail"]], unescaped(one["label"]), nodes[one["head"]])
            for one in read["edges"]
        )
    (graph,) = pydot.graph_from_dot_data(text)
    nodes = [one for one in graph.get_nodes() if one.get_label()]  # the others are defaults
    names = {one.get_name(): unquoted(one.get_label()) for one in nodes}
    return sorted(
        (names[one.get_source()], unquoted(one.get_label()), names[one.get_destination()])
        for one in graph.get_edges()
    )


def unescaped(label_: str) -> str:
    r"""Return a label as Graphviz draws it, where ``\\`` stands for a backslash."""
    return label_.replace("\\\\", "\\")


def unquoted(text: str) -> str:
    """Return a DOT string without its quotes and escapes."""
    return unescaped(text[1:-1].replace('\\"', '"'))


def test_dot_is_read_by_its_own_tool(lineage: Lineage) -> None:
    """Graphviz finds every name and hop."""
    assert dot_arrows(as_dot(lineage)) == arrows(lineage)


# ---------------------------------------------------------------- CycloneDX


def test_cyclonedx_of_any_lineage_validates(lineage: Lineage) -> None:
    """Against the schema of version 1.6, strictly; every component keeps its name."""
    bom = as_cyclonedx(lineage)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None
    names = {one["name"] for one in [bom["metadata"]["component"], *bom["components"]]}
    assert names == {lineage.network.name(id_) for id_ in lineage.entities()}
