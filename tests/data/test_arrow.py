"""Arrow arrays as columns, without the functions of pyarrow that take long to import."""

import subprocess
import sys

import numpy as np
import pytest

arrow = pytest.importorskip("pyarrow")

from infer_bench.data.arrow import to_numpy  # noqa: E402

VALUES = [1, None, 3, None, None, 6, 7, 8, None, 10, 11, None]


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "uint8"])
@pytest.mark.parametrize(("begin", "count"), [(0, 12), (1, 11), (7, 3), (9, 2), (3, 2), (11, 1), (4, 0)])
def test_nulls_are_nan_wherever_a_slice_begins(kind: str, begin: int, count: int) -> None:
    whole = arrow.array(VALUES, type=getattr(arrow, kind)())
    values = [np.nan if value is None else float(value) for value in VALUES[begin : begin + count]]
    assert np.array_equal(to_numpy(whole.slice(begin, count), nullable=True), values, equal_nan=True)
    parts = arrow.chunked_array([whole.slice(begin, count), whole.slice(0, 5)])
    values += [1.0, np.nan, 3.0, np.nan, np.nan]
    assert np.array_equal(to_numpy(parts, nullable=True), values, equal_nan=True)


def test_numbers_with_nulls_import_neither_pandas_nor_what_computes() -> None:
    code = "import sys, pyarrow as arrow; from infer_bench.data.arrow import to_numpy; "
    code += "buffers = [arrow.py_buffer(b'\\x01'), arrow.py_buffer(bytes(16))]; "
    code += "arrays = [arrow.Array.from_buffers(kind, 2, buffers) for kind in (arrow.float64(), arrow.int64())]; "
    code += "[to_numpy(array, True) for array in arrays]; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"pandas", "pyarrow.compute"} & set(modules)
