"""What a page shows, as plain data: every text still to be escaped, which the template does."""

import shlex
from dataclasses import dataclass, field
from typing import Any, Literal

from infer_bench.report.common import Environment, Report

Tone = Literal["plain", "good", "bad", "unsure"]
_TONES: dict[str, Tone] = {
    "pass": "good",
    "regressed": "bad",
    "different": "bad",
    "failed": "bad",
    "inconclusive": "unsure",
    "not-comparable": "unsure",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a table; `bar` is a share from 0 to 1 that is drawn behind it, `span` the columns that it takes."""

    text: str
    tone: Tone = "plain"
    bar: float | None = None
    span: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under heads; the first `text_columns` are text, the others numbers, or with `last_text` all but
    the last."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    text_columns: int = 1
    last_text: bool = False

    def is_number(self, column: int) -> bool:
        """Whether a column's values stand to the right."""
        return column >= self.text_columns and not (self.last_text and column == len(self.head) - 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart as an SVG element, with its title and what it says in words."""

    title: str
    description: str
    svg: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: a heading, what it holds for, tables, and sentences that follow from them."""

    heading: str
    about: str = ""
    tables: tuple[Table, ...] = ()
    sentences: tuple[tuple[str, Tone], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page. `finding` is the verdict or the one sentence that the reader came for.

    `subject`, what the report is about where `title` does not say it, stands in the window's title alone.
    """

    title: str
    finding: str
    tone: Tone
    sections: tuple[Section, ...]
    figures: tuple[Figure, ...] = ()
    missing_charts: str = ""
    notices: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    subject: str = ""


def tone_of(status: str) -> Tone:
    """How a verdict's status is shown."""
    return _TONES.get(status, "plain")


def describe_run(report: Report[Any]) -> tuple[tuple[str, str], ...]:
    """How, where and when the report was made: command, machine, interpreter, libraries, settings."""
    machine = report.environment
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items() if _is_short(value))
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    facts = (
        ("command", shlex.join(("infer-bench", *report.command_line)) if report.command_line else ""),
        ("made", f"{report.created_at}, infer-bench {report.tool_version}"),
        ("machine", _describe_machine(machine)),
        ("interpreter", f"Python {machine.python}"),
        ("libraries", packages),
        ("settings", settings),
    )
    return tuple((name, text) for name, text in facts if text)


def _describe_machine(machine: Environment) -> str:
    cpus = f"{machine.cpus_effective:g} of {machine.cpus_logical} CPUs"
    parts = (machine.cpu_model, machine.machine, cpus, machine.os, "in a container" if machine.container else "")
    return ", ".join(part for part in parts if part)


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float, bool)) and 0 < len(str(value)) <= 80
