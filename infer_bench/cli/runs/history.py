"""Several saved benches side by side, in the order in which they were made."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infer_bench.cli.terminal import read_terminal
from infer_bench.errors import CannotRun, UsageError
from infer_bench.gates.fingerprint import Fingerprint, find_differences, fingerprint
from infer_bench.output import OutputFile, write_stdout
from infer_bench.report.serialize import load_report

if TYPE_CHECKING:
    from infer_bench.reporters.history.history import History

FORMATS = ("table", "csv", "html", "markdown")


def list_reports(names: Sequence[str]) -> list[str]:
    """The files, in place of a folder those in it that end in `.json`. Raises `CannotRun` for one without any."""
    files: list[str] = []
    for name in names:
        if not Path(name).is_dir():
            files.append(name)
            continue
        inside = sorted(str(path) for path in Path(name).glob("*.json"))
        if not inside:
            raise CannotRun(f"there is no report in {name}", "--json writes one")
        files += inside
    return list(dict.fromkeys(files))


def show_history(files: Sequence[str], format: str, output: str | None) -> int:
    """Line the runs up; returns 0. Raises `CannotRun` for a file that holds no bench, `UsageError`."""
    kind = format or "table"
    if kind not in FORMATS:
        raise UsageError(f"several reports are not rendered as {kind}", f"one of: {', '.join(FORMATS)}")
    history = read_history(files)
    text = _renderer(kind, output)(history)
    if output in (None, "-"):
        write_stdout(text)
        return 0
    with OutputFile(output or "") as file:
        file.write_atomic(text.encode())
    return 0


def read_history(files: Sequence[str]) -> "History":
    """The runs in the files, the oldest first, each held against the first by the rules of stored baselines."""
    from infer_bench.reporters.history.history import History, Run

    reports = [(file, load_report(file)) for file in files]
    strange = [f"{file} is a report of {report.command}" for file, report in reports if report.command != "bench"]
    if strange:
        raise CannotRun(strange[0], "runs of bench are lined up: give those alone")
    reports.sort(key=lambda pair: pair[1].created_at)
    first = fingerprint(reports[0][1])
    return History(tuple(Run(file, report, tuple(_obstacles(fingerprint(report), first))) for file, report in reports))


def _obstacles(ours: Fingerprint, first: Fingerprint) -> Iterator[str]:
    """What differs, but for the models themselves: that they change is what a history is of."""
    hard, _ = find_differences(ours, first)
    for difference in hard:
        if difference.name != "models":
            yield f"{difference.field} {difference.ours}, {difference.baseline} there"


def _renderer(kind: str, output: str | None) -> "Callable[[History], str]":
    """What renders a history in that format."""
    if kind == "html":
        from infer_bench.reporters.html.render import render_history, require_jinja2

        require_jinja2()
        return render_history
    if kind == "csv":
        from infer_bench.reporters.history.csv import render_csv

        return render_csv
    if kind == "markdown":
        from infer_bench.reporters.history.markdown import render_markdown

        return render_markdown
    from infer_bench.reporters.history.table import render_table

    width, color = read_terminal() if output in (None, "-") else (None, False)
    return lambda history: render_table(history, width=width, color=color)
