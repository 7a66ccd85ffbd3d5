"""Numbers as text, read many at a time: what stands there, or an error."""

import pytest

from infer_bench.formats.numbers import parse_integers


@pytest.mark.parametrize(
    "text", ["0", "1,0,1,9", "1,10,1", "-1,2", " 1 , 2 ", "3, 4", "9223372036854775807", "1,\n0", "12,3"]
)
def test_whole_numbers(text: str) -> None:
    assert parse_integers(text.encode()).tolist() == [int(part) for part in text.split(",")]


@pytest.mark.parametrize("text", ["1,,2", ",1", "1,", "1;2", "a", "1,a", "1.5", "1 2", "99999999999999999999"])
def test_other_than_whole_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="other than whole numbers"):
        parse_integers(text.encode())
