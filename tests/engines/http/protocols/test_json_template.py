"""Bodies of any JSON form, and the predictions in their answers."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from infer_bench.engines.http.protocols.json_path import parse_path
from infer_bench.engines.http.protocols.json_template import JsonCodec, make_codec, read_rows
from infer_bench.errors import UsageError

RECORDS = [{"age": 3, "in come": 1.5}, {"age": 4, "in come": math.nan}]


def fill(template: Any, rows: int = 1) -> Any:
    return json.loads(JsonCodec(template, None).encode(RECORDS[:rows]).content)


@pytest.mark.parametrize(
    ("template", "rows", "body"),
    [
        ("$", 1, {"age": 3, "in come": 1.5}),
        ({"x": "$.age", "y": ["$['in come']", "$$x", "plain", 7]}, 1, {"x": 3, "y": [1.5, "$x", "plain", 7]}),
        ({"row": "$.*"}, 1, {"row": [3, 1.5]}),
        ({"instances": "$[*]"}, 2, {"instances": [RECORDS[0], {"age": 4, "in come": None}]}),
        ("$[*].*", 2, [[3, 1.5], [4, None]]),
        ("$[*].age", 2, [3, 4]),
    ],
)
def test_a_template_is_filled(template: Any, rows: int, body: Any) -> None:
    assert fill(template, rows) == body


def test_a_template_is_checked_against_the_rows() -> None:
    columns = tuple(RECORDS[0])
    JsonCodec({"x": "$.age"}, None).check(columns, 1)
    with pytest.raises(UsageError, match=r"\$\.aeg"):
        JsonCodec({"x": "$.aeg"}, None).check(columns, 1)
    with pytest.raises(UsageError, match="one row of 2"):
        JsonCodec({"x": "$.age"}, None).check(columns, 2)


@pytest.mark.parametrize("text", ['{"x": "$age"}', '{"x": "$.a.b"}', "{", "", '"$[0]"'])
def test_a_template_that_makes_no_sense_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text(text)
    with pytest.raises(UsageError):
        make_codec(str(tmp_path / "template.json"), None)


def test_a_template_without_a_place_needs_no_rows() -> None:
    assert not JsonCodec({"ping": "$$1"}, None).needs_rows
    assert JsonCodec({"ping": "$"}, None).needs_rows


@pytest.mark.parametrize(
    ("path", "document", "value"),
    [
        ("$", 3, 3),
        ("$.score", {"score": 0.5}, 0.5),
        ("$['a b'][1]", {"a b": [1, 2]}, 2),
        ("$[*].p", [{"p": 1}, {"p": 2}], [1, 2]),
        ("$.a[*][0]", {"a": [[1, 9], [2, 9]]}, [1, 2]),
        ("$[-1]", [1, 2], 2),
    ],
)
def test_a_path_is_read(path: str, document: Any, value: Any) -> None:
    assert parse_path(path).read(document) == value


@pytest.mark.parametrize(
    ("path", "document"), [("$.a", {}), ("$.a", [1]), ("$[3]", [1]), ("$[*]", 3), ("$[0]", "text")]
)
def test_what_is_not_there_is_a_wrong_answer(path: str, document: Any) -> None:
    with pytest.raises(ValueError, match=r"there is no"):
        parse_path(path).read(document)


@pytest.mark.parametrize("text", ["score", "", "$.", "$.a.", "$[x]", "$..a", "$.a b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_path(text)


def test_numbers_are_divided_among_the_rows() -> None:
    assert read_rows(0.5, 1) == [[0.5]]
    assert read_rows([0.1, 0.9], 2) == [[0.1], [0.9]]
    assert read_rows([[0.1, 0.9], [0.2, 0.8]], 2) == [[0.1, 0.9], [0.2, 0.8]]
    for value, rows in (("yes", 1), ([], 1), ([1, 2, 3], 2), (True, 1), ({}, 1)):
        with pytest.raises(ValueError, match=r"numbers for|no number"):
            read_rows(value, rows)
