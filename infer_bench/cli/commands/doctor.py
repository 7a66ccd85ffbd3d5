"""`infer-bench doctor`: what can be measured here, and how finely."""

from typing import Annotated

import typer

from infer_bench.cli.options import JsonPath


def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the three seconds of measuring noise.")] = False,
    json: JsonPath = None,
) -> int:
    """Say what this machine can resolve.

    Libraries, CPUs and their limits, clock, timer, noise, and what to do about each.
    """
    import contextlib

    from infer_bench.cli.options import terminal
    from infer_bench.cli.progress import ProgressLine
    from infer_bench.measure.doctor.run import examine
    from infer_bench.output import OutputFile, write_stdout
    from infer_bench.reporters.doctor import doctor_json, doctor_text

    with contextlib.ExitStack() as stack:
        saved = stack.enter_context(OutputFile(json)) if json else None
        with ProgressLine() as progress:
            found = examine(quick=quick, progress=progress)
        if saved is not None:
            saved.write_atomic(doctor_json(found))
    if json != "-":
        width, color = terminal()
        write_stdout(doctor_text(found, width=width, color=color))
    return 0
