"""Runs a quantisation."""

from infer_bench.cli.delivery import Delivery, tell_verdict
from infer_bench.cli.progress import ProgressLine
from infer_bench.measure.quantize.run import quantize
from infer_bench.measure.quantize.settings import QuantizeSettings
from infer_bench.output import check_outputs


def run_quantize(
    model: str,
    onnx_file: str | None,
    data: str | None,
    labels: str | None,
    judge: str | None,
    settings: QuantizeSettings,
    to: Delivery,
) -> int:
    """Quantise, save the report and render it; returns the verdict's exit code."""
    check_outputs({**to.files, "--output": onnx_file}, [data, labels, judge])
    check_outputs(to.files, [model])
    with to.open_files("quantize") as save, ProgressLine() as progress:
        report = quantize(model, onnx_file, data=data, labels=labels, judge=judge, settings=settings, progress=progress)
        save(report)
    to.deliver(report)
    return tell_verdict(report)
