"""Where nodes are drawn: apart, in communities, and the same on every run."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.exporters.layout import Place, place

RADIUS = 6.0


def laid_out(count: int, links: list[tuple[int, int]]) -> list[Place]:
    return place(count, links, radii=[RADIUS] * count)


def cliques(*sizes: int) -> tuple[int, list[tuple[int, int]]]:
    """Complete graphs in a row, each tied to the next by one link."""
    links, start = [], 0
    for size in sizes:
        links += [(start + i, start + j) for i in range(size) for j in range(i)]
        if start:
            links.append((start - 1, start))
        start += size
    return start, links


def distance(a: Place, b: Place) -> float:
    return float(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5)


def test_nothing_and_one_thing() -> None:
    assert laid_out(0, []) == []
    assert laid_out(1, [(0, 0)]) == [Place(0, 0, 0)]


def test_two_linked_nodes_are_near_and_apart() -> None:
    one, other = laid_out(2, [(0, 1), (1, 0)])
    assert 2 * RADIUS <= distance(one, other) <= 200


def test_a_clique_is_a_community() -> None:
    """Those who all know each other stand together, and nearer than the others."""
    count, links = cliques(14, 14, 14)
    places = laid_out(count, links)
    groups = [{p.community for p in places[i : i + 14]} for i in (0, 14, 28)]
    assert [len(group) for group in groups] == [1, 1, 1]
    assert len(set.union(*groups)) == 3
    inside = max(distance(places[i], places[j]) for i in range(14) for j in range(i))
    middles = [
        Place(
            sum(p.x for p in places[i : i + 14]) // 14,
            sum(p.y for p in places[i : i + 14]) // 14,
            0,
        )
        for i in (0, 14, 28)
    ]
    assert min(distance(middles[i], middles[j]) for i, j in ((0, 1), (1, 2), (0, 2))) > inside * 0.9


def test_a_star_keeps_its_leaves() -> None:
    """Leaves are no communities of their own, however many there are."""
    places = laid_out(60, [(0, i) for i in range(1, 60)])
    assert {p.community for p in places} == {0}


def test_nodes_without_links_share_a_community() -> None:
    places = laid_out(30, [(0, 1), (1, 2)])
    assert len({p.community for p in places[3:]}) == 1
    assert places[3].community != places[0].community


def test_order_and_repetition_of_links_do_not_matter() -> None:
    count, links = cliques(8, 20, 5)
    turned = [(b, a) for a, b in reversed(links)]
    assert laid_out(count, turned) == laid_out(count, links)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_nodes_do_not_cover_each_other_and_runs_agree(data: st.DataObject) -> None:
    """Whatever the graph: integers, no two nodes in one place, the same when done again."""
    count = data.draw(st.integers(1, 40))
    end = st.integers(0, count - 1)
    links = data.draw(st.lists(st.tuples(end, end), max_size=80))
    places = laid_out(count, links)
    assert len({(p.x, p.y) for p in places}) == count
    assert all(distance(places[i], places[j]) > RADIUS for i in range(count) for j in range(i))
    assert laid_out(count, links) == places


@pytest.mark.parametrize(("count", "budget"), [(3000, 10.0), (10_000, 60.0)])
def test_large_graphs_take_seconds(count: int, budget: float) -> None:
    """CPU seconds, since other work may hold the machine."""
    links = [(i, i - i % 40 if i % 3 else (i * 7919) % count) for i in range(count)]
    links += [(i, (i * 31 + 7) % count) for i in range(0, count, 5)]
    start = time.process_time()
    laid_out(count, links)
    assert time.process_time() - start < budget
