"""`infer-bench doctor`: what can be measured here, and how finely."""

from typing import Annotated

from infer_bench.cli.options.groups import how
from infer_bench.cli.options.shared import JsonPath


def doctor(
    quick: Annotated[bool, how("--quick", help="Leave out the three seconds of measuring noise.")] = False,
    json: JsonPath = None,
) -> int:
    """Say what this machine can resolve.

    Libraries, CPUs and their limits, clock, timer, noise, and what to do about each.
    """
    import contextlib

    from infer_bench.cli.progress import ProgressLine
    from infer_bench.cli.terminal import read_terminal
    from infer_bench.measure.doctor.run import examine
    from infer_bench.output import OutputFile, write_stdout
    from infer_bench.reporters.doctor import draw_doctor, dump_doctor

    with contextlib.ExitStack() as stack:
        file = stack.enter_context(OutputFile(json)) if json else None
        with ProgressLine() as progress:
            report = examine(quick=quick, progress=progress)
        if file is not None:
            file.write_atomic(dump_doctor(report))
    if json != "-":
        width, color = read_terminal()
        write_stdout(draw_doctor(report, width=width, color=color))
    return 0
