"""A report survives the way to JSON and back; what is no report is refused in one line."""

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from infer_bench.errors import CannotRun
from infer_bench.report import json_text
from infer_bench.report.bench import Speedup
from infer_bench.report.serialize import dump, load_report, schema
from tests import reports, strategies

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
LENIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    definition = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(definition)
    return jsonschema.Draft202012Validator(definition)


@LENIENT
@given(report=strategies.reports)
def test_load_gives_back_what_was_dumped(report: Any) -> None:
    document = dump(report)

    assert load_report(document) == report
    assert dump(load_report(document)) == document


@LENIENT
@given(report=strategies.reports)
def test_every_document_fits_the_schema(report: Any, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(dump(report)))


@pytest.mark.parametrize("report", [reports.report(), reports.troubled(), reports.wide()])
def test_realistic_reports_survive(report: Any, tmp_path: Path, validator: jsonschema.Draft202012Validator) -> None:
    (tmp_path / "report.json").write_bytes(dump(report))

    assert load_report(tmp_path / "report.json") == report
    validator.validate(json.loads(dump(report)))


def test_the_schema_refuses_what_load_refuses(validator: jsonschema.Draft202012Validator) -> None:
    document = json.loads(dump(reports.report()))
    document["results"][0]["batch"] = "one"

    assert not validator.is_valid(document)


def test_the_committed_schema_is_the_one_of_the_types() -> None:
    assert SCHEMA.read_bytes() == schema(), "run: python -m infer_bench.report.serialize > docs/report.schema.json"


def test_the_heads_come_first_and_samples_stay_on_one_line() -> None:
    lines = dump(reports.report()).decode().splitlines()

    assert [line.strip() for line in lines[1:3]] == ['"schema_version": 1,', '"command": "bench",']
    assert sum('"request_ns": [50000,50010,50020,50030],' in line for line in lines) == 3 * 3 * 20


def strict(document: bytes) -> Any:
    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    return json.loads(document, parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "json_value"),
    [
        (math.nan, None),
        (math.inf, 1.7976931348623157e308),
        (-math.inf, -1.7976931348623157e308),
        (np.float64(0.25), 0.25),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1.0, np.inf], [np.nan, 2.0]]), [[1.0, 1.7976931348623157e308], [None, 2.0]]),
        (2**100, 2**100),
        (os.fsdecode(b"caf\xe9.txt"), "caf\\udce9.txt"),
        (Path("models") / "a.txt", str(Path("models") / "a.txt")),
        ({"b", "a"}, ["a", "b"]),
        ([1, math.nan, True, None], [1, None, True, None]),
        ({1: {}}, {"1": {}}),
    ],
)
def test_values_that_json_does_not_know(value: object, json_value: object) -> None:
    document = json_text.encode({"value": value})

    assert strict(document) == {"value": json_value}


@pytest.mark.parametrize("ratio", [math.nan, math.inf])
def test_a_ratio_that_is_no_number_leaves_a_report_that_can_be_read(ratio: float) -> None:
    frame, array, _ = reports.credit()
    report = reports.report(frame, replace(array, speedup=Speedup(frame.candidate, ratio, None, None)))

    assert load_report(dump(report)).results[1].speedup is None


def test_unknown_keys_are_ignored() -> None:
    document = json.loads(dump(reports.report()))
    document["flavour"] = document["results"][0]["colour"] = {"deep": [1]}

    assert load_report(json.dumps(document).encode()) == reports.report()


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert load_report(b"\xef\xbb\xbf" + dump(reports.report())) == reports.report()


GOOD = dump(reports.report())


def with_values(**values: Any) -> bytes:
    return json.dumps({**json.loads(GOOD), **values}).encode()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (GOOD[: len(GOOD) // 2], "cut off"),
        (GOOD[:-2], "cut off"),
        (b"[1,2", "cut off"),
        (b"7 8", "not JSON"),
        (b"PK\x03\x04\x00\xff", "not JSON"),
        (GOOD + b"{}", "not JSON"),
        (GOOD.replace(b"262.1", b"NaN"), "not JSON"),
        (GOOD.replace(b"Linux", b"\xff\xfe"), "not JSON"),
        (b'{"command":' * 100_000, "not"),
        (b"[]", r"\$: Expected"),
        (b"{}", "schema_version"),
        (b'{"schema_version": 1}', "command"),
        (with_values(schema_version=2), "schema version 2"),
        (with_values(schema_version=2, results="something else"), "schema version 2"),
        (with_values(schema_version=0), "schema_version is 0"),
        (with_values(schema_version="1"), r"\$\.schema_version: Expected"),
        (with_values(command="brew"), "'brew'"),
        (with_values(results=[{}]), r"\$\.results\[0\]"),
        (with_values(settings=None), r"\$\.settings"),
        (GOOD.replace(b'"batch": 1', b'"batch": "1"'), r"\$\.results\[0\]\.batch: Expected `int`"),
        (GOOD.replace(b"262.1", b"1e999"), "out of range"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(document: bytes, message: str) -> None:
    with pytest.raises(CannotRun, match=message) as caught:
        load_report(document)

    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("length", range(1, len(GOOD) - 1, len(GOOD) // 40))
def test_a_document_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(CannotRun, match="cut off"):
        load_report(GOOD[:length])


@pytest.mark.parametrize("name", ["missing.json", ".", "no/such/folder.json", "nul\0byte", "/dev/null", "x" * 300])
def test_a_path_that_holds_no_report(name: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun):
        load_report(tmp_path / name)


def test_every_field_is_explained() -> None:
    explained = set(re.findall(r"`([\w.]+)`", (SCHEMA.parent / "report.md").read_text(encoding="utf-8")))
    definitions = json.loads(schema())["$defs"].values()
    fields = {name for definition in definitions for name in definition["properties"]} | set(reports.SETTINGS)

    assert fields - explained == set()
