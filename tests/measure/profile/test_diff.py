"""Two profiles compared: by request, sorted by what a change contributes."""

from infer_bench.measure.profile.diff import compare
from infer_bench.measure.profile.function_table import Entry, Function, FunctionTable
from infer_bench.report.profile import Change, ProfileResult, TypicalRequest


def row(name: str, *times: int) -> ProfileResult:
    return ProfileResult(name, "fake", {}, None, 1, typical=TypicalRequest(*times) if times else None)


def functions(requests: int, **seconds: float) -> FunctionTable:
    entries: dict[Function, Entry] = {
        (f"{name}.py", len(name) * requests, "f"): (1, 1, own, own, {}) for name, own in seconds.items()
    }
    return FunctionTable(entries, requests)


def test_functions_are_compared_a_request_and_sorted_by_their_contribution() -> None:
    before = row("old", 100, 70, 20, 10), functions(10, slow=10.0, gone=3.0, small=1.0)
    after = row("new", 60, 30, 22, 8), functions(100, slow=20.0, small=11.0, new=50.0)
    diff = compare(before, after, top=3)
    assert diff.request == Change("request", 100, 60)
    assert [change.name for change in diff.phases] == ["preprocess", "postprocess", "predict"]
    assert diff.functions == (
        Change("slow.py(f)", 1_000_000_000, 200_000_000),
        Change("new.py(f)", 0, 500_000_000),
        Change("gone.py(f)", 300_000_000, 0),
    )
    assert diff.before_ns == 1_400_000_000


def test_whole_runs_are_compared_where_requests_were_not_counted() -> None:
    diff = compare((row("old"), functions(0, f=1.0)), (row("new"), functions(10, f=3.0)), top=5)
    assert diff.per == "run"
    assert diff.request is None
    assert diff.functions == (Change("f.py(f)", 1_000_000_000, 3_000_000_000),)


def test_the_same_profile_has_no_difference() -> None:
    profile = row("one", 100, 70, 20, 10), functions(10, f=1.0)
    diff = compare(profile, profile, top=5)
    assert diff.functions == ()
    assert all(change.before_ns == change.after_ns for change in diff.phases)
