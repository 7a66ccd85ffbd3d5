"""Where a profile goes. Its file may be a profiler's own instead of a rendered report."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from infer_bench.cli.command_line import add_command_line
from infer_bench.cli.delivery import Delivery, open_file
from infer_bench.cli.illustrations import Illustrations
from infer_bench.cli.output_formats import ENDINGS, read_ending, tell_disagreement
from infer_bench.cli.partial import SAYS_PARTIAL, tell_nothing_written, tell_partial
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.profile.settings import FORMS, Form
from infer_bench.output import check_outputs, write_stdout
from infer_bench.reporters.registry import find, render

if TYPE_CHECKING:
    from infer_bench.measure.profile.report import ProfileOutcome

_ENDINGS = {**ENDINGS, ".prof": "pstats", ".pstats": "pstats"}
_DOUBLE_ENDINGS = {"speedscope.json": "speedscope", "pyinstrument.html": "pyinstrument"}


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
        for ending, form in _DOUBLE_ENDINGS.items():
            if self.output.lower().endswith(ending):
                return form
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
        from infer_bench.measure.profile.prof_file import is_profile

        beside = {"--html": self.illustrations.html, "--chart": self.illustrations.chart}
        check_outputs({"--json": self.json, "--output": self.output, **beside}, [target, *inputs])
        self.illustrations.check("profile")
        tell_disagreement(self.output, self.format, _ENDINGS)
        if self.kind not in FORMS:
            find(self.kind, "profile")
        elif is_profile(target):
            raise UsageError(f"{target} is a profile already", "name a model to profile")
        if self.view:
            from infer_bench.cli.snakeviz.view import require_snakeviz

            require_snakeviz()

    @contextlib.contextmanager
    def open_files(self) -> "Iterator[Callable[[ProfileOutcome], None]]":
        """Open the files; gives what writes a profile to them."""
        from infer_bench.report.serialize import dump

        last: ProfileOutcome | None = None
        with contextlib.ExitStack() as stack:
            output, json = open_file(stack, self.output), open_file(stack, self.json)
            self.illustrations.open(stack)

            def save(profile: "ProfileOutcome") -> None:
                nonlocal last
                last = profile
                if json is not None:
                    json.write_atomic(dump(add_command_line(profile.report)))
                if output is not None and self._has_content(profile):
                    output.write_atomic(encode(profile, self.kind))
                    hint = f"   view: infer-bench profile --view {self.output}   (snakeviz)"
                    print(f"wrote {self.output}{hint if self.kind == 'pstats' else ''}", file=sys.stderr)

            try:
                yield save
            except KeyboardInterrupt:
                self._end_early(last)
                raise

    def _has_content(self, profile: "ProfileOutcome") -> bool:
        """Whether there is something to write, though the run may not be finished."""
        has_functions = any(table.entries for table in profile.tables)
        return profile.report.complete or (has_functions if self.kind in FORMS else self.kind in SAYS_PARTIAL)

    def _end_early(self, profile: "ProfileOutcome | None") -> None:
        """Show what is known, and say where it is."""
        if profile is None:
            tell_nothing_written(self.json, self.output)
        elif not profile.report.complete:
            self.deliver(profile)
            tell_partial(self.json, self.output if self._has_content(profile) else None, "-")

    def deliver(self, profile: "ProfileOutcome") -> None:
        """Show on stdout what no file holds."""
        if self.json == "-":
            from infer_bench.report.serialize import dump

            write_stdout(dump(add_command_line(profile.report)).decode())
        else:
            in_file = self.kind in FORMS or self.output not in (None, "-")
            Delivery(format="table" if in_file else self.kind).deliver(profile.report)
        self.illustrations.write(add_command_line(profile.report))


def encode(profile: "ProfileOutcome", kind: str) -> bytes:
    """A profile as the bytes of a file. Raises `UsageError` and `CannotRun` for what no `.prof` file can hold."""
    if kind == "pstats":
        if len(profile.tables) != 1:
            raise UsageError("a .prof file holds one candidate", "name one with -e")
        if not profile.tables[0].entries:
            raise _explain_nothing(profile)
        from infer_bench.measure.profile.prof_file import pack

        return pack(profile.tables[0], add_command_line(profile.report))
    if kind in FORMS and not profile.text:
        raise _explain_nothing(profile)
    return profile.text.encode() if kind in FORMS else render(add_command_line(profile.report), kind).encode()


def _explain_nothing(profile: "ProfileOutcome") -> CannotRun:
    """Why there are no functions: the candidate may have ended the profiler."""
    why = next((notice for notice in profile.report.notices if notice.code == "profiler-ended"), None)
    return CannotRun("nothing was profiled") if why is None else CannotRun(why.message, "-o report.json has its phases")
