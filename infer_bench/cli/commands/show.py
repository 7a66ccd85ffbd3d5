"""`infer-bench show`: render a saved report."""

from infer_bench.cli.options import show as of
from infer_bench.cli.options.shared import Notes, Output, Phases, Wide


def show(
    reports: of.Files,
    format: of.Format = "",
    output: Output = None,
    phases: Phases = False,
    wide: Wide = False,
    notes: Notes = False,
    chart: of.ChartFile = None,
    chart_kind: of.ChartKind = None,
) -> int:
    """Render a saved report, or draw a chart of it. Several benches, or a folder of them, are lined up run by run.

    They may come from another machine; no engine is needed.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.output_formats import read_ending, tell_disagreement
    from infer_bench.cli.partial import tell_unfinished
    from infer_bench.cli.runs.history import list_reports, show_history
    from infer_bench.cli.runs.show import load
    from infer_bench.errors import UsageError
    from infer_bench.output import check_outputs

    files = list_reports(reports)
    check_outputs({"--output": output, "--chart": chart}, files)
    if chart is None and chart_kind is not None:
        raise UsageError("--chart-kind is of a chart", "name its file: --chart latency.svg")
    if len(files) > 1:
        if chart is not None or phases:
            raise UsageError("a chart and phases are of one report", "--format html draws the trend of several")
        tell_disagreement(output, format)
        return show_history(files, format or read_ending(output), output)
    content = load(files[0])
    if chart is not None:
        from infer_bench.cli.runs.chart import write_chart

        tell_unfinished(content, files[0], "a chart")
        return write_chart(content, chart, chart_kind)
    to = Delivery(None, format, output, phases, wide=wide, notes=notes)
    to.check_format(content.command)
    tell_disagreement(output, format)
    tell_unfinished(content, files[0], to.rendered_as)
    to.show(content)
    return 0
