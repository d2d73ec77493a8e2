"""The page in a real browser: what people see, find and take away, with no network at all."""

import csv
import io
import json
import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from kg import cli, store
from kg.errors import NotFound
from kg.exporters.html import SCRIPTS, _Tables, notebook_html, page, write_html
from kg.exporters.parts import neighbourhood
from kg.exporters.picture import svg
from kg.values import Document, Edge, Entity, Evidence, Graph, Result, Span
from tests.conftest import absent

BROWSER_FILES = Path(__file__).parent / "browser"
AXE = BROWSER_FILES / "node_modules" / "axe-core" / "axe.min.js"
ESLINT = BROWSER_FILES / "node_modules" / "eslint" / "bin" / "eslint.js"

HOSTILE = {
    "script": "<script>window.hacked = 1</script>",
    "close": "</script><img src=x onerror='window.hacked = 2'>",
    "quotes": "\"quoted\" & 'single' &amp; `tick`",
    "rtl": "\u202eevil\u202c שלום model",
    "zero": "zero\u200bwidth\u200d\ufeffname",
    "emoji": "🦙-7B-🤖",
    "long": "very-long-" * 1000,
}


def said(document: Document, sentence: str, subject: str, object_: str, **changes: Any) -> Evidence:
    """Evidence for a sentence of a document, with the two names where they stand in it."""
    start = document.text.index(sentence)
    marks = []
    for name in (subject, object_):
        at = sentence.find(name) if name else -1
        marks.append(Span(start + at, start + at + len(name)) if at >= 0 else None)
    plain = Evidence(
        document=document.id,
        field="abstract",
        span=Span(start, start + len(sentence)),
        sentence=sentence,
        kind="extracted",
        extractor="cues",
        rule="test-rule",
        confidence=0.9,
        subject=marks[0],
        object=marks[1],
    )
    return replace(plain, **changes)


PAPER = Document(
    id="2501.00001",
    kind="paper",
    title="Tiny models from big ones",
    text="Tiny models from big ones\n"
    "We distil 🦙 Tiny-7B from Big-70B. Tiny-7B is trained on PileSet. "
    "On ExamBench, Tiny-7B outperforms Rival-8B and reaches 71.5. "
    "Tiny-7B uses gentle tuning. Grandchild-1B is fine-tuned from Tiny-7B.",
    url="https://arxiv.org/abs/2501.00001",
    year=2025,
)
CARD = Document(
    id="org/tiny-7b-gguf",
    kind="model-card",
    title="tiny-7b-gguf",
    text="base_model: org/tiny-7b\nTiny-7B-GGUF is not pruned from Big-70B.",
    url="https://huggingface.co/org/tiny-7b-gguf",
    year=2023,
    repository="org/tiny-7b-gguf",
)
BAD = Document(
    id="bad",
    kind="text",
    title=HOSTILE["close"],
    text=f"{HOSTILE['script']} beats {HOSTILE['emoji']} & <b>all</b>.",
    url="javascript:window.hacked=3",
    year=2024,
)


def entity(id_: str, name: str, **changes: Any) -> Entity:
    type_ = id_.split("/")[0].capitalize()
    return Entity(**{"id": id_, "type": type_, "name": name, "confidence": 0.9, **changes})


def small_graph() -> Graph:
    """A graph with each kind of evidence, parallel edges, a loop, a score and hostile names."""
    distil = "We distil 🦙 Tiny-7B from Big-70B."
    exam = "On ExamBench, Tiny-7B outperforms Rival-8B and reaches 71.5."
    hostile = BAD.text
    score = said(PAPER, exam, "Tiny-7B", "ExamBench")
    edges = [
        Edge(
            "model/tiny-7b",
            "distilledFrom",
            "model/big-70b",
            (said(PAPER, distil, "Tiny-7B", "Big-70B"),),
            0.95,
        ),
        Edge(
            "model/tiny-7b",
            "derivedFrom",
            "model/big-70b",
            (said(PAPER, distil, "Tiny-7B", "Big-70B", kind="inferred", confidence=0.55),),
            0.55,
        ),
        Edge(
            "model/tiny-7b",
            "trainedOn",
            "dataset/pileset",
            (said(PAPER, "Tiny-7B is trained on PileSet.", "Tiny-7B", "PileSet"),),
            0.8,
        ),
        Edge("model/tiny-7b", "evaluatedOn", "benchmark/exambench", (score,), 0.9),
        Edge(
            "model/tiny-7b",
            "outperforms",
            "model/rival-8b",
            (said(PAPER, exam, "Tiny-7B", "Rival-8B"),),
            0.7,
        ),
        Edge(
            "model/tiny-7b",
            "usesMethod",
            "method/gentle-tuning",
            (said(PAPER, "Tiny-7B uses gentle tuning.", "Tiny-7B", "gentle tuning"),),
            0.85,
        ),
        Edge(
            "model/grandchild-1b",
            "fineTunedFrom",
            "model/tiny-7b",
            (said(PAPER, "Grandchild-1B is fine-tuned from Tiny-7B.", "Grandchild-1B", "Tiny-7B"),),
            0.9,
        ),
        Edge(
            "model/tiny-7b-gguf",
            "quantizedFrom",
            "model/tiny-7b",
            (
                said(
                    CARD,
                    "base_model: org/tiny-7b",
                    "",
                    "org/tiny-7b",
                    kind="declared",
                    field="yaml:base_model",
                    extractor="card",
                    confidence=0.98,
                ),
            ),
            0.98,
        ),
        Edge(
            "model/tiny-7b-gguf",
            "prunedFrom",
            "model/big-70b",
            (
                said(
                    CARD,
                    "Tiny-7B-GGUF is not pruned from Big-70B.",
                    "Tiny-7B-GGUF",
                    "Big-70B",
                    negated=True,
                ),
            ),
            0.6,
            "negated",
        ),
        Edge(
            "method/gentle-tuning",
            "partOf",
            "method/gentle-tuning",
            (said(PAPER, "Tiny-7B uses gentle tuning.", "gentle tuning", "gentle tuning"),),
            0.6,
        ),
        Edge(
            "model/script",
            "outperforms",
            "model/emoji",
            (said(BAD, hostile, HOSTILE["script"], HOSTILE["emoji"]),),
            0.9,
        ),
        Edge("model/close", "memberOf", "model/quotes", (said(BAD, hostile, "beats", "all"),), 0.9),
        Edge("model/rtl", "memberOf", "model/quotes", (said(BAD, hostile, "beats", "all"),), 0.9),
        Edge("model/zero", "memberOf", "model/quotes", (said(BAD, hostile, "beats", "all"),), 0.9),
        Edge("model/long", "memberOf", "model/quotes", (said(BAD, hostile, "beats", "all"),), 0.9),
    ]
    entities = [
        entity(
            "model/tiny-7b",
            "Tiny-7B",
            aliases=("TinySeven", "🦙 Tiny"),
            repositories=("org/tiny-7b",),
            introduced_in=(PAPER.id,),
            mentioned_in=((PAPER.id, 5), (CARD.id, 1)),
            facts=(("license", "mit", CARD.id),),
        ),
        entity("model/big-70b", "Big-70B", mentioned_in=((PAPER.id, 1),)),
        entity("model/rival-8b", "Rival-8B", mentioned_in=((PAPER.id, 1),)),
        entity(
            "model/grandchild-1b",
            "Grandchild-1B",
            introduced_in=(PAPER.id,),
            mentioned_in=((PAPER.id, 1),),
        ),
        entity(
            "model/tiny-7b-gguf",
            "Tiny-7B-GGUF",
            repositories=("org/tiny-7b-gguf",),
            mentioned_in=((CARD.id, 1),),
        ),
        entity(
            "dataset/pileset",
            "PileSet",
            repositories=("org/pileset",),
            mentioned_in=((PAPER.id, 1),),
        ),
        entity("benchmark/exambench", "ExamBench", mentioned_in=((PAPER.id, 1),)),
        entity("method/gentle-tuning", "gentle tuning", mentioned_in=((PAPER.id, 1),)),
        entity("task/lonely", "lonely task", mentioned_in=((BAD.id, 1),)),
        *(
            entity(
                f"model/{key}",
                name,
                aliases=(name + " alias",),
                mentioned_in=((BAD.id, 1),),
                repositories=("javascript:alert(1)",),
            )
            for key, name in HOSTILE.items()
        ),
    ]
    return Graph(
        documents=tuple(sorted((PAPER, CARD, BAD), key=lambda d: d.id)),
        entities=tuple(sorted(entities, key=lambda e: e.id)),
        edges=tuple(sorted(edges, key=lambda e: e.key)),
        results=(
            Result("model/tiny-7b", "benchmark/exambench", None, "71.5", "71.5", (score,), 0.9),
        ),
    )


def chain(count: int) -> Graph:
    """A graph of ``count`` models in communities of fifty, each fine-tuned from its hub."""
    names = [f"Chain-{i}" for i in range(count)]
    text = "Chain models are fine-tuned from one another."
    document = Document(id="chain", kind="text", title="Chains", text=text)
    proof = said(document, text, "Chain models", "one another")
    edges = [
        Edge(
            f"model/chain-{i}", "fineTunedFrom", f"model/chain-{i - (i % 50 or 50)}", (proof,), 0.9
        )
        for i in range(1, count)
    ]
    entities = [entity(f"model/{name.lower()}", name) for name in names]
    return Graph(
        (document,),
        tuple(sorted(entities, key=lambda e: e.id)),
        tuple(sorted(edges, key=lambda e: e.key)),
    )


@dataclass
class Watch:
    """What a page asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Opened:
    """A page in the browser, with the few gestures that the tests make."""

    def __init__(self, tab: Any, watch: Watch) -> None:
        self.tab, self.watch = tab, watch

    def settle(self) -> None:
        self.tab.wait_for_function("() => window.kg && window.kg.settled()")

    def node(self, id_: str) -> tuple[float, float]:
        """Where a node stands in the window."""
        self.settle()
        box = self.tab.locator("#graph").bounding_box()
        spot = self.tab.evaluate("id => kg.nodeAt(id)", id_)
        return box["x"] + spot["x"], box["y"] + spot["y"]

    def click_node(self, id_: str) -> None:
        self.tab.mouse.click(*self.node(id_))

    def click_edge(self, *key: str) -> None:
        self.settle()
        box = self.tab.locator("#graph").bounding_box()
        spot = self.tab.evaluate("key => kg.edgeAt(...key)", list(key))
        self.tab.mouse.click(box["x"] + spot["x"], box["y"] + spot["y"])

    def search(self, text: str) -> list[str]:
        """Type into the search field; return what it offers."""
        self.tab.keyboard.press("/")
        self.tab.keyboard.type(text)
        return list(self.tab.locator("#found li .hit").all_inner_texts())

    def panel(self) -> str:
        return str(self.tab.locator("#panel").inner_text())

    def counts(self) -> dict[str, int]:
        return dict(self.tab.evaluate("kg.counts()"))

    def fragment(self) -> str:
        return unquote(self.tab.url.partition("#")[2])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "graph.html"
    write_html(small_graph(), path, title="A small graph <&>")
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "graph.html"
    write_html(chain(3200), path)
    return path


@contextmanager
def opened(browser: Any, file: Path, fragment: str = "", **context: Any) -> Iterator[Opened]:
    """The page, and at the end the assurance that it asked for nothing and did not complain."""
    context.setdefault("viewport", {"width": 1400, "height": 900})
    session = browser.new_context(accept_downloads=True, **context)
    tab = session.new_page()
    watch = Watch()
    tab.on("request", lambda request: watch.requests.append(request.url))
    tab.on(
        "console",
        lambda m: watch.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    tab.on("pageerror", lambda error: watch.complaints.append(str(error)))
    tab.goto(file.as_uri() + (f"#{fragment}" if fragment else ""))
    shown = Opened(tab, watch)
    try:
        shown.settle()
        yield shown
        asked = [url for url in watch.requests if not url.startswith(("file:", "data:", "blob:"))]
        assert (asked, watch.complaints) == ([], [])
        assert sum(url.startswith("file:") for url in watch.requests) == 1
        assert tab.evaluate("window.hacked") is None
    finally:
        session.close()


# One file


def test_page_is_one_file_that_names_no_other(file: Path) -> None:
    """No source or style is elsewhere, and the policy would not let it be fetched."""
    text = file.read_text(encoding="utf-8")
    head = unescape(text[: text.index("<body>")])
    assert re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', head) == ["data:,"]
    assert re.search(r"<script[^>]*\ssrc", text) is None
    assert re.search(r"@import|url\(", head) is None
    assert "default-src 'none'" in head
    assert "script-src 'sha256-" in head
    assert "unsafe-eval" not in head
    assert '<html lang="en">' in text
    assert "<title>A small graph &lt;&amp;&gt;</title>" in text
    assert 'name="viewport"' in head
    assert 'name="generator" content="mlkg ' in head
    assert "bootstrap" not in text.lower()


def test_page_is_the_same_for_the_same_graph(file: Path) -> None:
    """Made twice, the file has the same bytes."""
    assert page(small_graph(), title="A small graph <&>") == file.read_text(encoding="utf-8")


def test_thousand_nodes_stay_under_a_megabyte_and_a_half() -> None:
    """The size of a page of a thousand entities with a sentence for each edge."""
    assert len(page(chain(1000)).encode()) < 1_500_000


def test_the_texts_of_documents_are_not_held_in_memory() -> None:
    made = (Document(f"d{n}", "text", "", f"{n}" * 200_000, year=n) for n in range(100))
    tracemalloc.start()
    page(replace(small_graph(), documents=made))  # type: ignore[arg-type]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20_000_000


def test_a_document_is_called_by_its_title_else_its_repository_else_its_id() -> None:
    known = [
        Document("a", "paper", "A title", "", "https://a", 2020, "org/a"),
        Document("b", "model-card", "", "", repository="org/b"),
        Document("c", "text", "", ""),
    ]
    tables = _Tables(known)
    assert [tables.document(id_) for id_ in ("c", "b", "a", "gone", "b")] == [0, 1, 2, 3, 1]
    assert tables.tables()[0] == [
        ["c", "text", "c", "", None],
        ["b", "model-card", "org/b", "", None],
        ["a", "paper", "A title", "https://a", 2020],
        ["gone", "text", "gone", "", None],
    ]


def test_unknown_focus_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="Tiny-7B"):
        neighbourhood(small_graph(), "tiny7c", 1)


def test_focus_keeps_what_is_near_and_no_dangling_edge() -> None:
    """A part has the entities within the hops, and only edges between them."""
    part = neighbourhood(small_graph(), "grandchild 1b", 1)
    assert [e.id for e in part.entities] == ["model/grandchild-1b", "model/tiny-7b"]
    assert [e.key for e in part.edges] == [
        ("model/grandchild-1b", "fineTunedFrom", "model/tiny-7b")
    ]


# In the browser


def test_opens_without_a_network_and_says_what_it_holds(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        assert shown.tab.title() == "A small graph <&>"
        assert shown.tab.locator("h1").inner_text() == "A small graph <&>"
        assert shown.tab.locator("#counts").inner_text() == "16 entities · 15 edges · 3 documents"
        assert "Click a node or an edge to see why" in shown.panel()


def test_policy_stops_scripts_and_requests(browser: Any, file: Path) -> None:
    """Even from within, no script can be added and nothing be fetched."""
    with opened(browser, file) as shown:
        shown.tab.evaluate(
            """() => {
                const script = document.createElement('script');
                script.textContent = 'window.hacked = 9';
                document.body.append(script);
                const image = new Image();
                image.src = 'http://127.0.0.1:9/x.png';
                document.body.append(image);
            }"""
        )
        shown.tab.wait_for_timeout(150)
        blocked = list(shown.watch.complaints)
        assert len(blocked) == 2
        assert all("Content Security Policy" in text for text in blocked)
        shown.watch.complaints.clear()
        shown.watch.requests[:] = [u for u in shown.watch.requests if "127.0.0.1" not in u]


def test_click_on_node_shows_what_it_is(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.click_node("model/tiny-7b")
        text = shown.panel()
        for expected in (
            "Tiny-7B",
            "TinySeven",
            "introduced here",
            "Tiny models from big ones",
            "ExamBench",
            "71.5",
            "license",
            "mit",
            "distilled from",
            "org/tiny-7b",
        ):
            assert expected in text
        links = shown.tab.locator("#panel a").evaluate_all(
            "all => all.map(a => [a.href, a.rel, a.target])"
        )
        assert ["https://huggingface.co/org/tiny-7b", "noopener noreferrer", "_blank"] in links
        assert ["https://arxiv.org/abs/2501.00001", "noopener noreferrer", "_blank"] in links
        assert shown.fragment() == "n=model/tiny-7b"


def test_click_on_edge_shows_sentence_with_both_names_marked(browser: Any, file: Path) -> None:
    """Marks stand right behind characters that JavaScript counts twice."""
    with opened(browser, file) as shown:
        shown.click_edge("model/tiny-7b", "trainedOn", "dataset/pileset")
        assert shown.tab.locator("#panel mark").all_inner_texts() == ["Tiny-7B", "PileSet"]
        text = shown.panel()
        for expected in (
            "trained on",
            "80 %",
            "Tiny models from big ones",
            "paper, 2025",
            "cues · test-rule",
            "90 %",
            "abstract",
        ):
            assert expected in text


def test_marks_count_characters_as_python_does(browser: Any, file: Path) -> None:
    with opened(browser, file, "e=model/tiny-7b~distilledFrom~model/big-70b") as shown:
        assert shown.tab.locator("blockquote").inner_text() == "We distil 🦙 Tiny-7B from Big-70B."
        assert shown.tab.locator("mark").all_inner_texts() == ["Tiny-7B", "Big-70B"]


def test_parallel_edges_can_each_be_clicked(browser: Any, file: Path) -> None:
    """Two statements about the same two entities bend apart."""
    with opened(browser, file, "focus=model/big-70b&hops=1") as shown:
        for relation, words in (
            ("distilledFrom", "distilled from"),
            ("derivedFrom", "derived from"),
        ):
            shown.click_edge("model/tiny-7b", relation, "model/big-70b")
            assert words in shown.tab.locator("#panel .statement.big").inner_text()


def test_loop_and_denial_are_explained(browser: Any, file: Path) -> None:
    with opened(browser, file, "e=method/gentle-tuning~partOf~method/gentle-tuning") as shown:
        assert (
            shown.tab.locator("#panel .statement .name").all_inner_texts() == ["gentle tuning"] * 2
        )
    with opened(browser, file, "e=model/tiny-7b-gguf~prunedFrom~model/big-70b") as shown:
        assert "This sentence denies it" in shown.panel()
        assert "Status: denied by a text." in shown.panel()


def test_search_forgives_case_blanks_and_hyphens(browser: Any, file: Path) -> None:
    """Names, aliases and ids are found, the name itself before what contains it."""
    with opened(browser, file) as shown:
        assert shown.search("tiny 7 b")[:2] == ["Tiny-7B", "Tiny-7B-GGUF"]
        shown.tab.keyboard.press("Escape")
        assert shown.search("tinyseven") == ["Tiny-7B"]
        shown.tab.keyboard.press("Escape")
        assert shown.search("benchmark/exam") == ["ExamBench"]
        shown.tab.keyboard.press("Escape")
        assert "Rival-8B" in shown.search("rivle-8b")
        assert "Nothing is called that" in shown.tab.locator("#found").inner_text()


def test_search_is_used_with_keys_alone(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.search("tiny")
        shown.tab.keyboard.press("ArrowDown")
        chosen = shown.tab.locator('#found [aria-selected="true"] .hit').inner_text()
        active = shown.tab.locator("#search").get_attribute("aria-activedescendant")
        assert active == shown.tab.locator('#found [aria-selected="true"]').get_attribute("id")
        shown.tab.keyboard.press("Enter")
        assert shown.tab.locator("#panel h2").inner_text() == chosen
        assert shown.tab.locator("#found").is_hidden()


def test_the_panel_of_a_node_begins_with_its_licence(browser: Any, tmp_path: Path) -> None:
    """However many other facts its card states."""
    graph = small_graph()
    facts = (*(("language", f"l{n:02}", CARD.id) for n in range(30)), ("license", "mit", CARD.id))
    graph = replace(
        graph,
        entities=tuple(
            replace(e, facts=facts) if e.id == "model/tiny-7b" else e for e in graph.entities
        ),
    )
    path = tmp_path / "graph.html"
    write_html(graph, path)
    with opened(browser, path) as shown:
        shown.click_node("model/tiny-7b")
        shown.tab.locator("#panel header p").wait_for()
        assert shown.tab.locator("#panel header").inner_text().endswith("Licence: mit")


def test_legend_counts_and_filters(browser: Any, file: Path) -> None:
    """A type that is switched off takes its edges with it, and reset brings all back."""
    with opened(browser, file) as shown:
        before = shown.counts()
        assert before == {"nodes": 16, "edges": 14}
        row = shown.tab.locator("#legend li", has_text="Datasets")
        assert row.locator(".count").inner_text() == "1"
        row.locator("input").uncheck()
        assert shown.counts() == {"nodes": 15, "edges": 13}
        assert "15 of 16 nodes shown" in shown.tab.locator("#notice").inner_text()
        shown.tab.locator("#legend li", has_text="member of").locator("input").uncheck()
        assert shown.counts() == {"nodes": 15, "edges": 9}
        assert shown.fragment() == "hide=Dataset&hiderel=memberOf"
        shown.tab.locator("#reset").click()
        assert shown.counts() == before


def test_legend_can_show_one_kind_alone(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.tab.get_by_role("button", name="Only member of").focus()
        shown.tab.keyboard.press("Enter")
        assert shown.counts()["edges"] == 4
        assert shown.counts()["nodes"] == 5, "what it does not tie is away"
        shown.tab.locator("#legend label", has_text="member of").click(modifiers=["Alt"])
        assert shown.counts() == {"nodes": 16, "edges": 14}


def test_kinds_of_evidence_differ_in_line_and_words(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        rows = shown.tab.locator(
            "#legend section", has=shown.tab.locator("h3", has_text="Evidence")
        ).locator("li")
        assert rows.locator(".text").all_inner_texts() == ["Declared", "Extracted", "Inferred"]
        lines = rows.locator("path").evaluate_all(
            "all => all.map(p => p.style.strokeWidth + '|' + p.style.strokeDasharray)"
        )
        assert len(set(lines)) == 3
        rows.filter(has_text="Extracted").locator("input").uncheck()
        assert shown.counts()["edges"] == 2


def test_confidence_slider_hides_doubtful_edges(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.tab.locator("#confidence").focus()
        for _ in range(18):
            shown.tab.keyboard.press("ArrowRight")
        assert shown.tab.locator("#legend output").inner_text() == "90 %"
        assert shown.counts()["edges"] == 9
        assert shown.fragment() == "conf=0.90"


def test_status_years_and_documents_filter(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.tab.locator('[data-key="status-3"]').check()
        assert shown.counts()["edges"] == 15
        shown.tab.get_by_label("First year").select_option("2025")
        assert shown.counts()["edges"] == 8
        shown.tab.locator("#reset").click()
        shown.click_edge("model/tiny-7b-gguf", "quantizedFrom", "model/tiny-7b")
        shown.tab.get_by_role("button", name="Only this document").click()
        assert shown.counts()["edges"] == 1
        assert "Only what this document says" in shown.tab.locator("#legend").inner_text()


def test_neighbourhood_of_one_to_three_hops(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.click_node("model/grandchild-1b")
        told = []
        for hops in (1, 2, 3):
            shown.tab.locator("#panel").get_by_role(
                "button", name=f"Neighbourhood of {hops} hop"
            ).click()
            told.append(shown.tab.locator("#said").inner_text())
        assert told == [
            "1 neighbour within 1 hop.",
            "7 neighbours within 2 hops.",
            "7 neighbours within 3 hops.",
        ]
        assert "focus=model/grandchild-1b&hops=3" in shown.fragment()
        assert "Around Grandchild-1B" in shown.tab.locator("#view-bar").inner_text()


def test_shortest_path_between_two(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.click_node("model/grandchild-1b")
        shown.tab.get_by_role("button", name="Path to…").click()
        assert "click or search its other end" in shown.tab.locator("#view-bar").inner_text()
        shown.search("pileset")
        shown.tab.keyboard.press("Enter")
        verbs = shown.tab.locator("#panel .hops .verb").all_inner_texts()
        assert verbs == ["fine-tuned from →", "trained on →"]
        assert shown.tab.locator("#panel blockquote").count() == 2
    with opened(browser, file, "path=model/tiny-7b~model/script") as shown:
        assert "No way from Tiny-7B" in shown.panel()


def test_lineage_is_a_tree_with_evidence_on_each_hop(browser: Any, file: Path) -> None:
    """Ancestors stand above, descendants below, each with the sentence that says so."""
    with opened(browser, file) as shown:
        shown.click_node("model/tiny-7b")
        shown.tab.locator("#panel").get_by_role("button", name="Lineage", exact=True).click()
        places = {
            name: shown.node(f"model/{name}")[1]
            for name in ("big-70b", "tiny-7b", "grandchild-1b", "tiny-7b-gguf")
        }
        assert places["big-70b"] < places["tiny-7b"] < places["grandchild-1b"]
        assert places["grandchild-1b"] == places["tiny-7b-gguf"]
        text = shown.panel()
        assert "2 ancestors above, 2 descendants below" in text
        assert "base_model: org/tiny-7b" in text
        assert "Rival-8B" not in shown.tab.locator("#panel .name").all_inner_texts()
        shown.tab.locator("#panel .tree").get_by_role("button", name="Why · 98 %").click()
        assert "declared, declared in a card" in shown.panel()
        shown.tab.get_by_role("button", name="← Back to the lineage").click()
        shown.tab.get_by_role("button", name="Back to the graph").click()
        assert shown.counts()["nodes"] == 16


def family() -> Graph:
    """Three distillates of one teacher: one comes from another, one is a member too."""
    text = "A, B and C are distilled from Teacher. B is of Teacher's family. C comes from A."
    document = Document(id="family", kind="text", title="A family", text=text)
    proof = said(document, text, "A", "Teacher")
    keys = [
        *((f"model/{name}", "distilledFrom", "model/teacher") for name in "abc"),
        ("model/b", "memberOf", "model/teacher"),
        ("model/c", "fineTunedFrom", "model/a"),
    ]
    return Graph(
        (document,),
        tuple(entity(f"model/{name}", name.title()) for name in ("a", "b", "c", "teacher")),
        tuple(sorted((Edge(*key, (proof,), 0.9) for key in keys), key=lambda e: e.key)),
    )


def test_each_line_of_a_lineage_can_be_seen_and_clicked(browser: Any, tmp_path: Path) -> None:
    """A line along a row hangs below what stands between; two between the same ends part."""
    path = tmp_path / "graph.html"
    write_html(family(), path)
    along = ("model/c", "fineTunedFrom", "model/a")
    parting = [("model/b", relation, "model/teacher") for relation in ("distilledFrom", "memberOf")]
    with opened(browser, path, "lineage=model/teacher") as shown:
        shown.settle()
        where = {
            key: shown.tab.evaluate("key => kg.edgeAt(...key)", list(key))
            for key in (along, *parting)
        }
        row = shown.tab.evaluate("kg.nodeAt('model/b')")
        assert where[along]["y"] > row["y"] + 15
        assert abs(where[parting[0]]["x"] - where[parting[1]]["x"]) > 12
        picture = saved(shown, "Picture, SVG").decode()
        assert picture.count(">distilled from</text>") == 6, "each with the halo beneath it"
        assert picture.count(">member of</text>") == 2
        heads = re.findall(r'<path d="([^"]*)" fill="#', picture)
        assert sum(d.count("Z") for d in heads) == 5, "each line has its arrowhead"
        for key in (along, *parting):
            shown.click_edge(*key)
            assert "~".join(key) in unquote(shown.tab.evaluate("location.hash"))
            shown.tab.keyboard.press("Escape")


def wide_family() -> Graph:
    """A family of 30 members, each with two models of long names that differ in their ends."""
    text = "All of them belong together."
    document = Document(id="wide", kind="text", title="A wide family", text=text)
    proof = said(document, text, "", "")
    models = {"model/root": "Root"}
    edges = []
    for i in range(30):
        models[f"model/{i}"] = f"Member-{i}"
        edges.append(Edge(f"model/{i}", "memberOf", "model/root", (proof,), 0.9))
        for end in "ab":
            models[f"model/{i}{end}"] = f"a-base-model-of-some-size-uncased-fine-tuned-{i}{end}"
            edges.append(Edge(f"model/{i}{end}", "fineTunedFrom", f"model/{i}", (proof,), 0.9))
    return Graph(
        (document,),
        tuple(sorted((entity(*model) for model in models.items()), key=lambda e: e.id)),
        tuple(sorted(edges, key=lambda e: e.key)),
    )


def test_a_wide_lineage_says_what_is_out_of_view_and_shows_it(browser: Any, tmp_path: Path) -> None:
    """It opens so that names can be read; a press shows the whole."""
    path = tmp_path / "graph.html"
    write_html(wide_family(), path)
    for button in ("#show-part", "#fit"):
        with opened(browser, path, "lineage=model/root") as shown:
            shown.settle()
            seen, _, total = shown.tab.locator("#notice").inner_text().split()[:3]
            assert 30 < int(seen) < int(total) == 91
            shown.tab.locator(button).click()
            box = shown.tab.locator("#graph").bounding_box()
            shown.tab.wait_for_timeout(300)
            for i in range(30):
                x, y = shown.node(f"model/{i}a")
                assert box["x"] < x < box["x"] + box["width"]
                assert box["y"] < y < box["y"] + box["height"]
            assert "in view" not in shown.tab.locator("#notice").inner_text()


def test_long_names_in_a_lineage_are_told_apart_by_their_ends(browser: Any, tmp_path: Path) -> None:
    """Each node has its name, and no two look alike."""
    path = tmp_path / "graph.html"
    wide = wide_family()
    names = [e.id for e in wide.entities if re.fullmatch(r"model/(root|\d|\d[ab])", e.id)]
    kept = [e for e in wide.edges if e.subject in names and e.object in names]
    write_html(
        Graph(wide.documents, tuple(e for e in wide.entities if e.id in names), tuple(kept)), path
    )
    with opened(browser, path, "lineage=model/root") as shown:
        shown.settle()
        picture = saved(shown, "Picture, SVG").decode()
        written = set(re.findall(r">([^<>]*[ab])</text>", picture))
        assert len(written) == 20, written


def test_what_no_sentence_states_is_said_to_be_concluded(browser: Any, tmp_path: Path) -> None:
    """A sentence that only holds a name is not passed off as one that states the edge."""
    document = Document(id="short", kind="text", title="Tiny", text="TinyBERT is small.")
    proof = said(document, "TinyBERT is small.", "TinyBERT", "", kind="inferred")
    names = ("BERT", "TinyBERT")
    path = tmp_path / "graph.html"
    write_html(
        Graph(
            (document,),
            tuple(entity(f"model/{name.lower()}", name) for name in names),
            (Edge("model/tinybert", "distilledFrom", "model/bert", (proof,), 0.9),),
        ),
        path,
    )
    with opened(browser, path, "lineage=model/tinybert") as shown:
        assert "By its name (test-rule), which stands here:\n\nTinyBERT is" in shown.panel()
        shown.tab.get_by_role("button", name="Why · 90 % · no sentence states it").click()
        assert "No sentence states this: it is concluded from a name" in shown.panel()


def test_table_is_the_twin_of_the_graph(browser: Any, file: Path) -> None:
    """Same filters, sortable columns, and names that lead to the details."""
    with opened(browser, file) as shown:
        shown.tab.locator("#as-table").click()
        table = shown.tab.locator("#table table")
        assert table.locator("tbody tr").count() == 16
        assert table.locator("th[aria-sort=descending]").inner_text().strip().startswith("Links")
        table.get_by_role("button", name="Name", exact=True).click()
        names = table.locator("tbody th").all_inner_texts()
        assert names[:2] == [
            "\"quoted\" & 'single' &amp; `tick`",
            "</script><img src=x onerror='window.hacked = 2'>",
        ]
        shown.tab.locator("#legend li", has_text="Models").locator("input").uncheck()
        assert table.locator("tbody tr").count() == 4
        shown.tab.locator("#reset").click()
        shown.tab.get_by_role("button", name="Edges 14").click()
        table = shown.tab.locator("#table table")
        table.get_by_role("button", name="Confidence").click()
        assert table.locator("tbody tr").first.locator("td").nth(2).inner_text() == "98 %"
        shown.tab.get_by_label("Filter rows").fill("pileset")
        assert shown.tab.locator("#table tbody tr").count() == 1
        shown.tab.locator("#table").get_by_role(
            "button", name="Why: Tiny-7B trained on PileSet"
        ).click()
        assert "Tiny-7B is trained on PileSet." in shown.panel()


def test_everything_is_reached_with_the_keyboard(browser: Any, file: Path) -> None:
    """Arrows walk the graph, letters act on the chosen node, Tab comes by every control."""
    with opened(browser, file) as shown:
        shown.tab.locator("#graph").focus()
        shown.search("grandchild")
        shown.tab.keyboard.press("Enter")
        seen = set()
        for key in ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"):
            shown.tab.keyboard.press(key)
            seen.add(shown.tab.locator("#panel h2").inner_text())
        assert "Tiny-7B" in seen
        shown.search("tiny-7b")
        shown.tab.keyboard.press("Enter")
        shown.tab.keyboard.press("Enter")
        assert shown.tab.evaluate("document.activeElement.textContent") == "Tiny-7B"
        shown.tab.keyboard.press("l")
        assert shown.fragment() == "lineage=model/tiny-7b"
        shown.tab.keyboard.press("Escape")
        shown.tab.keyboard.press("t")
        assert shown.tab.locator("#table").is_visible()
        shown.tab.keyboard.press("t")
        shown.tab.keyboard.press("?")
        assert shown.tab.get_by_role("dialog").is_visible()
        shown.tab.keyboard.press("Escape")
        assert shown.tab.get_by_role("dialog").count() == 0
        reached = set()
        shown.tab.locator("body").press("Home")
        shown.tab.evaluate("document.activeElement.blur()")
        for _ in range(70):
            shown.tab.keyboard.press("Tab")
            reached.add(
                shown.tab.evaluate(
                    "(({ id, dataset, className }) => id || dataset.key || className)"
                    "(document.activeElement)"
                )
            )
        assert {
            "search",
            "as-graph",
            "as-table",
            "filters",
            "share",
            "theme",
            "help",
            "graph",
            "type-0",
            "confidence",
            "fit",
        } <= reached


def test_view_is_in_the_address_and_history_works(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        shown.click_node("model/tiny-7b")
        shown.tab.keyboard.press("l")
        shown.tab.go_back()
        assert shown.tab.locator("#panel h2").inner_text() == "Tiny-7B"
        assert shown.fragment() == "n=model/tiny-7b"
        shown.tab.go_back()
        assert "Click a node or an edge" in shown.panel()
        shown.tab.go_forward()
        shown.tab.go_forward()
        assert "2 ancestors above" in shown.panel()


def test_address_restores_the_whole_view(browser: Any, file: Path) -> None:
    fragment = "view=table&n=model/tiny-7b&hide=Task&hidekind=inferred&conf=0.60&theme=dark"
    with opened(browser, file, fragment) as shown:
        assert shown.tab.locator("#table").is_visible()
        assert shown.tab.locator("#panel h2").inner_text() == "Tiny-7B"
        assert shown.tab.evaluate("document.documentElement.dataset.theme") == "dark"
        assert not shown.tab.locator("#legend li", has_text="Tasks").locator("input").is_checked()
        assert shown.counts()["nodes"] == 15
    with opened(browser, file, "n=model/unknown&focus=nothing") as shown:
        assert (
            "Not in this graph: model/unknown, nothing." in shown.tab.locator("#said").inner_text()
        )


def test_theme_follows_the_system_and_the_switch(browser: Any, file: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, file, color_scheme="dark") as shown:
        assert shown.tab.evaluate("document.documentElement.dataset.theme") == "dark"
        night = shown.tab.evaluate(ground)
        shown.tab.get_by_role("button", name="Switch to light colours").click()
        assert shown.tab.evaluate(ground) != night
        assert shown.fragment() == "theme=light"


def test_colours_keep_their_contrast() -> None:
    """Shapes and lines keep 3:1 against both grounds; shapes are all different."""
    from kg.exporters.appearance import appearance

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    look = appearance()
    for style in [*look.types.values(), *look.groups.values()]:
        assert 1.05 / (light(style.light) + 0.05) >= 4.5
        assert (light(style.dark) + 0.05) / (light("#151920") + 0.05) >= 4.5
    shapes = [style.shape for style in look.types.values()]
    assert len(set(shapes)) == len(shapes)
    lines = [(style.dash, style.width) for style in look.kinds.values()]
    assert len(set(lines)) == len(lines)


def test_phone_shows_graph_sheet_and_filters(browser: Any, file: Path) -> None:
    """At 375 pixels nothing overflows, and a tap opens the details over the graph."""
    phone = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}
    with opened(browser, file, **phone) as shown:
        assert shown.tab.evaluate("document.documentElement.scrollWidth") == 375
        assert shown.tab.locator("#panel").is_hidden()
        assert shown.tab.locator("#legend").is_hidden()
        shown.tab.touchscreen.tap(*shown.node("model/tiny-7b"))
        sheet = shown.tab.locator("#panel").bounding_box()
        assert (sheet["x"], sheet["width"]) == (0, 375)
        assert sheet["y"] > 300
        assert "Tiny-7B" in shown.panel()
        shown.tab.get_by_role("button", name="Close details").click()
        assert shown.tab.locator("#panel").is_hidden()
        shown.tab.get_by_role("button", name="Filters").click()
        assert shown.tab.locator("#legend").is_visible()
        shown.tab.get_by_role("button", name="Filters").click()
        shown.tab.locator("#as-table").click()
        assert shown.tab.evaluate("document.documentElement.scrollWidth") == 375


def test_pinch_and_wheel_zoom_and_drag_pans(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        before = shown.tab.evaluate("kg.view()")
        shown.tab.mouse.move(500, 300)
        shown.tab.mouse.wheel(0, -300)
        shown.settle()
        nearer = shown.tab.evaluate("kg.view()")
        assert nearer["k"] > before["k"] * 1.3
        shown.tab.mouse.move(300, 840)
        shown.tab.mouse.down()
        shown.tab.mouse.move(360, 800, steps=4)
        shown.tab.mouse.up()
        shown.settle()
        moved = shown.tab.evaluate("kg.view()")
        assert (round(moved["x"] - nearer["x"]), round(moved["y"] - nearer["y"])) == (60, -40)


def test_of_a_larger_graph_the_best_connected_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build's page stays one that a browser holds, and says what it shows."""
    graph = small_graph()
    path = tmp_path / "graph.html"
    write_html(graph, path)
    whole = path.read_text("utf-8")
    total = sum(1 for _ in graph.entities)
    monkeypatch.setattr("kg.exporters.html.MOST", total)
    write_html(graph, path)
    assert path.read_text("utf-8") == whole
    monkeypatch.setattr("kg.exporters.html.MOST", 2)
    write_html(graph, path)
    part = path.read_text("utf-8")
    assert f"<title>Knowledge graph: the 2 best connected of {total} entities</title>" in part
    assert len(part) < len(whole)


def test_a_frame_stamped_before_a_glide_began_draws_nothing_amiss(browser: Any, file: Path) -> None:
    """A busy browser may hand out frames that are older than the click that asked for a glide."""
    with browser.new_context(viewport={"width": 1400, "height": 900}) as session:
        tab = session.new_page()
        complaints: list[str] = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.add_init_script(
            "const frame = window.requestAnimationFrame;"
            "window.requestAnimationFrame = f => frame(now => f(now - 1000));"
        )
        tab.goto(file.as_uri())
        tab.wait_for_function("() => window.kg && window.kg.settled()")
        tab.locator("#zoom-in").click()
        tab.wait_for_timeout(1500)
        assert complaints == []


def test_zoom_and_place_stand_in_the_address(browser: Any, file: Path) -> None:
    """What a person zoomed to and moved to is restored, on a screen of another size too."""
    with opened(browser, file) as shown:
        assert shown.fragment() == ""
        shown.tab.mouse.move(500, 300)
        shown.tab.mouse.wheel(0, -300)
        shown.tab.mouse.move(300, 840)
        shown.tab.mouse.down()
        shown.tab.mouse.move(360, 800, steps=4)
        shown.tab.mouse.up()
        shown.settle()
        shown.tab.wait_for_function("() => location.hash.startsWith('#at=')")
        shown.tab.wait_for_timeout(400)
        fragment = shown.fragment()
        before = shown.tab.evaluate("kg.middle()")
    with opened(browser, file, fragment, viewport={"width": 1100, "height": 700}) as again:
        assert again.tab.evaluate("kg.middle()") == before
        again.tab.get_by_role("button", name="Show everything").click()
        again.tab.wait_for_function("() => location.hash === ''")
    with opened(browser, file, "at=1,2,-3") as refused:
        assert refused.tab.evaluate("kg.view().k") > 0


def test_two_fingers_zoom_and_move(browser: Any, file: Path) -> None:
    """Fingers that part enlarge what lies between them; moved together they move it."""
    phone = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}
    with opened(browser, file, **phone) as shown:
        fingers = shown.tab.context.new_cdp_session(shown.tab)
        box = shown.tab.locator("#graph").bounding_box()

        def touch(kind: str, *points: tuple[float, float]) -> None:
            at = [
                {"x": box["x"] + x, "y": box["y"] + y, "id": i} for i, (x, y) in enumerate(points)
            ]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

        before = shown.tab.evaluate("kg.view()")
        touch("touchStart", (140, 300))
        touch("touchStart", (140, 300), (240, 300))
        touch("touchMove", (115, 300), (265, 300))
        touch("touchMove", (90, 300), (290, 300))
        touch("touchEnd")
        shown.settle()
        after = shown.tab.evaluate("kg.view()")
        assert after["k"] == pytest.approx(2 * before["k"], rel=0.01)
        # The point between the fingers stays where it was.
        world = (190 - before["x"]) / before["k"], (300 - before["y"]) / before["k"]
        assert after["x"] + world[0] * after["k"] == pytest.approx(190, abs=1)
        assert after["y"] + world[1] * after["k"] == pytest.approx(300, abs=1)
        touch("touchStart", (100, 200))
        touch("touchStart", (100, 200), (200, 200))
        touch("touchMove", (120, 250), (220, 250))
        touch("touchEnd")
        shown.settle()
        moved = shown.tab.evaluate("kg.view()")
        assert moved["k"] == pytest.approx(after["k"], rel=0.01)
        assert moved["x"] - after["x"] == pytest.approx(20, abs=1)
        assert moved["y"] - after["y"] == pytest.approx(50, abs=1)
        assert shown.tab.evaluate("document.documentElement.scrollWidth") == 375


def saved(shown: Opened, name: str) -> bytes:
    shown.tab.get_by_role("button", name="Share and export").click()
    with shown.tab.expect_download() as download:
        shown.tab.locator("#share-menu").get_by_text(name, exact=True).click()
    return Path(download.value.path()).read_bytes()


def test_exports_hold_what_is_seen(browser: Any, file: Path) -> None:
    """Pictures are well formed; tables and JSON have the visible part, with its evidence."""
    from xml.dom.minidom import parseString

    with opened(browser, file, "hiderel=memberOf&hide=Task") as shown:
        svg = saved(shown, "Picture, SVG").decode()
        parseString(svg)  # noqa: S318 - our own file
        assert ">Tiny-7B</text>" in svg
        assert "<script" not in svg
        assert saved(shown, "Picture, PNG")[:8] == b"\x89PNG\r\n\x1a\n"
        text = saved(shown, "Edges, CSV").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == shown.counts()["edges"] == 10
        assert rows[0].keys() >= {"subject", "relation", "object", "confidence", "documents"}
        nodes = list(csv.DictReader(io.StringIO(saved(shown, "Nodes, CSV").decode("utf-8-sig"))))
        assert len(nodes) == 15
        assert [row["licences"] for row in nodes if row["name"] == "Tiny-7B"] == ["mit"]
        data = json.loads(saved(shown, "Nodes and edges, JSON"))
        assert (len(data["nodes"]), len(data["edges"])) == (15, 10)
        edge = next(e for e in data["edges"] if e["relation"] == "trainedOn")
        assert edge["evidence"][0]["sentence"] == "Tiny-7B is trained on PileSet."


def test_turtle_is_the_part_of_the_graph_that_is_seen(browser: Any, file: Path) -> None:
    """Its triples are those of graph.ttl, hostile names included, but for what is hidden."""
    import rdflib

    from kg.exporters.rdf import to_rdflib

    graph = small_graph()
    told = {edge.relation for edge in graph.edges} | {"type", "label", "altLabel", "introducedIn"}
    with opened(browser, file) as shown:
        seen = set(rdflib.Graph().parse(data=saved(shown, "Statements, Turtle"), format="turtle"))
    subjects = {s for s, _, _ in seen}
    assert len(subjects) == len(graph.entities)
    assert seen == {
        (s, p, o)
        for s, p, o in to_rdflib(graph).triples((None, None, None))
        if s in subjects and re.split(r"[/#]", str(p))[-1] in told
    }
    with opened(browser, file, "hiderel=memberOf") as shown:
        part = set(rdflib.Graph().parse(data=saved(shown, "Statements, Turtle"), format="turtle"))
    assert seen - part == {t for t in seen if str(t[1]).endswith("#memberOf")}


def test_bibtex_names_the_papers_behind_what_is_seen(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        assert saved(shown, "Papers behind it, BibTeX").decode() == (
            "@misc{2501.00001,\n"
            "  title = {{Tiny models from big ones}},\n"
            "  year = {2025},\n"
            "  url = {https://arxiv.org/abs/2501.00001},\n"
            "  eprint = {2501.00001},\n"
            "  archivePrefix = {arXiv}\n"
            "}\n"
        )
    with opened(browser, file, "hide=Model") as shown:
        assert "@misc" in saved(shown, "Papers behind it, BibTeX").decode()


def rules(shown: Opened, tmp_path: Path) -> list[tuple[str, ...]]:
    """Every correction that the panel offers, as kg reads it."""
    from kg.overrides import load

    box = shown.tab.locator("#panel .correct")
    box.locator("summary").click()
    choice = box.locator("select")
    choice.locator("option").first.wait_for(state="attached")
    text = "version: 1\nrules:\n"
    for value in range(choice.locator("option").count()):
        choice.select_option(str(value))
        text += box.locator("pre").inner_text().rstrip("\n") + "\n"
    path = tmp_path / "overrides.yaml"
    path.write_text(text, encoding="utf-8")
    return [(rule.verb, *rule.arguments) for rule in load(path).rules]


def test_wrong_edge_gives_rules_for_overrides(browser: Any, file: Path, tmp_path: Path) -> None:
    """What is copied is what the next build reads."""
    context = {"permissions": ["clipboard-read", "clipboard-write"]}
    with opened(browser, file, "e=model/tiny-7b~distilledFrom~model/big-70b", **context) as shown:
        offered = rules(shown, tmp_path)
        ends = ("Tiny-7B", "distilledFrom", "Big-70B")
        assert offered[:3] == [
            ("reject_edge", *ends),
            ("reject_edge", *ends),
            ("add_edge", *ends[::-1]),
        ]
        assert ("retype_edge", *ends, "fineTunedFrom") in offered
        assert offered[-1] == ("unsure_edge", *ends)
        shown.tab.locator("#panel .correct select").select_option("0")
        shown.tab.get_by_role("button", name="Copy for overrides.yaml").click()
        copied = shown.tab.evaluate("navigator.clipboard.readText()")
        assert copied.startswith('  - reject_edge: ["Tiny-7B", distilledFrom, "Big-70B"]\n')


def test_wrong_merge_gives_rules_for_overrides(browser: Any, file: Path, tmp_path: Path) -> None:
    """An alias can be split off, a type changed, two entities joined."""
    with opened(browser, file, "n=model/tiny-7b") as shown:
        offered = rules(shown, tmp_path)
        assert ("keep_apart", "Tiny-7B", "TinySeven") in offered
        assert ("retype", "Tiny-7B", "Dataset") in offered
        assert ("drop", "Tiny-7B") in offered
        assert ("merge", "Tiny-7B-GGUF", "Tiny-7B") in offered


@pytest.mark.parametrize("key", [key for key in HOSTILE if key != "long"])
def test_rules_quote_hostile_names(browser: Any, file: Path, tmp_path: Path, key: str) -> None:
    """Whatever stands in a name, the rule is read as that name."""
    with opened(browser, file, f"n=model/{key}") as shown:
        assert ("drop", HOSTILE[key]) in rules(shown, tmp_path)


def test_opening_says_in_words_what_is_seen(browser: Any, file: Path) -> None:
    """Counts in words, an example with its sentence, and how the picture is read."""
    with opened(browser, file) as shown:
        text = shown.panel()
        assert "What 3 documents say" in text
        assert "12 models, 1 dataset, 1 benchmark, 1 method and 1 task" in text
        assert "related by 14 statements and 1 weaker or disputed one." in text
        assert shown.tab.locator("#panel .example blockquote").count() == 1
        assert "a pale disc holds one such group" in text


def test_opening_shows_an_edge_between_names_that_stand_elsewhere_too(
    browser: Any, tmp_path: Path
) -> None:
    """A surer edge to a name that nothing else mentions may be a mistake, and is no example."""

    stated = [
        ("Ant-7B", "distilledFrom", "Bee-70B", 0.9),
        ("Cat-3B", "distilledFrom", "Ant-7B", 0.8),
        ("Cat-3B", "distilledFrom", "Bee-70B", 0.7),
        ("Sat-1", "derivedFrom", "Sat-2", 0.96),
    ]
    lines = [f"{subject} comes from {object_}." for subject, _, object_, _ in stated]
    paper = replace(PAPER, text="\n".join([PAPER.title, *lines]))
    ids = {name: f"model/{name.lower()}" for row in stated for name in (row[0], row[2])}
    edges = []
    for (subject, relation, object_, sure), line in zip(stated, lines, strict=True):
        proof = said(paper, line, subject, object_, confidence=sure)
        edges.append(Edge(ids[subject], relation, ids[object_], (proof,), sure))
    graph = Graph(
        documents=(paper, CARD),
        entities=tuple(entity(id_, name) for name, id_ in sorted(ids.items())),
        edges=tuple(sorted(edges, key=lambda edge: edge.key)),
    )
    path = tmp_path / "graph.html"
    write_html(graph, path)
    with opened(browser, path) as shown:
        assert "What 2 documents say" in shown.panel()  # one of them nothing
        example = shown.tab.locator("#panel .example").inner_text()
        assert "Ant-7B comes from Bee-70B." in example
        start = shown.tab.locator("#panel section", has_text="Lineage to start with").locator("li")
        assert {name.split()[0] for name in start.all_inner_texts()[:3]} == {
            *("Ant-7B", "Bee-70B", "Cat-3B")
        }


def test_links_are_counted_alike_everywhere(browser: Any, file: Path) -> None:
    """The panel, the search, the table and the opening count the edges that are accepted."""
    with opened(browser, file) as shown:
        best = shown.tab.locator("#panel section", has_text="Best connected").locator("li")
        assert best.first.inner_text().split("\n") == ["Tiny-7B", "8 links"]
        shown.search("Tiny-7B-GGUF")
        assert "Model · 1 link" in shown.tab.locator("#found li").first.inner_text()
        shown.tab.keyboard.press("Enter")
        assert "Relations 1\n" in shown.panel()
        assert "1 more, weaker, disputed or filtered out" in shown.panel()


def test_opening_prefers_names_that_documents_share(browser: Any, tmp_path: Path) -> None:
    """A surer edge between names of one document is a poorer example, as is a vague relation."""
    stated = [
        ("Ant-7B", "distilledFrom", "Bee-70B", 0.6, 3),
        ("Cat-3B", "derivedFrom", "Dog-3B", 0.9, 3),
        ("Elk-1B", "distilledFrom", "Fox-1B", 0.95, 1),
    ]
    lines = [f"{subject} comes from {object_}." for subject, _, object_, _, _ in stated]
    paper = replace(PAPER, text="\n".join([PAPER.title, *lines]))
    edges, entities = [], []
    for (subject, relation, object_, sure, known), line in zip(stated, lines, strict=True):
        proof = said(paper, line, subject, object_, confidence=sure)
        ends = [f"model/{name.lower()}" for name in (subject, object_)]
        edges.append(Edge(ends[0], relation, ends[1], (proof,), sure))
        where = tuple((f"doc-{i}", 1) for i in range(known))
        entities += [
            entity(id_, name, mentioned_in=where)
            for id_, name in zip(ends, (subject, object_), strict=True)
        ]
    path = tmp_path / "graph.html"
    write_html(
        Graph(
            (paper,),
            tuple(sorted(entities, key=lambda e: e.id)),
            tuple(sorted(edges, key=lambda e: e.key)),
        ),
        path,
    )
    with opened(browser, path) as shown:
        assert "Ant-7B comes from Bee-70B." in shown.tab.locator("#panel .example").inner_text()


def test_picture_library_waits_until_it_is_wanted(browser: Any, file: Path) -> None:
    """vis-network is text until somebody presses Relax, and runs under the same policy then."""
    with opened(browser, file) as shown:
        assert shown.tab.evaluate("typeof window.vis") == "undefined"
        shown.tab.get_by_role("button", name="Relax").click()
        assert shown.tab.evaluate("typeof window.vis.Network") == "function"


def test_hostile_text_is_only_text(browser: Any, file: Path) -> None:
    """Markup, scripts and addresses in names do nothing, wherever they are shown."""
    with opened(browser, file) as shown:
        for key, name in HOSTILE.items():
            shown.tab.evaluate(
                "id => { location.hash = 'n=' + encodeURIComponent(id) }", f"model/{key}"
            )
            shown.tab.wait_for_function(
                "n => document.querySelector('#panel h2').textContent === n", arg=name
            )
            assert shown.tab.evaluate("document.documentElement.scrollWidth") == 1400
            assert shown.tab.locator("#panel img, #panel script").count() == 0
            assert shown.tab.locator("#panel").evaluate("p => p.scrollWidth <= p.clientWidth")
        shown.tab.evaluate("() => { location.hash = 'e=model/script~outperforms~model/emoji' }")
        shown.tab.wait_for_selector("#panel mark")
        assert shown.tab.locator("#panel mark").all_inner_texts() == [
            HOSTILE["script"],
            HOSTILE["emoji"],
        ]
        assert shown.tab.locator('a[href^="javascript"]').count() == 0
        assert shown.search("<script>") == [HOSTILE["script"]]
        shown.tab.keyboard.press("Escape")
        shown.tab.locator("#as-table").click()
        assert shown.tab.locator("#table img, #table script").count() == 0


def test_overview_says_how_much_it_shows(browser: Any, large: Path) -> None:
    """Above three thousand nodes a part is shown, in words, and all of it on demand."""
    with opened(browser, large) as shown:
        assert "500 of 3,200 nodes shown" in shown.tab.locator("#notice").inner_text()
        assert shown.counts()["nodes"] == 500
        hidden = next(
            f"model/chain-{i}"
            for i in range(3199, 0, -1)
            if not shown.tab.evaluate("id => kg.nodeAt(id).shown", f"model/chain-{i}")
        )
        shown.search(hidden.split("/")[1])
        shown.tab.keyboard.press("Enter")
        assert shown.tab.evaluate("id => kg.nodeAt(id).shown", hidden)
        shown.tab.keyboard.press("o")
        assert shown.counts()["nodes"] > 501 or "model/chain" in shown.fragment()
        shown.tab.get_by_role("button", name="Show all").click()
        shown.settle()
        assert shown.counts()["nodes"] == 3200
        assert "all=1" in shown.fragment()


@pytest.mark.parametrize("width", [390, 1024, 1200, 1400])
def test_nothing_lies_over_a_button_or_the_end_of_a_path(
    browser: Any, large: Path, width: int
) -> None:
    """The bars keep clear of the buttons, and what is fitted keeps clear of the bars."""
    ends = ("model/chain-50", "model/chain-1450")
    with opened(browser, large, viewport={"width": width, "height": 800}) as shown:
        shown.settle()
        for name in ("zoom-in", "zoom-out", "fit", "show-all"):
            shown.tab.locator(f"#{name}").click(trial=True, timeout=2000)
        shown.tab.evaluate("hash => { location.hash = hash }", f"path={'~'.join(ends)}")
        shown.settle()
        bar = shown.tab.locator("#view-bar").bounding_box()
        notice = shown.tab.locator("#notice").bounding_box()
        for end in ends:
            _, y = shown.node(end)
            assert bar["y"] + bar["height"] < y
            assert notice is None or y < notice["y"]


def test_relax_moves_nodes_and_stops(browser: Any, file: Path) -> None:
    with opened(browser, file) as shown:
        before = shown.node("model/tiny-7b")
        shown.tab.get_by_role("button", name="Relax").click()
        shown.tab.wait_for_timeout(700)
        stop = shown.tab.get_by_role("button", name="Stop")
        if stop.count():
            stop.click()
        assert shown.node("model/tiny-7b") != before


def test_pyvis_renderer_draws_and_explains(browser: Any, tmp_path: Path) -> None:
    """People who expect vis-network get it, with the same panel."""
    path = tmp_path / "vis.html"
    write_html(small_graph(), path, renderer="pyvis")
    with opened(browser, path) as shown:
        assert shown.tab.locator("#vis-home canvas").is_visible()
        shown.search("tiny-7b")
        shown.tab.keyboard.press("Enter")
        assert "TinySeven" in shown.panel()
    with pytest.raises(NotFound, match="canvas"):
        page(small_graph(), renderer="flash")


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (Graph(), "Nothing was found"),
        (Graph(entities=(entity("model/one", "One"),)), "Click a node or an edge"),
        (Graph(entities=tuple(entity(f"task/{i}", f"Task {i}") for i in range(9))), "Click a node"),
    ],
    ids=["empty", "one", "unconnected"],
)
def test_small_and_empty_graphs_are_not_blank(
    browser: Any, tmp_path: Path, graph: Graph, expected: str
) -> None:
    path = tmp_path / "small.html"
    write_html(graph, path)
    with opened(browser, path) as shown:
        assert expected in shown.panel()
        assert shown.counts() == {"nodes": len(graph.entities), "edges": 0}


def test_notebook_shows_the_page_in_a_frame(browser: Any, tmp_path: Path) -> None:
    """The frame draws the graph without the rights of its notebook; a picture stands beside it."""
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><title>nb</title>{notebook_html(small_graph())}", "utf-8")
    session = browser.new_context(viewport={"width": 1200, "height": 900})
    tab = session.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(path.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("#search").fill("tiny 7b")
    frame.locator("#found li").first.click()
    assert frame.locator("#panel h2").inner_text() == "Tiny-7B"
    assert tab.locator("details img").get_attribute("src").startswith("data:image/svg+xml;base64,")
    assert errors == []
    session.close()


def test_notebook_caps_what_it_shows() -> None:
    text = notebook_html(chain(120), max_nodes=60)
    assert "The 60 best connected of 120 entities." in text
    assert len(text) < 2_000_000


#: A state that people can bring the page into: address, window, and what is pressed then.
STATES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "opening": ("", 1400, ()),
    "opening, dark": ("theme=dark", 1400, ()),
    "node": ("n=model/tiny-7b", 1400, ()),
    "node, dark": ("n=model/tiny-7b&theme=dark", 1400, ()),
    "edge": ("e=model/tiny-7b~trainedOn~dataset/pileset", 1400, ()),
    "edge, dark": ("e=model/tiny-7b~trainedOn~dataset/pileset&theme=dark", 1400, ()),
    "denied edge": ("e=model/tiny-7b-gguf~prunedFrom~model/big-70b&status=negated", 1400, ()),
    "focus": ("focus=model/tiny-7b&hops=2&n=model/tiny-7b", 1400, ()),
    "focus, dark": ("focus=model/tiny-7b&hops=1&theme=dark", 1400, ()),
    "path": ("path=model/grandchild-1b~dataset/pileset", 1400, ()),
    "path, dark": ("path=model/grandchild-1b~dataset/pileset&theme=dark", 1400, ()),
    "no path": ("path=model/tiny-7b~model/script", 1400, ()),
    "other end of a path": ("n=model/tiny-7b", 1400, ('text="Path to…"',)),
    "lineage": ("lineage=model/tiny-7b", 1400, ()),
    "lineage, dark": ("lineage=model/tiny-7b&theme=dark", 1400, ()),
    "nodes": ("view=table", 1400, ()),
    "edges, dark": ("view=edges&theme=dark", 1400, ()),
    "filtered to nothing": ("conf=1.00&loose=0", 1400, ()),
    "share menu": ("", 1400, ("#share",)),
    "share menu, dark": ("theme=dark", 1400, ("#share",)),
    "help": ("", 1400, ("#help",)),
    "help, dark": ("theme=dark", 1400, ("#help",)),
    "wrong edge": ("e=model/tiny-7b~trainedOn~dataset/pileset", 1400, (".correct summary",)),
    "wrong entity, dark": ("n=model/tiny-7b&theme=dark", 1400, (".correct summary",)),
    "found": ("", 1400, ("type:tiny",)),
    "found nothing, dark": ("theme=dark", 1400, ("type:qqqq",)),
    "phone": ("", 375, ()),
    "phone, node, dark": ("n=model/tiny-7b&theme=dark", 375, ()),
    "phone, focus": ("focus=model/tiny-7b&hops=1&n=model/tiny-7b", 375, ()),
    "phone, legend": ("", 375, ("#filters",)),
    "phone, edges": ("view=edges", 375, ()),
    "phone, share menu": ("", 375, ("#share",)),
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_serious_issue(browser: Any, file: Path, state: str) -> None:
    """No state that the page can be in keeps somebody out."""
    if not AXE.is_file():
        absent("no axe-core: run npm ci in tests/browser")
    fragment, width, presses = STATES[state]
    session = browser.new_context(
        bypass_csp=True, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    tab = session.new_page()
    tab.goto(f"{file.as_uri()}#{fragment}")
    tab.wait_for_function("() => window.kg && window.kg.settled()")
    for press in presses:
        if press.startswith("type:"):
            tab.locator("#search").fill(press.removeprefix("type:"))
        else:
            tab.locator(press).first.click()
    tab.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = tab.evaluate(
        "async () => (await axe.run()).violations"
        ".map(v => [v.impact, v.id, v.nodes.map(n => n.html).slice(0, 3)])"
    )
    session.close()
    assert [issue for issue in found if issue[0] in ("serious", "critical")] == []


def test_sentences_can_be_selected_and_copied(browser: Any, file: Path) -> None:
    """A double click takes a word and a drag a passage, of names, sentences and table rows."""
    with opened(browser, file, "e=model/tiny-7b~trainedOn~dataset/pileset") as shown:
        shown.tab.locator("#panel blockquote mark").last.dblclick()
        assert shown.tab.evaluate("String(getSelection()).trim()") == "PileSet"
        box = shown.tab.locator("#panel blockquote").bounding_box()
        middle = box["y"] + box["height"] / 2
        shown.tab.mouse.move(box["x"] + 1, middle)
        shown.tab.mouse.down()
        shown.tab.mouse.move(box["x"] + box["width"] - 1, middle, steps=5)
        shown.tab.mouse.up()
        selected = shown.tab.evaluate("String(getSelection())")
        assert "Tiny-7B is trained on PileSet." in selected
        barred = shown.tab.evaluate(
            """() => [...document.querySelectorAll('#panel *, #legend *, #table *')]
                .filter((e) => e.textContent.trim() && getComputedStyle(e).userSelect === 'none')
                .map((e) => e.outerHTML)"""
        )
        assert barred == []


#: What a rule of the style sheet shows, and not merely colours, where the mouse lies.
HOVER_ONLY = """() => {
    const shows = /^(display|visibility|content|max-height|height|clip|clip-path|transform)$/;
    const rules = [];
    const walk = (list) => { for (const rule of list) {
        if (rule.cssRules && rule.cssRules.length) walk(rule.cssRules);
        if (!rule.selectorText || !rule.selectorText.includes(':hover')) continue;
        if ([...rule.style].some((name) => shows.test(name))) rules.push(rule.selectorText);
    } };
    for (const sheet of document.styleSheets) walk(sheet.cssRules);
    return rules;
}"""
#: Titles that say what is not also the element's name, its label or its text.
TITLE_ONLY = """() => [...document.querySelectorAll('[title]')]
    .filter((e) => !e.textContent.includes(e.title) && e.getAttribute('aria-label') !== e.title)
    .map((e) => e.outerHTML)"""


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "n=model/tiny-7b",
        "e=model/tiny-7b~distilledFrom~model/big-70b",
        "lineage=model/tiny-7b",
        "view=edges",
    ],
)
def test_no_fact_needs_the_mouse_to_hover(browser: Any, file: Path, fragment: str) -> None:
    """Hovering changes colours and no words, and no tooltip says what is not said elsewhere."""
    with opened(browser, file, fragment) as shown:
        assert shown.tab.evaluate(HOVER_ONLY) == []
        # Relax says in words what it does when it is pressed.
        assert [
            title for title in shown.tab.evaluate(TITLE_ONLY) if 'id="relax"' not in title
        ] == []
        if not fragment:
            shown.tab.mouse.move(5, 5)
            before = shown.tab.locator("body").inner_text()
            shown.tab.mouse.move(*shown.node("model/tiny-7b"))
            shown.tab.wait_for_timeout(700)
            assert shown.tab.locator("body").inner_text() == before


def boxes_of_names(tab: Any, picture: str) -> dict[str, list[float]]:
    """Return the box of each name in an SVG picture, as the browser measures it."""
    tab.set_content(picture)
    return dict(
        tab.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll('svg text')].map((t) => {
                const b = t.getBBox();
                return [t.textContent, [b.x, b.y + 2, b.x + b.width, b.y + b.height - 2]];
            }))"""
        )
    )


def meeting(boxes: dict[str, list[float]]) -> list[tuple[str, str]]:
    """Return the names that lie over one another."""
    return [
        (one, other)
        for one, a in boxes.items()
        for other, b in boxes.items()
        if one < other and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


@pytest.mark.parametrize("width", [1400, 375])
def test_names_around_a_focus_are_all_there_and_apart(
    browser: Any, tmp_path: Path, width: int
) -> None:
    """A hub with thirty neighbours of long names, on a screen and on a phone."""
    names = [f"Extraordinary-Neighbour-of-the-Hub-{i}" for i in range(30 if width > 400 else 12)]
    text = "The neighbours are fine-tuned from the hub."
    document = Document(id="hub", kind="text", title="Hub", text=text)
    proof = said(document, text, "The neighbours", "the hub")
    ids = [f"model/neighbour-{i:02}" for i in range(len(names))]
    graph = Graph(
        (document,),
        (
            entity("model/hub", "Hub"),
            *(entity(i, name) for i, name in zip(ids, names, strict=True)),
        ),
        tuple(Edge(i, "fineTunedFrom", "model/hub", (proof,), 0.9) for i in ids),
    )
    path = tmp_path / "hub.html"
    write_html(graph, path)
    size = {"width": width, "height": 900}
    with opened(browser, path, "focus=model/hub&hops=1", viewport=size) as shown:
        assert shown.counts() == {"nodes": len(names) + 1, "edges": len(names)}
        shown.tab.locator("#share").click()
        with shown.tab.expect_download() as download:
            shown.tab.get_by_role("button", name="Picture, SVG").click()
        picture = Path(download.value.path()).read_text(encoding="utf-8")
        stage = shown.tab.locator("#graph").bounding_box()
    tab = browser.new_page()
    boxes = boxes_of_names(tab, picture)
    tab.close()
    found = {name: box for name, box in boxes.items() if name.startswith("Extra")}
    assert len(found) == len(names)
    assert all(box[0] >= 0 and box[2] <= stage["width"] for box in found.values())
    assert meeting(boxes) == []


def test_a_lopsided_neighbourhood_is_balanced_and_its_nodes_are_apart(
    browser: Any, tmp_path: Path
) -> None:
    """Half of the second ring stands on either side, whatever it hangs on, and all have names."""
    text = "They are all fine-tuned from one another."
    document = Document(id="hub", kind="text", title="Hub", text=text)
    proof = said(document, text, "They", "one another")
    inner = {f"model/inner-{i}": "model/hub" for i in range(8)}
    outer = {f"model/outer-{i}-{j}": f"model/inner-{i}" for i in range(4) for j in range(11)}
    hanging = {**inner, **outer}
    graph = Graph(
        (document,),
        tuple(entity(i, i.removeprefix("model/")) for i in sorted(["model/hub", *hanging])),
        tuple(Edge(low, "fineTunedFrom", high, (proof,), 0.9) for low, high in hanging.items()),
    )
    path = tmp_path / "hub.html"
    write_html(graph, path)
    with opened(browser, path, "focus=model/hub&hops=2") as shown:
        shown.settle()
        places = {i: shown.node(i) for i in ("model/hub", *hanging)}
        picture = saved(shown, "Picture, SVG").decode()
    left = sum(places[i][0] < places["model/hub"][0] for i in outer)
    assert left == 22
    assert all(f">{i.removeprefix('model/')}</text>" in picture for i in hanging)
    for side in (-1, 1):
        heights = sorted(y for i, (x, y) in places.items() if i in outer and (x - 620) * side > 0)
        assert min(b - a for a, b in pairwise(heights)) > 12


def test_focus_stands_alone_and_lets_go(browser: Any, file: Path) -> None:
    """Only the neighbourhood is drawn and listed; what lies outside leads back to the whole."""
    with opened(browser, file, "focus=model/grandchild-1b&hops=1") as shown:
        assert shown.counts() == {"nodes": 2, "edges": 1}
        shown.click_node("model/tiny-7b")
        assert "Around Grandchild-1B" in shown.tab.locator("#view-bar").inner_text()
        shown.tab.get_by_role("button", name="Open them").click()
        assert shown.fragment() == "n=model/tiny-7b"
        assert shown.counts()["nodes"] == 16
    with opened(browser, file, "focus=model/grandchild-1b&hops=1") as shown:
        shown.search("pileset")
        shown.tab.keyboard.press("Enter")
        assert shown.fragment() == "n=dataset/pileset"


def test_names_in_a_still_picture_are_apart(browser: Any) -> None:
    """Two hundred names on one sheet, in the fonts that the browser has."""
    tab = browser.new_page()
    boxes = boxes_of_names(tab, svg(chain(200)))
    tab.close()
    assert len(boxes) > 40
    assert meeting(boxes) == []


def test_explore_makes_a_small_page_of_a_part(
    browser: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page of what lies within two hops opens, and holds that and no more."""
    store.write(small_graph(), tmp_path / "graph")
    target = tmp_path / "page.html"
    arguments = ["--focus", "PileSet", "--hops", "1", "-o", str(target)]
    assert cli.main(["explore", str(tmp_path / "graph"), *arguments]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    with opened(browser, target) as shown:
        assert shown.counts() == {"nodes": 2, "edges": 1}
    arguments[3] = "2"
    assert cli.main(["explore", str(tmp_path / "graph"), *arguments]) == 0
    with opened(browser, target) as shown:
        assert shown.counts()["nodes"] == 8
        assert shown.search("quoted") == []
        shown.tab.keyboard.press("Escape")
        assert shown.search("grandchild") == ["Grandchild-1B"]


def test_script_passes_the_linter() -> None:
    """The page's script, as the browser gets it, has no unknown name and no markup sink."""
    node = shutil.which("node")
    if not node or not ESLINT.is_file():
        absent("no eslint: run npm ci in tests/browser")
    home = Path(__file__).parent.parent / "kg" / "exporters" / "page"
    script = "\n".join((home / name).read_text(encoding="utf-8") for name in SCRIPTS)
    done = subprocess.run(
        [node, str(ESLINT), "--stdin", "--stdin-filename", "page.js", "--max-warnings", "0"],
        input=f"(() => {{\n'use strict';\n{script}\n}})();\n",
        cwd=BROWSER_FILES,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
