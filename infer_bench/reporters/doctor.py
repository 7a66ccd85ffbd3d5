"""What the doctor found: as a list that fits the terminal, and as JSON."""

from collections import Counter
from dataclasses import fields

from infer_bench.report import json_text
from infer_bench.report.doctor import Doctor, Finding, Mark
from infer_bench.reporters.text.layout import clean, measure_width, pad, style, wrap

_COLOURS: dict[Mark, str] = {"ok": "green", "note": "yellow", "problem": "red"}
_MARK_WIDTH = 9
_NARROW = 60


def draw_doctor(doctor: Doctor, *, width: int | None = None, color: bool = False) -> str:
    """The list and a line that counts; `width` is the number of columns to fit into (None: as wide as needed)."""
    topics = max((measure_width(finding.topic) for finding in doctor.findings), default=0) + 2
    lines = [line for finding in doctor.findings for line in _draw_finding(finding, topics, width, color)]
    return "\n".join([*lines, "", *wrap(_summarize(doctor), width)]) + "\n"


def dump_doctor(doctor: Doctor) -> bytes:
    """The whole document as UTF-8 JSON, version and command first."""
    values = {field.name: getattr(doctor, field.name) for field in fields(doctor)}
    heads = {name: values.pop(name) for name in ("schema_version", "command")}
    return json_text.encode(heads | values)


def _draw_finding(finding: Finding, topics: int, width: int | None, color: bool) -> list[str]:
    topic = clean(finding.topic)
    if width is not None and width < _NARROW:
        first, rest = f"{finding.mark}: {topic}: ", "  "
    else:
        first = pad(finding.mark, _MARK_WIDTH) + pad(topic, topics)
        rest = " " * measure_width(first)
    text = wrap(clean(finding.text), width, first=first, rest=rest)
    # Coloured after the wrapping, which counts columns.
    text[0] = style(finding.mark, _COLOURS[finding.mark], color) + text[0][len(finding.mark) :]
    return [*text, *(wrap(f"hint: {clean(finding.hint)}", width, first=rest, rest=rest + "  ") if finding.hint else [])]


def _summarize(doctor: Doctor) -> str:
    marks = Counter(finding.mark for finding in doctor.findings)
    parts = [_count_marks(marks[mark], mark) for mark in ("problem", "note") if marks[mark]]
    return ", ".join(parts) if parts else "nothing stands in the way"


def _count_marks(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
