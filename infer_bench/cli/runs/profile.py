"""Runs a profile with its progress line and its files, which are opened before anything is measured."""

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from infer_bench.cli.delivery import deliver
from infer_bench.cli.progress import ProgressLine
from infer_bench.cli.snakeviz import view
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.profile.prof_file import is_profile, pack
from infer_bench.measure.profile.run import Profiled, Source, run
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.output import OutputFile, check_outputs, write_stdout
from infer_bench.report.serialize import dump
from infer_bench.reporters.registry import find, render

FILES = ("pstats", "speedscope", "html")
"""Forms that are a profiler's, not a report's."""
_ENDINGS = {".prof": "pstats", ".pstats": "pstats", ".html": "html", ".htm": "html", ".md": "markdown", ".txt": "table"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be written where: `output` in `format` (told by its name when empty), `json` beside it, and a view."""

    output: str | None
    format: str
    json: str | None
    view: bool

    @property
    def kind(self) -> str:
        """The form of `output`; `table` when there is none. Raises `UsageError` when it cannot be told."""
        if self.format or self.output is None:
            return self.format or "table"
        name = self.output.lower()
        if name.endswith("speedscope.json"):
            return "speedscope"
        if name.endswith(".json"):
            return "json"
        return "table" if name == "-" else _ENDINGS.get(Path(name).suffix, "pstats")

    @property
    def form(self) -> Literal["", "html", "speedscope"]:
        """The file that pyinstrument writes."""
        return cast('Literal["", "html", "speedscope"]', self.kind if self.kind in ("html", "speedscope") else "")

    def profiler(self, asked: str) -> str:
        """The profiler that was asked for, or the one that writes what is wanted. Raises `UsageError`."""
        made = {"pstats": "cprofile", "html": "pyinstrument", "speedscope": "pyinstrument"}.get(self.kind)
        if self.kind in FILES and (self.output is None or self.output == "-"):
            raise UsageError(f"{self.kind} needs a file", "name one with -o")
        if self.view and self.kind not in ("pstats", "table"):
            raise UsageError("--view shows a .prof file", "leave out --format")
        made = made or ("cprofile" if self.view else None)
        if made and asked and asked != made:
            raise UsageError(f"{asked} does not write {self.kind}", f"--profiler {made} does")
        return asked or made or "cprofile"


def profiled(
    target: str,
    rows: Source,
    candidates: Sequence[str],
    diff: str | None,
    settings: ProfileSettings,
    wish: Wish,
) -> int:
    """Profile, write and render; returns the verdict's exit code."""
    check_outputs({"--json": wish.json, "--output": wish.output}, [target, rows.data, rows.input, diff])
    if wish.kind not in FILES:
        find(wish.kind, "profile")
    if is_profile(target) and wish.kind in FILES:
        raise UsageError(f"{target} is a profile already", "name a model to profile")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="infer-bench-"))) if wish.view else None
        files = {
            name: stack.enter_context(OutputFile(name)) for name in (wish.output, wish.json) if name and name != "-"
        }
        made: list[Profiled] = []

        def save(found: Profiled) -> None:
            made.append(found)
            _write(found, wish, files)

        with ProgressLine() as progress:
            run(target, rows=rows, candidates=candidates, diff=diff, settings=settings, progress=progress, save=save)
        _show(made[-1], wish)
        if folder is not None:
            view(_to_view(target, made[-1], wish, folder))
    return _code(made[-1])


def _write(found: Profiled, wish: Wish, files: dict[str, OutputFile]) -> None:
    if wish.json in files:
        files[wish.json].write_atomic(dump(found.report))
    if wish.output in files and (found.report.complete or wish.kind not in FILES or _any_recorded(found)):
        files[wish.output].write_atomic(_content(found, wish.kind))
        hint = f"   view: infer-bench profile --view {wish.output}   (snakeviz)" if wish.kind == "pstats" else ""
        print(f"wrote {wish.output}{hint}", file=sys.stderr)


def _any_recorded(found: Profiled) -> bool:
    return any(recorded.table for recorded in found.recorded)


def _content(found: Profiled, kind: str) -> bytes:
    if kind == "pstats":
        if len(found.recorded) != 1:
            raise UsageError("a .prof file holds one candidate", "name one with -e")
        if not found.recorded[0].table:
            raise CannotRun("nothing was profiled")
        return pack(found.recorded[0], found.report)
    return found.text.encode() if kind in FILES else render(found.report, kind).encode()


def _show(found: Profiled, wish: Wish) -> None:
    if wish.json == "-":
        write_stdout(dump(found.report).decode())
    elif wish.kind in FILES or wish.output not in (None, "-"):
        deliver(found.report, "table", None)
    else:
        deliver(found.report, wish.kind, None)


def _to_view(target: str, found: Profiled, wish: Wish, folder: Path) -> Path:
    if is_profile(target):
        return Path(target)
    if wish.kind == "pstats" and wish.output:
        return Path(wish.output)
    path = folder / "profile.prof"
    path.write_bytes(_content(found, "pstats"))
    return path


def _code(found: Profiled) -> int:
    verdict = found.report.verdict
    if verdict is None:
        return 0
    for reason in verdict.reasons:
        print(f"{verdict.status}: {reason}", file=sys.stderr)
    return verdict.exit_code
