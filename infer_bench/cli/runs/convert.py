"""Runs a conversion, or lists what is converted."""

from infer_bench.cli.delivery import Delivery, tell_verdict
from infer_bench.cli.progress import ProgressLine
from infer_bench.cli.terminal import read_terminal
from infer_bench.converters.base import ConvertOptions
from infer_bench.measure.convert.run import convert
from infer_bench.output import check_outputs, write_stdout


def run_convert(
    model: str,
    onnx_file: str | None,
    data: str | None,
    options: ConvertOptions,
    allow_pickle: bool,
    time_limit_s: float,
    to: Delivery,
) -> int:
    """Convert, save the report and render it; returns the verdict's exit code."""
    check_outputs({**to.files, "--output": onnx_file}, [data])
    check_outputs(to.files, [model])
    with to.open_files("convert") as save, ProgressLine() as progress:
        report = convert(
            model,
            onnx_file,
            data=data,
            options=options,
            allow_pickle=allow_pickle,
            time_limit_s=time_limit_s,
            progress=progress,
        )
        save(report)
    to.deliver(report)
    return tell_verdict(report)


def list_routes() -> int:
    """Print the routes."""
    from infer_bench.converters.catalogue import format_routes

    width, _ = read_terminal()
    write_stdout(format_routes(width))
    return 0
