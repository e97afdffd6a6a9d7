"""What two releases tell by subtraction, when each shows means of groups instead of single vectors.

A group of n patients with mean m tells the sum n m of their values. If a release lacks one of them, the difference of two
sums is that patient's value. In general: groups of either release are the nodes of a graph, the rows that lie in a group
of each are its edges (rows of one release only lead to a node beyond, of which nothing is known). The sum over the edges
between two nodes is determined exactly where they lie on no cycle: the kernel of a graph's incidence matrix without one
row is its cycle space.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping

from radcurate.attack.views import View

Node = tuple[int, Hashable]  # release 0 or 1, and its group
BEYOND: Node = (2, "beyond")
Bundles = dict[frozenset[Node], set[str]]  # the rows between two nodes


def subtracted(before: View, after: View, k: int) -> dict[str, int]:
    """Patients of whose values a mean over fewer than k patients can be computed -> that number of patients.

    Only where it is fewer than in each group that shows the patient without subtracting. Found are sums over one bundle of rows,
    and differences of a group and another within it; not what several of these give together.
    """
    shared = sorted(set(before.features) & set(after.features))
    if not shared:
        return {}
    owner = dict(zip([*before.row, *after.row], [*before.owner, *after.owner], strict=True))
    nodes = [_groups(release, shared, number) for number, release in enumerate((before, after))]
    bundles: Bundles = defaultdict(set)
    for row in owner:
        bundles[frozenset(place.get(row, BEYOND) for place in nodes)].add(row)
    visible = _visible(nodes, owner)
    found: dict[str, int] = {}
    for rows in [*_alone(bundles), *_nested(bundles)]:
        patients = {owner[row] for row in rows}
        for name in patients:
            if len(patients) < min(k, visible[name]):
                found[name] = min(len(patients), found.get(name, k))
    return found


def _groups(release: View, shared: list[str], number: int) -> dict[str, Node]:
    """Row -> group: the rows of one kind with equal vectors. A row without any value is in none."""
    told = release.told(shared) > 0
    keys = zip(release.block, release.digests(shared), strict=True)
    return {row: (number, key) for row, key, tells in zip(release.row, keys, told, strict=True) if tells}


def _visible(nodes: list[dict[str, Node]], owner: Mapping[str, str]) -> dict[str, int]:
    """Patient -> patients in the smallest group that it lies in: what a release tells without subtracting."""
    members: dict[Node, set[str]] = defaultdict(set)
    for place in nodes:
        for row, node in place.items():
            members[node].add(owner[row])
    found: dict[str, int] = {}
    for patients in members.values():
        found |= {name: min(len(patients), found.get(name, len(patients))) for name in patients}
    return found


def _nested(bundles: Bundles) -> Iterator[set[str]]:
    """What a group has beyond another that lies in it: all other bundles of the larger one."""
    around: dict[Node, list[frozenset[Node]]] = defaultdict(list)
    for ends in bundles:
        for node in ends - {BEYOND}:
            around[node].append(ends)
    for inner, edges in around.items():
        if len(edges) == 1:  # all its rows lie in one group of the other release
            for outer in edges[0] - {inner, BEYOND}:
                rest: set[str] = set().union(*(bundles[ends] for ends in around[outer] if ends != edges[0]))
                if rest:
                    yield rest


def _alone(bundles: Bundles) -> Iterator[set[str]]:
    """Bundles on no cycle (bridges; Tarjan, Information Processing Letters 2, 1974)."""
    around: dict[Node, list[Node]] = defaultdict(list)
    for ends in bundles:
        if len(ends) == 2:
            first, second = ends
            around[first].append(second)
            around[second].append(first)
    seen: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    for root in list(around):
        if root not in seen:
            for upper, lower in _tree(root, around, seen, lowest):
                if lowest[lower] > seen[upper]:
                    yield bundles[frozenset((upper, lower))]


def _tree(
    root: Node, around: Mapping[Node, list[Node]], seen: dict[Node, int], lowest: dict[Node, int]
) -> Iterator[tuple[Node, Node]]:
    """Edges of a depth-first tree, each when everything below it was visited; `lowest` is then final for its lower end."""
    seen[root] = lowest[root] = len(seen)
    path: list[tuple[Node, Node | None, Iterator[Node]]] = [(root, None, iter(around[root]))]
    while path:
        node, parent, rest = path[-1]
        for other in rest:
            if other == parent:  # there is one bundle between two nodes, so this is the way back
                continue
            if other in seen:
                lowest[node] = min(lowest[node], seen[other])
                continue
            seen[other] = lowest[other] = len(seen)
            path.append((other, node, iter(around[other])))
            break
        else:
            path.pop()
            if parent is not None:
                lowest[parent] = min(lowest[parent], lowest[node])
                yield parent, node
