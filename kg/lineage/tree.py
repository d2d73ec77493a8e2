"""The tree of one thing: what it comes from, what came of it, and the family it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from kg import schema
from kg.errors import UsageError
from kg.lineage.network import Filter, Hop, Network
from kg.names import families as families_of_name
from kg.names import family_chain, identity, parents
from kg.values import Edge, Entity, GraphView

Direction = Literal["up", "down", "both"]

#: A tree of more steps is cut, with a notice: nobody reads it, and renderers choke on it.
MAX_STEPS: Final = 5_000
#: A chain of more hops is cut, too: trees are grown, written and read by recursion.  A family's
#: members may nest as deep, and the chain under a member be as long again.
MAX_LEVELS: Final = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the tree: an entity, and the hop by which it hangs there."""

    entity: str
    hop: Hop | None
    children: tuple[Step, ...] = ()
    #: ``""``, ``cycle``, ``shown`` (its children stand elsewhere), ``cut`` (too deep, or too
    #: much), ``gap`` (named but not described here), ``class`` (a family stands for an unnamed
    #: member), ``end`` (no parent is stated), ``member`` (of the family) or ``within`` (what a
    #: member comes from is a member, too, or the family).
    mark: str = ""
    #: The mark in words.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well a tree is known."""

    evidenced: int
    inferred: int
    gaps: int

    @property
    def hops(self) -> int:
        """All hops; a gap is none."""
        return self.evidenced + self.inferred

    def __str__(self) -> str:
        gaps = f"{self.gaps} gap{'' if self.gaps == 1 else 's'}"
        hops = f"{self.hops} hop{'' if self.hops == 1 else 's'}"
        return f"{hops}: {self.evidenced} evidenced, {self.inferred} inferred · {gaps}"


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of one entity, as shown; ``str()`` of it is the tree as text."""

    root: Entity
    up: tuple[Step, ...]
    down: tuple[Step, ...]
    #: Families from the narrowest to the widest, each with the hop that says so.
    families: tuple[Step, ...]
    #: If it is a family: its members, nested as their names are.
    members: tuple[Step, ...]
    #: What is missing about the root itself, in words.
    gaps: tuple[str, ...]
    coverage: Coverage
    #: How many steps were left out because the tree grew too large.
    cut: int
    network: Network = field(compare=False, repr=False)

    def steps(self) -> Iterator[Step]:
        """Yield every step of the tree, depth first, the family last."""
        yield from _walk((*self.up, *self.down, *self.members))
        yield from self.families

    def hops(self) -> list[Hop]:
        """Return every hop of the tree once, in order."""
        found = {step.hop.key: step.hop for step in self.steps() if step.hop is not None}
        return [found[key] for key in sorted(found)]

    def entities(self) -> list[str]:
        """Return the ids of all entities of the tree, the root first, then sorted."""
        ids = {end for hop in self.hops() for end in (hop.subject, hop.object)}
        ids |= {step.entity for step in self.steps()}
        return [self.root.id, *sorted(ids - {self.root.id})]

    def edge(self, hop: Hop) -> Edge:
        """Return the edge of ``hop`` with its evidence."""
        return self.network.edge(hop)

    def __str__(self) -> str:
        from kg.lineage.text import as_text

        return as_text(self)


def trace(
    graph: GraphView | Network,
    name: str,
    *,
    direction: Direction = "both",
    depth: int | None = None,
    relations: Iterable[str] | None = None,
    min_confidence: float = 0.0,
    inferred: bool = True,
    folded: bool = False,
) -> Lineage:
    """Return the lineage of what is called ``name``.

    ``direction`` is ``"up"``, ``"down"`` or ``"both"``; ``depth`` counts hops from the root;
    ``relations`` are the only ones followed; ``folded`` leaves out what came of a family's
    members.  Raises :class:`kg.errors.NotFound` with the five nearest names.
    """
    network = graph if isinstance(graph, Network) else Network(graph)
    chosen = Filter(checked_relations(relations), min_confidence, inferred)
    root = network.find(name)
    grower = _Grower(network, chosen, depth)
    up = down = members = ()  # type: tuple[Step, ...]
    if direction in ("up", "both"):
        up = grower.grow(root.id, up=True)
    if direction in ("down", "both"):
        down = grower.grow(root.id, up=False)
        seen = frozenset(step.hop.key for step in _walk((*up, *down)) if step.hop is not None)
        members = _members(grower, root.id, seen, folded=folded)
    families = tuple(_families(network, root.id, chosen))
    gaps = tuple(_root_gaps(network, root, up)) if direction in ("up", "both") else ()
    steps = list(_walk((*up, *down, *members)))
    return Lineage(
        root, up, down, families, members, gaps, _coverage(steps, gaps), grower.cut, network
    )


def checked_relations(names: Iterable[str] | None) -> frozenset[str] | None:
    """Return the relations called ``names`` and those under them; an unknown one is an error."""
    if names is None:
        return None
    known = schema.relations()
    found: set[str] = set()
    for name in names:
        matches = [r for r in known if r.casefold() == name.casefold().replace("-", "")]
        if not matches:
            offered = ", ".join(n for n, r in known.items() if r.lineage)
            raise UsageError(f"no relation is called {name!r}; of descent there are: {offered}")
        found.add(matches[0])
        found |= {other for other, r in known.items() if matches[0] in r.ancestors}
    return frozenset(found)


def _walk(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _walk(step.children)


class _Grower:
    """Grows trees; an entity's children are shown once, where it is met first."""

    def __init__(self, network: Network, chosen: Filter, depth: int | None) -> None:
        self.network, self.chosen, self.depth = network, chosen, depth
        self.steps = 0
        self.cut = 0
        self._shown: dict[bool, set[str]] = {True: set(), False: set()}

    def grow(self, id_: str, *, up: bool, skip: frozenset[str] = frozenset()) -> tuple[Step, ...]:
        """Return the steps under ``id_``, nearest first."""
        self._shown[up].add(id_)
        return self._children(id_, up, (id_,), skip)

    def _children(
        self, id_: str, up: bool, path: tuple[str, ...], skip: frozenset[str]
    ) -> tuple[Step, ...]:
        hops = (self.network.up if up else self.network.down)(id_, self.chosen)
        grouped: dict[str, list[Hop]] = {}
        for hop in hops:
            grouped.setdefault(hop.object if up else hop.subject, []).append(hop)
        # Breadth before depth: a sibling's subtree must not hide that of the next one.
        steps: list[Step] = []
        for other, all_hops in grouped.items():
            if other in skip:
                continue
            for place, hop in enumerate(all_hops):
                steps.append(self._step(other, hop, up, path, skip, again=place > 0))
        return tuple(steps)

    def _step(
        self,
        id_: str,
        hop: Hop,
        up: bool,
        path: tuple[str, ...],
        skip: frozenset[str],
        *,
        again: bool,
    ) -> Step:
        self.steps += 1
        if id_ in path:
            note = "circle: it is already on the way here"
            return Step(id_, hop, mark="cycle", note=note)
        if self.steps > MAX_STEPS:
            self.cut += 1
            return Step(id_, hop, mark="cut", note="not followed: the tree is too large")
        following = self.network.up if up else self.network.down
        if not following(id_, self.chosen):
            return self._leaf(id_, hop, up)
        if again or id_ in self._shown[up]:
            return Step(id_, hop, mark="shown", note="as shown above")
        if self.depth is not None and len(path) >= self.depth:
            return Step(id_, hop, mark="cut", note="goes on; raise --depth")
        if len(path) >= MAX_LEVELS:
            self.cut += 1
            return Step(id_, hop, mark="cut", note="goes on; ask for the lineage of this one")
        self._shown[up].add(id_)
        return Step(id_, hop, self._children(id_, up, (*path, id_), skip))

    def _leaf(self, id_: str, hop: Hop, up: bool) -> Step:
        if not up:
            return Step(id_, hop)
        return leaf(self.network, id_, hop)


def leaf(network: Network, id_: str, hop: Hop) -> Step:
    """Return the step of an ancestor that has no parent here, saying what that means."""
    entity = network.entities.get(id_)
    relation = schema.relations().get(hop.relation)
    strand = relation.strand if relation is not None else None
    if network.members(id_) and strand == "weights":
        return Step(id_, hop, mark="class", note="a family: which member is not said")
    for key, value, _ in entity.facts if entity is not None else ():
        if key == "parent_gap":
            return Step(id_, hop, mark="gap", note=f"its parent is given as a local path: {value}")
    if entity is None or not entity.introduced_in:
        return Step(id_, hop, mark="gap", note="named, but not described in any document here")
    return Step(id_, hop, mark="end", note="no parent is stated")


def _families(network: Network, id_: str, chosen: Filter) -> Iterator[Step]:
    """Yield the families of an entity, each once, narrowest first."""
    seen = {id_}
    level = [id_]
    while level:
        hops = [hop for node in level for hop in network.families(node, chosen)]
        level = []
        for hop in sorted(hops, key=lambda h: (-h.confidence, h.object)):
            if hop.object not in seen:
                seen.add(hop.object)
                level.append(hop.object)
                yield Step(hop.object, hop)


def _members(
    grower: _Grower, id_: str, seen: frozenset[tuple[str, str, str]], *, folded: bool
) -> tuple[Step, ...]:
    """Return a family's members, a member under the one whose name its own name begins with.

    Hops that are ``seen`` elsewhere in the tree are not shown again, but said to stand above.
    """
    network = grower.network
    hops: dict[str, Hop] = {}
    queue = [id_]
    while queue:
        node = queue.pop(0)
        for hop in network.members(node, grower.chosen):
            if hop.subject not in hops and hop.subject != id_:
                hops[hop.subject] = hop
                queue.append(hop.subject)
    inside = {identity(network.name(member)): member for member in sorted(hops, reverse=True)}
    under: dict[str, list[str]] = {}
    for member in sorted(hops, key=lambda m: (network.name(m).casefold(), m)):
        above = hops[member].object
        chain = _name_chain(network.name(member))
        for step in chain:
            holder = inside.get(identity(step))
            if holder is not None and holder != member:
                above = holder
                break
        under.setdefault(above, []).append(member)
        # What is shown under a family is what is known of it and that family, where it is.
        direct = {hop.object: hop for hop in network.families(member, grower.chosen)}
        hops[member] = direct.get(above, hops[member])

    shown: set[str] = set()

    def build(node: str, path: frozenset[str]) -> tuple[Step, ...]:
        steps: list[Step] = []
        for member in under.get(node, ()):
            if member in path or member in shown:
                continue
            shown.add(member)
            grower.steps += 1
            grown: tuple[Step, ...] = ()
            if not folded and grower.steps <= MAX_STEPS:
                grown = grower.grow(member, up=False, skip=frozenset(hops) | {id_})
            within = tuple(
                Step(hop.object, hop, mark="within")
                for hop in network.up(member, grower.chosen)
                if hop.object in hops or hop.object == id_
            )
            known = len(within) + len(grown)
            within, grown = (
                tuple(s for s in found if s.hop is None or s.hop.key not in seen)
                for found in (within, grown)
            )
            note = "as shown above" if len(within) + len(grown) < known else ""
            if len(path) >= MAX_LEVELS and member in under:
                grower.cut += len(under[member])
                nested: tuple[Step, ...] = ()
            else:
                nested = build(member, path | {member})
            children = (*within, *nested, *grown)
            steps.append(Step(member, hops[member], children, "member", note))
        return tuple(steps)

    return build(id_, frozenset({id_}))


def _name_chain(name: str) -> Iterable[str]:
    """Return what could hold ``name`` by its name alone, narrowest first, sizes included."""
    return (*reversed(family_chain(name)[:-1]), *families_of_name(name))


def _root_gaps(network: Network, root: Entity, up: tuple[Step, ...]) -> Iterator[str]:
    for key, value, document in root.facts:
        if key == "parent_gap":
            yield f"{document} names a parent by a local path that nobody else can read: {value}"
    relations = schema.relations()
    has_model_parent = any(
        step.hop is not None and step.hop.relation in relations and step.hop.relation != "trainedOn"
        for step in up
    )
    if root.type != "Model" or has_model_parent or network.members(root.id):
        return
    hints = parents(root.repositories[0] if root.repositories else root.name)
    said = f"; its name suggests {hints[0].parent}, which nothing here confirms" if hints else ""
    yield f"no parent is stated for {root.name}{said}"


def _coverage(steps: Iterable[Step], gaps: tuple[str, ...]) -> Coverage:
    hops: dict[Any, Hop] = {}
    open_ends: set[str] = set()
    for step in steps:
        if step.hop is not None and step.mark != "member":
            hops[step.hop.key] = step.hop
        if step.mark in ("gap", "class"):
            open_ends.add(step.entity)
    inferred = sum(hop.kind == "inferred" for hop in hops.values())
    return Coverage(len(hops) - inferred, inferred, len(open_ends) + len(gaps))
