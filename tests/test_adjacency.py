"""Closures over arrays: the same as a search written out, whatever the graph and the filter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.lineage import adjacency
from kg.lineage.adjacency import Adjacency
from kg.lineage.network import Filter, Network
from kg.values import Edge, Evidence, Graph, Span

edges_of = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=40)


def searched(edges, roots):
    """Return nodes and hops of a search in breadth, in the order of discovery."""
    distance = dict.fromkeys(roots, 0)
    queue = list(roots)
    for node in queue:
        for start, end in edges:
            if start == node and end not in distance:
                distance[end] = distance[node] + 1
                queue.append(end)
    return [(node, hops) for node, hops in distance.items() if node not in roots]


@pytest.mark.parametrize("wide", [0, 3, 1000])
@given(edges_of, st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
def test_what_is_reached_is_what_a_plain_search_finds(wide, edges, roots):
    """Nodes, hops and order agree, at once or node by node, filtered or not."""
    starts = np.array([start for start, _, _ in edges], dtype=np.int32)
    ends = np.array([end for _, end, _ in edges], dtype=np.int32)
    admitted = np.array([follow for _, _, follow in edges], dtype=np.bool_)
    made = Adjacency(10, starts, ends)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adjacency, "_WIDE", wide)
        all_nodes = made.reach(roots)
        followed = made.reach(roots, admitted)
    for (nodes, hops), expected in (
        (all_nodes, searched([(s, e) for s, e, _ in edges], roots)),
        (followed, searched([(s, e) for s, e, follow in edges if follow], roots)),
    ):
        assert list(zip(nodes.tolist(), hops.tolist(), strict=True)) == expected


hops_of = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(["fineTunedFrom", "distilledFrom", "trainedOn", "memberOf"]),
        st.integers(0, 6),
        st.sampled_from([0.3, 0.6, 0.9]),
        st.sampled_from(["accepted", "candidate"]),
        st.sampled_from(["extracted", "inferred"]),
    ),
    max_size=25,
    unique_by=lambda hop: hop[:3],
)
filters = st.builds(
    Filter,
    st.sampled_from([None, frozenset({"fineTunedFrom"}), frozenset({"nothing"})]),
    st.sampled_from([0.0, 0.6]),
    st.booleans(),
    st.sampled_from([frozenset({"accepted"}), frozenset({"accepted", "candidate"})]),
)


@given(hops_of, filters, st.integers(0, 6))
def test_a_closure_follows_the_hops_that_its_filter_admits(hops, chosen, start):
    """Ancestors are what steps up lead to, descendants what steps down lead to."""
    edges = tuple(
        Edge(
            f"m/{s}", relation, f"m/{o}",
            (Evidence("d", "abstract", Span(0, 1), "x", kind, "cues", "r", confidence),),
            confidence, status,
        )
        for s, relation, o, confidence, status, kind in sorted(hops)
    )  # fmt: skip
    network = Network(Graph(edges=edges))
    for found, step, end in (
        (network.ancestors, network.up, lambda hop: hop.object),
        (network.descendants, network.down, lambda hop: hop.subject),
    ):
        pairs = [(f"m/{n}", end(hop)) for n in range(7) for hop in step(f"m/{n}", chosen)]
        assert found(f"m/{start}", chosen) == dict(searched(pairs, [f"m/{start}"]))


def knot(*pairs):
    """Return the network of models that derive from each other by ``pairs``."""
    evidence = (Evidence("d", "abstract", Span(0, 1), "x", "extracted", "cues", "r", 0.9),)
    edges = (Edge(f"m/{s}", "derivedFrom", f"m/{o}", evidence, 0.9) for s, o in sorted(pairs))
    return Network(Graph(edges=tuple(edges)))


def test_the_nearest_common_ancestors_may_descend_from_each_other():
    """A circle above both is named whole, and what stands above the circle is left out."""
    network = knot("ax", "by", "xy", "yx", "xz")
    assert network.common("m/a", "m/b") == [("m/x", 1, 2), ("m/y", 2, 1)]


def test_a_common_ancestor_of_a_common_ancestor_is_left_out():
    """Of two roads up only the first place where they meet is named."""
    network = knot("ax", "bx", "xz", "az", "ac", "bc")
    assert network.common("m/a", "m/b") == [("m/c", 1, 1), ("m/x", 1, 1)]


def test_an_empty_graph_has_no_ancestors():
    """Nothing is reached where there is nothing."""
    assert Network(Graph()).ancestors("m/a") == {}
