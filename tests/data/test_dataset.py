"""Data files: one reading for each format, one line for each fault."""

import codecs
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infer_bench.data import Dataset
from infer_bench.errors import DataError, MissingDependency

FRAME = pd.DataFrame(
    {
        "float": [1.5, np.nan, -2.0] * 30,
        "single": np.full(90, 0.1, np.float32),
        "whole": [1, 2, 3] * 30,
        "flag": [True, False, True] * 30,
        "text": ["x", None, "é"] * 30,
        "category": pd.Categorical(["u", "v", "u"] * 30),
        "coded": pd.Categorical([5, 7, 5] * 30),
    }
)


def as_parquet(path: Path) -> None:
    FRAME.to_parquet(path, row_group_size=40)


def as_csv(path: Path) -> None:
    FRAME.to_csv(path, index=False)


def write(save: Callable[..., None], path: Path, *arrays: Any, **options: Any) -> None:
    """With one of NumPy's ways to save, under just this name: given a path, they add an ending."""
    with path.open("wb") as file:
        save(file, *arrays, **options)


@pytest.mark.parametrize("save", [as_parquet, as_csv])
def test_tables_come_back(save: Callable[[Path], None], tmp_path: Path) -> None:
    save(tmp_path / "rows")
    data = Dataset.open(tmp_path / "rows")
    assert (data.rows, data.columns, len(data.sha256)) == (90, tuple(FRAME.columns), 64)
    table = data.head(3)
    single = "f" if save is as_parquet else "d"
    assert [column.dtype.char for column in table.columns.values()] == ["d", single, "l", "?", "O", "O", "l"]
    assert table.record(2) | {"single": 0} == {
        "float": -2.0, "single": 0, "whole": 3, "flag": True, "text": "é", "category": "u", "coded": 5,
    }  # fmt: skip
    assert table.columns["text"][1] is None
    assert np.isnan(table.columns["float"][1])


@pytest.mark.parametrize("save", [as_parquet, as_csv, lambda path: write(np.save, path, FRAME[["whole"]])])
@pytest.mark.parametrize("size", [1, 7, 40, 64, 1000])
def test_batches_have_the_size_asked_for(save: Callable[[Path], None], size: int, tmp_path: Path) -> None:
    save(tmp_path / "rows")
    data = Dataset.open(tmp_path / "rows")
    rows = [batch.rows for batch in data.batches(size)]
    assert rows == [size] * (90 // size) + ([90 % size] if 90 % size else [])
    assert data.head(0).rows == 0


def parquet(**columns: Any) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(columns), path, row_group_size=2)


@pytest.mark.parametrize(
    ("values", "values_read"),
    [
        (pa.array([1, 2, None], pa.int64()), [1.0, 2.0, np.nan]),
        (pa.array([True, None, False]), [1.0, np.nan, 0.0]),
        (pa.array([1, 2, 3], pa.uint8()), [1, 2, 3]),
        (pa.array([2**63 + 2048, 1, 2], pa.uint64()), [float(2**63 + 2048), 1.0, 2.0]),
        (pa.array([Decimal("1.5"), None, Decimal("2")]), [1.5, np.nan, 2.0]),
        (pa.array([None, None, None]), [np.nan] * 3),
        (pa.array([0, 86_400, None], pa.timestamp("s")), ["1970-01-01 00:00:00.000", "1970-01-02 00:00:00.000", None]),
        (pa.array([0, 1, None], pa.date32()), ["1970-01-01", "1970-01-02", None]),
        (pa.array([3, None, 4]).dictionary_encode(), [3.0, np.nan, 4.0]),
        (pa.array(["a", None, "b"], pa.large_string()), ["a", None, "b"]),
        (pa.array([1.5, 2.5, None], pa.float16() if hasattr(pa, "float16") else pa.float32()), [1.5, 2.5, np.nan]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)  # fmt: skip
def test_types_of_parquet(values: Any, values_read: list[Any], tmp_path: Path) -> None:
    parquet(a=values)(tmp_path / "rows")
    batches = list(Dataset.open(tmp_path / "rows").batches(2))
    assert len({batch.columns["a"].dtype for batch in batches}) == 1
    column = [value for batch in batches for value in batch.columns["a"].tolist()]
    assert column == (values_read if isinstance(values_read[0], str) else pytest.approx(values_read, nan_ok=True))


def test_csv_variants(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(codecs.BOM_UTF8 + b'a,"b, c"\n1,"two\nlines"\n,x\n')
    assert Dataset.open(path).head(9).records()[0] == {"a": 1.0, "b, c": "two\nlines"}
    path.write_bytes(b"a;b\n1;2\n")
    assert Dataset.open(path).head(9).record(0) == {"a": 1, "b": 2}
    path.write_bytes(b"0,1\n0.5,2\n")
    assert Dataset.open(path).columns == ("0", "1")
    path.write_bytes(b"a\n" + b"1\n" * 9_000_000 + b"1.5\n")
    assert next(Dataset.open(path).batches(10)).columns["a"].dtype == np.float64


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    write(np.save, path, matrix)
    assert Dataset.open(path).columns == ("f0", "f1")
    head = Dataset.open(path, ("a", "b")).head(3)
    assert head.record(1) == {"a": 2.0, "b": 3.0}
    assert head.columns["a"].dtype == np.float32
    write(np.savez, path, X=matrix, y=np.zeros(3))
    assert Dataset.open(path).columns == ("f0", "f1")
    write(np.savez, path, X=matrix[:, :1], y=np.zeros(3))
    assert Dataset.open(path).columns == ("f0",)
    write(np.savez, path, age=matrix[:, :1], n=np.arange(3).reshape(3, 1), s=np.array(["x", "y", "z"]))
    assert Dataset.open(path).head(2).record(1) == {"age": 2.0, "n": 1, "s": "y"}
    write(np.savez_compressed, path, a=np.arange(3, dtype=np.uint8), s=np.array(["x", "y", "z"]))
    assert Dataset.open(path).head(1).record(0) == {"a": 0, "s": "x"}
    write(np.save, path, np.array([(1, 2.5)], dtype=[("k", "i4"), ("v", "f8")]))
    assert Dataset.open(path).head(1).record(0) == {"k": 1, "v": 2.5}


def test_whether_columns_have_names(tmp_path: Path) -> None:
    """Those that NumPy or pandas have numbered have places only."""
    path, rows = tmp_path / "rows", np.zeros((2, 2))
    saved: dict[str, tuple[Callable[[], object], bool]] = {
        "array": (lambda: write(np.save, path, rows), False),
        "X": (lambda: write(np.savez, path, X=rows), False),
        "two": (lambda: write(np.savez, path, rows[0], rows[1]), False),
        "named": (lambda: write(np.savez, path, f1=rows[0], f0=rows[1]), True),
        "structured": (lambda: write(np.save, path, np.zeros(2, "f8,f8")), False),
        "fields": (lambda: write(np.save, path, np.zeros(2, [("f1", "f8"), ("f0", "f8")])), True),
        "lists": (lambda: path.write_text("[[1, 2], [3, 4]]"), False),
        "records": (lambda: path.write_text('[{"f0": 1}]'), True),
        "numbers": (lambda: path.write_text("0,1\n2.5,3\n"), False),
        "other numbers": (lambda: path.write_text("f1,f0\n2.5,3\n"), True),
    }
    for name, (save, named) in saved.items():
        save()
        dataset = Dataset.open(path)
        tables = [dataset.head(1), *dataset.batches(1)]
        assert [dataset.named, *(table.named for table in tables)] == [named] * (1 + len(tables)), name
    write(np.save, path, rows)
    assert Dataset.open(path, ("a", "b")).named


def literal(body: bytes | str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(body.encode() if isinstance(body, str) else body)


def truncate(save: Callable[[Path], object], keep: float) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        save(path)
        body = path.read_bytes()
        path.write_bytes(body[: int(len(body) * keep)])

    return write


def objects(path: Path) -> None:
    write(np.save, path, np.array([[1, "a"]], dtype=object), allow_pickle=True)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (literal(b""), "is empty"),
    "header alone": (literal("a,b\n"), "has no rows"),
    "no rows": (parquet(a=pa.array([], pa.int64())), "has no rows"),
    "ragged": (literal("a,b\n1,2\n1,2,3\n"), "cannot read"),
    "no header": (literal("1.5,2\n3,4\n"), "no header row"),
    "twice": (literal("a,a\n1,2\n"), "more than once"),
    "half parquet": (truncate(as_parquet, 0.5), "cannot read"),
    "parquet magic": (literal(b"PAR1"), "cannot read"),
    "list": (parquet(good=[1], bad=[[1, 2]]), "column 'bad'"),
    "struct": (parquet(bad=[{"x": 1}]), "column 'bad'"),
    "bytes": (parquet(bad=[b"x"]), "column 'bad'"),
    "objects": (objects, "object array, which is a pickle"),
    "half npy": (truncate(lambda path: write(np.save, path, np.zeros((9, 9))), 0.5), "cannot read"),
    "npy header": (literal(b"\x93NUMPY\x01\x00\xff\xff{"), "cannot read"),
    "half npz": (truncate(lambda path: write(np.savez, path, X=np.zeros((9, 9))), 0.5), "cannot read"),
    "cube": (lambda path: write(np.save, path, np.zeros((2, 2, 2))), "3-dimensional"),
    "complex": (lambda path: write(np.save, path, np.zeros((2, 2), complex)), "complex128"),
    "lengths": (lambda path: write(np.savez, path, a=np.zeros(2), b=np.zeros(3)), "differ in length"),
    "short matrix": (lambda path: write(np.savez, path, a=np.zeros(3), m=np.zeros((2, 2))), "plainly the rows"),
    "two matrices": (lambda path: write(np.savez, path, m=np.eye(2), n=np.eye(2)), "plainly the rows"),
    "pickle": (literal(pickle.dumps([1])), "a pickle, which is code"),
    "html": (literal("<html></html>"), "HTML"),
    "gzip": (literal(b"\x1f\x8b\x08"), "gzip-compressed \\(unpack it first: `gunzip -k`\\)"),
    "image": (literal(b"\xff\xd8\xff\xe0"), "an image"),
    "latin header": (literal("é,b\n1,2\n".encode("latin-1")), "column names that are not UTF-8 text"),
    "utf-16": (literal("a,b\n1,2\n".encode("utf-16")), "UTF-16"),
    "latin": (literal("a,b\né,2\n".encode("latin-1")), "column 'a' of rows is not UTF-8"),
    "binary": (literal(bytes(100)), "binary file"),
    "pointer": (literal("version https://git-lfs.github.com/spec/v1\n"), "git-lfs pointer"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_line(name: str, tmp_path: Path) -> None:
    save, reason = FAULTS[name]
    save(tmp_path / "rows")
    with pytest.raises(DataError, match=reason) as caught:
        Dataset.open(tmp_path / "rows").head(5)
    assert "\n" not in str(caught.value)


def test_places_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such data file"):
        Dataset.open(tmp_path / "none")
    with pytest.raises(DataError, match="is a folder"):
        Dataset.open(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file"):
        Dataset.open(tmp_path / "pipe")


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    objects(tmp_path / "rows")
    write(np.savez, tmp_path / "zip", X=np.array([[None]], dtype=object))
    monkeypatch.setattr(pickle, "load", refuse)
    for name in ("rows", "zip"):
        with pytest.raises(DataError, match="pickle"):
            Dataset.open(tmp_path / name)


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_csv(tmp_path / "rows")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependency, match=r"infer-bench\[data\]"):
        Dataset.open(tmp_path / "rows")


def test_chosen_columns(tmp_path: Path) -> None:
    parquet(good=[1, 2], bad=[[1], [2]])(tmp_path / "rows")
    data = Dataset.open(tmp_path / "rows")
    assert data.head(1, ["good"]).record(0) == {"good": 1}
    with pytest.raises(DataError, match="no column 'other'"):
        data.head(1, ["other"])


def test_columns_of_categories_are_the_text_of_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("zip,known,other,flag,holes,x\n01,1.0,7,True,1,01\n02,2.0,8,False,,02\n")
    (tmp_path / "b.csv").write_text("zip,known,other,flag,holes,x\n3,1.0,7,True,1,3\n4,2.0,8,False,,4\n")
    texts = {"zip": (), "known": ("1.0",), "other": ("a",), "flag": (), "holes": ()}
    dataset = Dataset.open(tmp_path / "*.csv").with_texts({name: frozenset(known) for name, known in texts.items()})
    columns = next(dataset.batches(2)).columns
    assert columns["zip"].tolist() == ["01", "02"]
    assert columns["known"].tolist() == ["1.0", "2.0"]
    assert [columns[name].dtype.kind for name in ("other", "flag", "holes", "x")] == ["i", "b", "f", "i"]
    assert [table.columns["zip"].tolist() for table in dataset.batches(2)] == [["01", "02"], ["3", "4"]]


def test_columns_with_gaps_are_read_without_pandas(tmp_path: Path) -> None:
    columns = {"f": [0.5, None, 2.0], "i": [1, None, 3], "b": [True, None, False]}
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    code = (
        "import sys; from pathlib import Path; from infer_bench.data.dataset import Dataset\n"
        f"table = Dataset.open(Path({str(tmp_path / 'rows.parquet')!r})).head(3, None)\n"
        "print({name: column.tolist() for name, column in table.columns.items()}, 'pandas' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "{'f': [0.5, nan, 2.0], 'i': [1.0, nan, 3.0], 'b': [1.0, nan, 0.0]} False"
