"""The hash of rows: alike for alike rows, unlike for any other."""

import numpy as np
import pytest

from infer_bench.data import digest
from infer_bench.typing import Columns

ROWS: Columns = {
    "age": np.array([1.0, np.nan, -0.0]),
    "kind": np.array(["a", None, "b"], dtype=object),
    "n": np.array([1, 2, 3]),
}


def with_columns(**columns: object) -> Columns:
    return {**ROWS, **{name: np.asarray(values) for name, values in columns.items()}}


OTHERS: dict[str, Columns] = {
    "a value": with_columns(n=[1, 2, 4]),
    "the last bit": with_columns(age=[np.nextafter(1.0, 2.0), np.nan, -0.0]),
    "the sign of zero": with_columns(age=[1.0, np.nan, 0.0]),
    "a dtype": with_columns(n=np.array([1, 2, 3], dtype=np.int32)),
    "a name": {("years" if name == "age" else name): column for name, column in ROWS.items()},
    "the order of columns": dict(list(ROWS.items())[::-1]),
    "the order of rows": {name: column[::-1] for name, column in ROWS.items()},
    "a row less": {name: column[:2] for name, column in ROWS.items()},
    "missing text and the word None": with_columns(kind=np.array(["a", "None", "b"], dtype=object)),
    "where texts are divided": with_columns(kind=np.array(["a", None, "bb"], dtype=object)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_any_change_gives_another_hash(name: str) -> None:
    assert digest([OTHERS[name]]) != digest([ROWS])


def test_arrays_of_requests_of_several_shapes_are_hashed_whole() -> None:
    def ragged(last: float) -> Columns:
        column = np.empty(2, dtype=object)
        column[0], column[1] = np.zeros((1, 3)), np.append(np.zeros(5000), last)
        return {"x": column}

    assert digest([ragged(0.0)]) == digest([ragged(0.0)])
    assert digest([ragged(0.0)]) != digest([ragged(1.0)])


def test_no_two_of_them_share_one() -> None:
    assert len({digest([rows]) for rows in OTHERS.values()}) == len(OTHERS)


def test_layout_byte_order_and_the_kind_of_nan_do_not_count() -> None:
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    spread = np.empty(6)[::2]
    spread[:] = [1.0, odd_nan, -0.0]
    same = {**ROWS, "age": spread, "n": ROWS["n"].astype(">i8")}
    assert digest([same]) == digest([ROWS])


def test_the_order_of_tables_does_not_count_and_their_number_does() -> None:
    other = OTHERS["a value"]
    assert digest([ROWS, other]) == digest([other, ROWS])
    assert digest([ROWS]) != digest([ROWS, ROWS])


def test_text_that_is_no_unicode_is_hashed() -> None:
    assert digest([{"\ud800": np.array(["\udcff"], dtype=object)}])
