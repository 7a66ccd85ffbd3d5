"""The doctor's list in wide and narrow terminals, and as JSON."""

import json
import re
from dataclasses import replace

import msgspec
import pytest

from infer_bench.measure.doctor.findings import list_findings
from infer_bench.report.doctor import Doctor, Finding
from infer_bench.reporters.doctor import draw_doctor, dump_doctor
from infer_bench.reporters.text.layout import measure_width
from tests.measure.doctor.test_findings import CALM, CASES

ALL = replace(CALM, findings=tuple(f for name in CASES for f in list_findings(CASES[name][0])))


@pytest.mark.parametrize("width", [40, 60, 80, 130])
@pytest.mark.parametrize("color", [False, True])
def test_it_fits_and_loses_nothing(width: int, color: bool) -> None:
    text = re.sub(r"\x1b\[[\d;]*m", "", draw_doctor(ALL, width=width, color=color))
    assert max(map(measure_width, text.splitlines())) <= width
    words = "".join(text.split())
    assert all("".join(sentence.split()) in words for f in ALL.findings for sentence in (f.text, f.hint))


def test_in_a_pipe_each_finding_and_each_hint_has_a_line() -> None:
    lines = draw_doctor(ALL).splitlines()
    assert len(lines) == sum(2 if finding.hint else 1 for finding in ALL.findings) + 2
    assert "\x1b" not in "".join(lines)


def test_the_last_line_counts() -> None:
    one = (Finding("a", "a", "x", "problem"), Finding("b", "b", "x", "note"), Finding("c", "c", "x", "note"))
    assert draw_doctor(replace(CALM, findings=one)).endswith("\n\n1 problem, 2 notes\n")
    assert draw_doctor(CALM).endswith("nothing stands in the way\n")


def test_what_a_library_said_cannot_steer_the_terminal() -> None:
    text = draw_doctor(replace(CALM, findings=(Finding("a", "a", "evil\x1b[2J\nline", "problem"),)))
    assert "\x1b" not in text
    assert len(text.splitlines()) == 3


def test_the_json_begins_with_its_version_and_can_be_read_back() -> None:
    document = dump_doctor(ALL)
    assert list(json.loads(document))[:2] == ["schema_version", "command"]
    assert msgspec.json.decode(document, type=Doctor) == ALL
