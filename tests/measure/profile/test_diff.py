"""Two profiles compared: by request, sorted by what a change contributes."""

from infer_bench.measure.profile.diff import compare
from infer_bench.measure.profile.prof_file import Entry, Function, FunctionTable
from infer_bench.report.profile import Change, ProfileResult, TypicalRequest


def row(name: str, *times: int) -> ProfileResult:
    return ProfileResult(name, "fake", {}, None, 1, typical=TypicalRequest(*times) if times else None)


def function_table(requests: int, **seconds: float) -> FunctionTable:
    table: dict[Function, Entry] = {
        (f"{name}.py", len(name) * requests, "f"): (1, 1, own, own, {}) for name, own in seconds.items()
    }
    return FunctionTable(table, requests)


def test_functions_are_compared_a_request_and_sorted_by_their_contribution() -> None:
    before = row("old", 100, 70, 20, 10), function_table(10, slow=10.0, gone=3.0, small=1.0)
    after = row("new", 60, 30, 22, 8), function_table(100, slow=20.0, small=11.0, new=50.0)
    difference = compare(before, after, top=3)
    assert difference.request == Change("request", 100, 60)
    assert [change.name for change in difference.phases] == ["preprocess", "postprocess", "predict"]
    assert difference.functions == (
        Change("slow.py(f)", 1_000_000_000, 200_000_000),
        Change("new.py(f)", 0, 500_000_000),
        Change("gone.py(f)", 300_000_000, 0),
    )
    assert difference.before_ns == 1_400_000_000


def test_whole_runs_are_compared_where_requests_were_not_counted() -> None:
    difference = compare((row("old"), function_table(0, f=1.0)), (row("new"), function_table(10, f=3.0)), top=5)
    assert difference.per == "run"
    assert difference.request is None
    assert difference.functions == (Change("f.py(f)", 1_000_000_000, 3_000_000_000),)


def test_the_same_profile_has_no_difference() -> None:
    profile = row("one", 100, 70, 20, 10), function_table(10, f=1.0)
    difference = compare(profile, profile, top=5)
    assert difference.functions == ()
    assert all(change.before_ns == change.after_ns for change in difference.phases)
