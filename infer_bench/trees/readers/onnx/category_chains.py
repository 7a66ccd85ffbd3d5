"""Sets of categories written as chains of nodes that each ask for one of them."""

from dataclasses import dataclass

import numpy as np

from infer_bench.typing import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """Nodes (nodes,) by what they ask: `left` is where a value among the members leads, `right` any other.

    The members of node i are `members[start[i]:start[i + 1]]`.
    """

    feature: Ints
    left: Ints
    right: Ints
    missing: Bools
    start: Ints
    members: Floats


def as_sets(nodes: Branches, equal: Bools) -> Branches:
    """The same nodes, those of a chain made one: it asks `equal` nodes of one feature that lead to one node.

    The nodes behind a chain's first are no longer reached; before, the node they lead to had many parents.
    """
    link = np.full(len(nodes.feature), -1, dtype=np.int64)
    for node in np.flatnonzero(equal).tolist():
        behind = int(nodes.right[node])
        if equal[behind] and behind != node and _alike(nodes, node, behind):
            link[node] = behind
    behind_another = set(link[link >= 0].tolist())
    heads = [node for node in np.flatnonzero(link >= 0).tolist() if node not in behind_another]
    sets = [nodes.members[nodes.start[i] : nodes.start[i + 1]] for i in range(len(link))]
    right = nodes.right.copy()
    for head in heads:
        at, chain = head, [sets[head]]
        while link[at] >= 0 and len(chain) <= len(link):  # a damaged file may lead in a circle
            at = int(link[at])
            chain.append(sets[at])
        sets[head], right[head] = np.concatenate(chain), nodes.right[at]
    start = np.concatenate(([0], np.cumsum([len(members) for members in sets], dtype=np.int64)))
    members = np.concatenate(sets) if sets else nodes.members
    return Branches(nodes.feature, nodes.left, right, nodes.missing, start, members)


def _alike(nodes: Branches, one: int, other: int) -> bool:
    return bool(
        nodes.feature[one] == nodes.feature[other]
        and nodes.left[one] == nodes.left[other]
        and nodes.missing[one] == nodes.missing[other]
    )
