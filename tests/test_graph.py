"""networkx and back."""

import networkx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.graph import from_networkx, knots, to_networkx
from kg.values import Document, Edge, Entity, Evidence, Graph, Merge, Result, Span

ITEM = Evidence("d", "abstract", Span(0, 3), "one", "extracted", "cues", "r", 0.5)
GRAPH = Graph(
    (Document("d", "paper", "t", "one two", metadata={"a": [1]}),),
    (
        Entity("dataset/d", "Dataset", "D"),
        Entity("model/a", "Model", "A", ("a",), ("o/a",), ("d",), (("d", 2),), (("k", "v", "d"),)),
        Entity("model/b", "Model", "B"),
    ),
    (
        Edge("model/a", "fineTunedFrom", "model/b", (ITEM,), 0.5),
        Edge("model/a", "outperforms", "model/b", (ITEM,), 0.5, "candidate"),
        Edge("model/a", "trainedOn", "dataset/d", (ITEM, ITEM), 0.7),
    ),
    (Result("model/a", None, None, "1", "1", (ITEM,)),),
    (Merge("model/a", "a", "spelling", 1.0),),
    {"counts": {}},
)


def test_the_way_there_and_back_loses_nothing():
    """Every value of the contract."""
    assert from_networkx(to_networkx(GRAPH)) == GRAPH


def test_users_find_what_they_expect():
    """Ids as nodes, relations as keys, parallel edges kept, isolated nodes kept."""
    made = to_networkx(GRAPH)
    assert isinstance(made, networkx.MultiDiGraph)
    assert made.nodes["model/a"]["name"] == "A"
    assert sorted(made["model/a"]["model/b"]) == ["fineTunedFrom", "outperforms"]
    assert made.edges["model/a", "dataset/d", "trainedOn"]["confidence"] == 0.7
    assert networkx.descendants(made, "model/a") == {"model/b", "dataset/d"}


NAMES = st.sampled_from([f"model/{letter}" for letter in "abcdefgh"])
EDGES = st.sets(st.tuples(NAMES, st.sampled_from(["derivedFrom", "memberOf"]), NAMES), max_size=15)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDGES)
def test_any_edges_survive(keys):
    """Loops and circles included, in the order of the contract."""
    ids = sorted({end for a, _, b in keys for end in (a, b)})
    graph = Graph(
        entities=tuple(Entity(id_, "Model", id_) for id_ in ids),
        edges=tuple(Edge(*key, (ITEM,), 0.5) for key in sorted(keys)),
    )
    assert from_networkx(to_networkx(graph)) == graph


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4)))
@settings(deadline=None)
def test_circles_are_the_components_that_networkx_finds(numbered):
    """Those of several nodes, and nodes with an edge to themselves."""
    above = {str(node): [str(other) for other in others] for node, others in numbered.items()}
    graph = networkx.DiGraph((a, b) for a, others in above.items() for b in others)
    loops = set(networkx.nodes_with_selfloops(graph))
    components = networkx.strongly_connected_components(graph)
    expected = sorted(tuple(sorted(c)) for c in components if len(c) > 1 or c & loops)
    assert knots(above) == expected


def test_a_circle_of_any_length_is_found():
    """No recursion ends it."""
    ring = {f"{i:05d}": [f"{(i + 1) % 20_000:05d}"] for i in range(20_000)}
    assert knots(ring) == [tuple(ring)]
