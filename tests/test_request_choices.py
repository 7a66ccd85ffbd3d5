"""What a user says of requests that are to be drawn."""

import pytest

from infer_bench.errors import UsageError
from infer_bench.request_choices import Fill, RequestChoices, parse_choices, parse_fill, parse_shape, parse_size


@pytest.mark.parametrize(
    ("text", "name", "shape"),
    [
        ("images:1x3x224x224", "images", (1, 3, 224, 224)),
        ("images:[1,3,224,224]", "images", (1, 3, 224, 224)),
        ("model/input:0:8", "model/input:0", (8,)),
        ("sr:", "sr", ()),
        ("sr:[]", "sr", ()),
        ("past.0.key:1x8x0x64", "past.0.key", (1, 8, 0, 64)),
    ],
)
def test_a_shape_stands_behind_the_last_colon(text: str, name: str, shape: tuple[int, ...]) -> None:
    assert parse_shape(text) == (name, shape)


@pytest.mark.parametrize("text", ["1x3", ":1x3", "x:1xa", "x:-1x3", "x:1x", "x:1.5"])
def test_a_shape_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no shape"):
        parse_shape(text)


@pytest.mark.parametrize(
    ("text", "fill"),
    [
        ("x=zeros", Fill(0, 0)),
        ("x=ones", Fill(1, 1)),
        ("x=0..999", Fill(0, 999)),
        ("x=-1..1", Fill(-1, 1)),
        ("x=-.5..1e3", Fill(-0.5, 1000)),
        ("x=16000", Fill(16000, 16000, "16000")),
        ("x=hello", Fill(text="hello")),
    ],
)
def test_a_fill_is_a_number_a_range_or_a_text(text: str, fill: Fill) -> None:
    assert parse_fill(text) == ("x", fill)


def test_a_fill_of_no_input_and_a_range_from_high_to_low_are_refused() -> None:
    for text in ("zeros", "=zeros", "x=9..1"):
        with pytest.raises(UsageError):
            parse_fill(text)


def test_several_shapes_of_an_input_are_kept_in_order() -> None:
    choices = parse_choices(["x:1x4", "x:1x8"], ["batch=2"], [])
    assert choices == RequestChoices({"x": ((1, 4), (1, 8))}, {"batch": 2})
    assert choices
    assert not RequestChoices()
    with pytest.raises(UsageError, match="no size"):
        parse_size("batch=many")
