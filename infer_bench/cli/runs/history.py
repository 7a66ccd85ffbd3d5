"""Several saved benches side by side, in the order in which they were made."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infer_bench.cli.terminal import read_terminal
from infer_bench.errors import CannotRun, UsageError
from infer_bench.gates.fingerprint import NO_MORE, Difference, Fingerprint, find_differences, fingerprint
from infer_bench.output import OutputFile, write_stdout
from infer_bench.report.serialize import load_report
from infer_bench.reporters.text import numbers

if TYPE_CHECKING:
    from infer_bench.reporters.history.history import History

MOST_NAMED = 5
"""Files of a folder that are left out."""
FORMATS = ("table", "csv", "html", "markdown")


def list_reports(names: Sequence[str]) -> list[str]:
    """The files, in place of a folder the benches in it. Raises `CannotRun` for a folder without any."""
    files: list[str] = []
    for name in names:
        files += _list_benches(Path(name)) if Path(name).is_dir() else [name]
    return list(dict.fromkeys(files))


def _list_benches(folder: Path) -> list[str]:
    """What ends in `.json` and is a report of a bench; what else does is named on stderr."""
    files, others = list[str](), list[str]()
    for path in sorted(folder.glob("*.json")):
        (files if _is_bench(path) else others).append(str(path))
    if not files:
        has_others = f", among {numbers.plural(len(others), 'file')} that end in .json" if others else ""
        raise CannotRun(f"there is no report of a bench in {folder}{has_others}", "bench --json writes one")
    if others:
        names = ", ".join(Path(path).name for path in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        print(f"note: left out, no report of a bench: {names}{more}", file=sys.stderr)
    return files


def _is_bench(path: Path) -> bool:
    with contextlib.suppress(CannotRun):
        return load_report(str(path)).command == "bench"
    return False


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
            yield _say_difference(difference)


def _say_difference(difference: Difference) -> str:
    """What both have, or what one of them has beside all that both have."""
    if difference.ours == NO_MORE:
        return f"{difference.field} lack {difference.baseline}"
    if difference.baseline == NO_MORE:
        return f"{difference.field} hold {difference.ours} besides"
    return f"{difference.field} {difference.ours} (in the first run: {difference.baseline})"


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
