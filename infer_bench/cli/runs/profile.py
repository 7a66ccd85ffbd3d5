"""Runs a profile, whose file may be a profiler's own instead of a rendered report."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from infer_bench.cli.delivery import Delivery, open_file, tell_verdict
from infer_bench.cli.endings import ENDINGS, read_ending, tell_disagreement
from infer_bench.cli.illustrations import Illustrations
from infer_bench.cli.partial import SAYS_PARTIAL, tell_nothing_written, tell_partial
from infer_bench.cli.progress import ProgressLine
from infer_bench.cli.snakeviz import require_snakeviz, view
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.profile.prof_file import is_profile, pack
from infer_bench.measure.profile.report import ProfileOutcome
from infer_bench.measure.profile.requests import RequestSource
from infer_bench.measure.profile.run import measure_profile
from infer_bench.measure.profile.settings import FORMS, Form, ProfileSettings
from infer_bench.output import check_outputs, write_stdout
from infer_bench.report.serialize import dump
from infer_bench.reporters.registry import find, render

_ENDINGS = {**ENDINGS, ".prof": "pstats", ".pstats": "pstats"}


@dataclass(frozen=True, slots=True)
class ProfileDelivery:
    """What is to be written where: `output` in `format` (told by its name when empty), `json` beside it, and a view."""

    output: str | None
    format: str
    json: str | None
    view: bool
    illustrations: Illustrations = field(default_factory=Illustrations)

    @property
    def kind(self) -> str:
        """The form of `output`; `table` when there is none. Raises `UsageError` when it cannot be told."""
        if self.format or self.output is None:
            return self.format or "table"
        if self.output.lower().endswith("speedscope.json"):
            return "speedscope"
        return "table" if self.output == "-" else read_ending(self.output, _ENDINGS) or "pstats"

    @property
    def form(self) -> Form:
        """The file that the profiler writes, or that is viewed; empty for none."""
        form = self.kind if self.kind in FORMS else "pstats" if self.view else ""
        return cast("Form", form)

    def choose_profiler(self, profiler: str) -> str:
        """`profiler`, or where that is empty the one that writes this kind of file. Raises `UsageError`."""
        if self.kind in FORMS and (self.output is None or self.output == "-"):
            raise UsageError(f"{self.kind} needs a file", "name one with -o")
        if self.view and self.kind not in ("pstats", "table"):
            raise UsageError("--view shows a .prof file", "leave out --format")
        writer = FORMS.get(self.kind, "cprofile" if self.view else "")
        if writer and profiler and profiler != writer:
            raise UsageError(f"{profiler} does not write {self.kind}", f"--profiler {writer} does")
        return profiler or writer or "cprofile"

    def check(self, target: str, inputs: Sequence[str | None]) -> None:
        """Raises `UsageError` for files that cannot be written as they were asked for."""
        beside = {"--html": self.illustrations.html, "--chart": self.illustrations.chart}
        check_outputs({"--json": self.json, "--output": self.output, **beside}, [target, *inputs])
        self.illustrations.check("profile")
        tell_disagreement(self.output, self.format, _ENDINGS)
        if self.kind not in FORMS:
            find(self.kind, "profile")
        elif is_profile(target):
            raise UsageError(f"{target} is a profile already", "name a model to profile")
        if self.view:
            require_snakeviz()

    @contextlib.contextmanager
    def open_files(self) -> Iterator[Callable[[ProfileOutcome], None]]:
        """Open the files; gives what writes a profile to them."""
        last: ProfileOutcome | None = None
        with contextlib.ExitStack() as stack:
            output, json = open_file(stack, self.output), open_file(stack, self.json)
            self.illustrations.open(stack)

            def save(profile: ProfileOutcome) -> None:
                nonlocal last
                last = profile
                if json is not None:
                    json.write_atomic(dump(profile.report))
                if output is not None and self._has_content(profile):
                    output.write_atomic(_encode(profile, self.kind))
                    hint = f"   view: infer-bench profile --view {self.output}   (snakeviz)"
                    print(f"wrote {self.output}{hint if self.kind == 'pstats' else ''}", file=sys.stderr)

            try:
                yield save
            except KeyboardInterrupt:
                self._end_early(last)
                raise

    def _has_content(self, profile: ProfileOutcome) -> bool:
        """Whether there is something to write, though the run may not be finished."""
        has_functions = any(table.entries for table in profile.tables)
        return profile.report.complete or (has_functions if self.kind in FORMS else self.kind in SAYS_PARTIAL)

    def _end_early(self, profile: ProfileOutcome | None) -> None:
        """Show what is known, and say where it is."""
        if profile is None:
            tell_nothing_written(self.json, self.output)
        elif not profile.report.complete:
            self.deliver(profile)
            tell_partial(self.json, self.output if self._has_content(profile) else None, "-")

    def deliver(self, profile: ProfileOutcome) -> None:
        """Show on stdout what no file holds."""
        if self.json == "-":
            write_stdout(dump(profile.report).decode())
        else:
            in_file = self.kind in FORMS or self.output not in (None, "-")
            Delivery(format="table" if in_file else self.kind).deliver(profile.report)
        self.illustrations.write(profile.report)


def run_profile(
    target: str,
    rows: RequestSource,
    candidates: Sequence[str],
    diff: str | None,
    settings: ProfileSettings,
    to: ProfileDelivery,
) -> int:
    """Profile, write and render; returns the verdict's exit code."""
    to.check(target, [rows.data, rows.input, diff])
    with to.open_files() as save:
        with ProgressLine() as progress:
            profile = measure_profile(
                target, rows=rows, candidates=candidates, diff=diff, settings=settings, progress=progress, save=save
            )
        to.deliver(profile)
        if to.view:
            with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
                view(_file_to_view(target, profile, to, Path(folder)))
    return tell_verdict(profile.report)


def _encode(profile: ProfileOutcome, kind: str) -> bytes:
    if kind == "pstats":
        if len(profile.tables) != 1:
            raise UsageError("a .prof file holds one candidate", "name one with -e")
        if not profile.tables[0].entries:
            raise CannotRun("nothing was profiled")
        return pack(profile.tables[0], profile.report)
    return profile.text.encode() if kind in FORMS else render(profile.report, kind).encode()


def _file_to_view(target: str, profile: ProfileOutcome, to: ProfileDelivery, folder: Path) -> Path:
    if is_profile(target):
        return Path(target)
    if to.kind == "pstats" and to.output:
        return Path(to.output)
    path = folder / "profile.prof"
    path.write_bytes(_encode(profile, "pstats"))
    return path
