"""The calls of a profile as a tree."""

from infer_bench.measure.profile.call_tree import build_call_tree
from infer_bench.measure.profile.function_table import Entry, Function, FunctionTable

REQUEST: Function = ("site-packages/infer_bench/workers/profiling/profilers.py", 9, "request")


def entry(own: float, cumulative: float, **callers: float) -> Entry:
    return 1, 1, own, cumulative, {function(name): (1, 1, 0.0, seconds) for name, seconds in callers.items()}


def function(name: str) -> Function:
    return REQUEST if name == "request" else ("service.py", 1, name)


def tree(**entries: Entry) -> list[tuple[int, str, int, int]]:
    """Depth, name, start and duration in ms."""
    table = FunctionTable({function(name): values for name, values in entries.items()}, 1)
    return [(f.depth, f.name, f.start_ns // 10**6, f.total_ns // 10**6) for f in build_call_tree(table)]


def test_boxes_lie_below_the_one_that_called_them_the_largest_first() -> None:
    assert tree(
        request=entry(0, 10),
        predict=entry(1, 7, request=7),
        build=entry(3, 3, request=3),
        score=entry(2, 2, predict=2),
        cast=entry(4, 4, predict=4),
    ) == [
        (0, "predict", 0, 7000),
        (1, "cast", 0, 4000),
        (1, "score", 4000, 2000),
        (0, "build", 7000, 3000),
    ]


def test_a_function_of_two_callers_is_divided_among_them() -> None:
    frames = tree(
        request=entry(0, 10),
        a=entry(1, 4, request=4),
        b=entry(3, 6, request=6),
        both=entry(0, 6, a=3, b=3),
        leaf=entry(6, 6, both=6),
    )
    assert [(name, total) for _, name, _, total in frames if name == "leaf"] == [("leaf", 3000), ("leaf", 3000)]


def test_recursion_is_one_frame_and_never_longer_than_its_caller() -> None:
    frames = tree(request=entry(0, 5), walk=entry(2, 5, request=5, step=4, walk=9), step=entry(3, 4, walk=4))
    assert frames == [(0, "walk", 0, 5000), (1, "step", 0, 4000)]


def test_a_foreign_profile_begins_where_nobody_calls() -> None:
    assert [name for _, name, _, _ in tree(main=entry(1, 3), work=entry(2, 2, main=2))] == ["main", "work"]


def test_what_names_no_callers_has_no_tree_and_small_frames_are_left_out() -> None:
    assert tree(a=entry(1, 1), b=entry(2, 2)) == []
    assert len(tree(request=entry(0, 1000), a=entry(999, 1000, request=1000), tiny=entry(1, 1, a=1))) == 1
