"""What every command does with its report: the files are opened before it measures, the report is saved and rendered.

with to.open_files("bench") as save, ProgressLine() as progress:
    report = measure(progress=progress, save=save)
to.deliver(report)
return tell_verdict(report)
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from infer_bench.cli.command_line import add_command_line
from infer_bench.cli.illustrations import Illustrations
from infer_bench.cli.output_formats import read_ending, tell_disagreement
from infer_bench.cli.partial import SAYS_PARTIAL, tell_nothing_written, tell_partial
from infer_bench.cli.terminal import read_terminal
from infer_bench.errors import InferBenchError, UsageError
from infer_bench.output import OutputFile, write_stdout
from infer_bench.report.common import Report
from infer_bench.reporters.registry import find, render

Save = Callable[[Report[Any]], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a report goes: to the file `json` as it is, and to `output` in `format`. `-` is stdout.

    Without a format the name of `output` says which, or else it is the table. `notes`: show every notice in full.
    """

    json: str | None = None
    format: str = ""
    output: str | None = None
    phases: bool = False
    illustrations: Illustrations = field(default_factory=Illustrations)
    wide: bool = False
    notes: bool = False

    @property
    def files(self) -> dict[str, str | None]:
        """Every file under the option that names it."""
        beside = self.illustrations
        return {"--json": self.json, "--output": self.output, "--html": beside.html, "--chart": beside.chart}

    @property
    def on_stdout(self) -> bool:
        """Whether stdout carries what is rendered."""
        return self.output in (None, "-")

    @property
    def rendered_as(self) -> str:
        """The format; JSON where stdout is to carry it. Raises `UsageError` when stdout is to carry two."""
        if self.json != "-" or not self.on_stdout:
            return self.format or read_ending(self.output) or "table"
        if self.format not in ("", "table", "json"):
            raise UsageError("stdout cannot carry both --json - and another format", "name a file for one of them")
        return "json"

    @property
    def is_table(self) -> bool:
        """Whether it is shown as the table, which renders the reports of every command. Raises as `rendered_as`."""
        return self.rendered_as == "table"

    def check_format(self, command: str) -> None:
        """See that `command`'s reports can be rendered. Raises `UsageError`."""
        try:
            find(self.rendered_as, command)
        except UsageError as error:
            if self.format or self.on_stdout:
                raise
            raise UsageError(
                f"{self.output} is {self.rendered_as} by its ending: {error.message}", error.hint
            ) from None

    def check_chosen_format(self, command: str) -> None:
        """As `check_format`, but for the table, whose loading can wait until a worker is at work."""
        if not self.is_table:
            self.check_format(command)

    @contextlib.contextmanager
    def open_files(self, command: str, *, checks_format: bool = True) -> Iterator[Save]:
        """See that `command`'s reports can be rendered and every file be written; gives what saves a report.

        Whenever a report is saved the JSON file is whole; what is rendered is written at the end, by `deliver`. Before
        the run is over, a report in which nothing was measured is not saved. Of a run that is broken off is shown what
        was measured. Without `checks_format` the caller has yet to. Raises `UsageError` and `OutputError`.
        """
        if checks_format:
            self.check_format(command)
        self.illustrations.check(command)
        tell_disagreement(self.output, self.format)
        last: Report[Any] | None = None
        with contextlib.ExitStack() as stack:
            json = open_file(stack, self.json)
            open_file(stack, self.output)
            self.illustrations.open(stack)

            def save(report: Report[Any]) -> None:
                nonlocal last
                if not (report.complete or report.has_measurements):
                    return
                if json is not None:
                    from infer_bench.report.serialize import dump

                    json.write_atomic(dump(add_command_line(report)))
                last = report

            try:
                yield save
            except (KeyboardInterrupt, InferBenchError) as error:
                self._end_early(last, error)
                raise

    def _end_early(self, report: Report[Any] | None, error: BaseException) -> None:
        """Deliver what is known where it says itself that it is not all, and say where it is."""
        if report is None:
            if isinstance(error, KeyboardInterrupt):
                tell_nothing_written(*self.files.values())
            return
        if report.complete:
            return
        places = [self.json, self.illustrations.html]
        with contextlib.suppress(InferBenchError):  # the first error is the one to tell
            if self.rendered_as in SAYS_PARTIAL:
                self.deliver(report)
                places.append(self.output or "-")
        tell_partial(*places)

    def deliver(self, report: Report[Any]) -> None:
        """Show the report with the command that made it; then make page and chart."""
        report = add_command_line(report)
        self.show(report)
        self.illustrations.write(report)

    def show(self, report: Report[Any]) -> None:
        """Render to the file `output`, or to stdout in its width and colours."""
        if self.notes:
            from infer_bench.reporters.text.notices import spell_out_notes

            report = spell_out_notes(report)
        if self.output is None or self.output == "-":
            width, color = read_terminal()
            width = None if self.wide else width
            write_stdout(render(report, self.rendered_as, width=width, color=color, phases=self.phases))
            return
        with OutputFile(self.output) as file:
            file.write_atomic(render(report, self.rendered_as, phases=self.phases).encode())


def open_file(stack: contextlib.ExitStack, name: str | None) -> OutputFile | None:
    """The file of that name, open as long as `stack` is; None without a name and for stdout."""
    return stack.enter_context(OutputFile(name)) if name and name != "-" else None


def tell_verdict(report: Report[Any]) -> int:
    """Say on stderr what the verdict rests on; returns its exit code, 0 without one."""
    if report.verdict is None:
        return 0
    for reason in report.verdict.reasons:
        print(f"{report.verdict.status}: {reason}", file=sys.stderr)
    return report.verdict.exit_code
