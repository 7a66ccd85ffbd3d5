"""Runs a load."""

from infer_bench.cli.delivery import Delivery, tell_verdict
from infer_bench.cli.github import tell_github
from infer_bench.cli.progress import ProgressLine
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.output import check_outputs


def run_load(target: str, data: str | None, settings: LoadSettings, to: Delivery) -> int:
    """Load the service, save the report and render it; returns the verdict's exit code."""
    check_outputs(to.files, [data, settings.check, target])
    with to.open_files("load") as save, ProgressLine() as progress:
        report = load(target, data=data, settings=settings, progress=progress, save=save)
    to.deliver(report)
    tell_github(report)
    if report.verdict is not None and to.rendered_as == "table" and to.on_stdout:
        return report.verdict.exit_code
    return tell_verdict(report)
