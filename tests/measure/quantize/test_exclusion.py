"""Layers are blamed by leaving them out, and the fewest are left out."""

from infer_bench.measure.quantize.exclusion import blame_layers, fewest_excluded, split


class Network:
    """Each layer adds its own difference; how often one is asked for is counted."""

    def __init__(self, **deltas: float) -> None:
        self.deltas = deltas
        self.calls = 0

    def delta(self, excluded: tuple[str, ...]) -> float:
        self.calls += 1
        return sum(delta for name, delta in self.deltas.items() if name not in excluded)


def test_the_worst_layer_is_first() -> None:
    network = Network(a=0.01, b=0.7, c=0.05)
    blame = blame_layers("abc", (), network.delta)
    assert [entry.layer for entry in blame] == ["b", "c", "a"]
    assert network.calls == 3


def test_among_many_layers_it_is_found_in_few_steps() -> None:
    network = Network(**{f"l{i}": 0.001 for i in range(300)} | {"l217": 0.5})
    assert blame_layers(list(network.deltas), (), network.delta)[0].layer == "l217"
    assert network.calls <= 48


def test_groups_hold_every_layer_once() -> None:
    for count in (0, 1, 15, 16, 17, 33, 100):
        names = tuple(map(str, range(count)))
        groups = split(names)
        assert len(groups) <= 16
        assert tuple(name for group in groups for name in group) == names


def test_no_more_are_left_out_than_it_takes() -> None:
    network = Network(a=0.3, b=0.2, c=0.4, d=0.01)
    for limit, expected in ((0.6, {"c"}), (0.25, {"c", "a"}), (0.05, {"c", "a", "b"})):

        def meets(names: tuple[str, ...], limit: float = limit) -> bool:
            return network.delta(names) <= limit

        excluded = fewest_excluded("abcd", (), network.delta, meets)
        assert excluded is not None
        assert set(excluded) == expected
    assert fewest_excluded("abcd", (), network.delta, lambda names: False) is None
    assert fewest_excluded("a", (), network.delta, lambda names: True) is None


def test_what_turns_out_needless_is_taken_back() -> None:
    """Two layers that only saturate together: the first to be blamed is not needed once the second is out."""
    alone = {(): 0.9, ("a",): 0.5, ("b",): 0.6, ("a", "b"): 0.0}

    def delta(excluded: tuple[str, ...]) -> float:
        return alone[tuple(sorted(set(excluded) & {"a", "b"}))]

    excluded = fewest_excluded("abc", (), delta, lambda names: "b" in names)
    assert excluded == ("b",)
