"""A `.prof` file is a true pstats dump with the report behind it; one from elsewhere is read, a broken one refused."""

import cProfile
import marshal
import pstats
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.errors import CannotRun
from infer_bench.machine.environment import describe
from infer_bench.measure.profile.function_table import FunctionTable
from infer_bench.measure.profile.prof_file import MARK, is_profile, pack, unpack
from infer_bench.measure.profile.pstats_reader import Reader
from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileReport, ProfileResult
from infer_bench.report.serialize import dump
from infer_bench.workers.profiling.requests import Caller, FunctionProfile

CALLER = Caller("app.py", 3, "predict", 40, 40, 0.009, 0.009)
FUNCTIONS = (
    FunctionProfile("app.py", 3, "predict", 0.001, 0.010, 2, 2),
    FunctionProfile("~", 0, "<built-in method builtins.sum>", 0.009, 0.009, 40, 40, (CALLER,)),
)

MACHINE = describe(())
"""Described once: a second description has another load."""


def report(requests: int = 2) -> ProfileReport:
    row = ProfileResult("fake", "fake", {}, None, 1, profiled_requests=requests)
    return Report("profile", "0", "2026-01-01T00:00:00+00:00", {}, MACHINE, (row,))


def test_pstats_opens_what_is_written_and_the_report_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.prof"
    path.write_bytes(pack(FunctionTable.of(FUNCTIONS, 2, has_calls=True), report()))
    stats: Any = pstats.Stats(str(path))
    assert stats.total_calls == 42
    assert stats.total_tt == pytest.approx(0.010)
    assert stats.stats["~", 0, "<built-in method builtins.sum>"][4] == {
        ("app.py", 3, "predict"): (40, 40, 0.009, 0.009)
    }
    stats.add(str(path)).sort_stats("cumulative")
    table, inside = unpack(str(path))
    assert inside == report()
    assert table.requests == 2
    assert table.entries == marshal.loads(path.read_bytes())
    assert [cost.name for cost in table.functions("cumulative")] == ["predict", FUNCTIONS[1].name]
    assert [cost.own_ns for cost in table.functions("own", 1)] == [9_000_000]


def test_a_profile_of_python_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "b.prof"
    profile = cProfile.Profile()
    profile.runcall(lambda: [sum(range(n)) for n in range(50)])
    profile.dump_stats(str(path))
    table, inside = unpack(str(path))
    assert is_profile(str(path))
    assert inside is None
    assert table.entries == marshal.loads(path.read_bytes())


@pytest.mark.parametrize("file", ["workers/recorders.py", "workers/profiling/profilers.py"])
def test_a_file_of_before_is_read_and_the_request_itself_is_in_no_list(tmp_path: Path, file: str) -> None:
    """Whole requests stand under the file of their function, which has moved since the first files were written."""
    path = tmp_path / "before.prof"
    own = (f"/usr/lib/python3/site-packages/infer_bench/{file}", 40, "request")
    entries: Any = {own: (2, 2, 0.0, 0.02, {}), ("app.py", 3, "request"): (2, 2, 0.02, 0.02, {own: (2, 2, 0.02, 0.02)})}
    path.write_bytes(marshal.dumps(entries) + MARK + dump(report()))
    table, inside = unpack(str(path))
    assert (table.entries, table.own_ns, inside) == (entries, 20_000_000, report())
    assert [(cost.file, cost.name) for cost in table.functions()] == [("app.py", "request")]


numbers = st.integers() | st.floats(allow_nan=False)
keys = st.tuples(st.text(), st.integers(0, 2**31 - 1), st.text())
entries = st.tuples(
    st.integers(), st.integers(), numbers, numbers, st.dictionaries(keys, st.tuples(numbers), max_size=2)
)


@given(st.dictionaries(keys, entries, max_size=4), st.integers(0, 4))
def test_every_table_is_read_as_marshal_reads_it(table: dict[Any, Any], version: int) -> None:
    raw = marshal.dumps(table, version)
    assert Reader(raw).value() == marshal.loads(raw)


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused_and_crash_nothing(raw: bytes) -> None:
    try:
        Reader(b"{" + raw).value()
    except (ValueError, TypeError):
        return


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not a profile",
        marshal.dumps([1, 2]),
        marshal.dumps({("a", 1, "b"): (1, 2)}),
        marshal.dumps({("a", 1, "b"): (1, 2, "x", 3, {})}),
        marshal.dumps({("a", 1, "b"): (1, 2, 0.1, 0.2, {})})[:-9],
        marshal.dumps(compile("1", "x", "eval")),
        b"{" + b"(\x01\x00\x00\x00" * 500,
        b"{" + b"(\xff\xff\xff\x7f",
    ],
)
def test_a_broken_or_foreign_file_is_one_line(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "c.prof"
    path.write_bytes(raw)
    with pytest.raises(CannotRun, match="no profile"):
        unpack(str(path))


def test_what_is_no_profile_is_not_taken_for_one(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text('{"learner": 1}')
    assert not is_profile(str(model))
    assert not is_profile(str(tmp_path))
    assert not is_profile("some.module:function")
    path = tmp_path / "without_an_ending"
    path.write_bytes(pack(FunctionTable(), report()))
    assert is_profile(str(path))
