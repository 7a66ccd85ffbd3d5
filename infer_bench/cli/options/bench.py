"""The options of `bench`."""

from typing import Annotated

from infer_bench.cli.completion import complete_format, complete_from
from infer_bench.cli.options.groups import gate, how, machine, model, output, requests, self_test, what

DEFAULT_ALPHA = 0.01

Models = Annotated[list[str] | None, model(metavar="MODEL", help="Model files, or package.module:function.")]
Labels = Annotated[
    str | None, what("--labels", metavar="FILE", help="The true class of each row: shows accuracy, F1 and AUC.")
]
Batches = Annotated[str, what("--batch", "-b", metavar="N,…", help="Batch sizes, as in 1,64,1000.")]
Threads = Annotated[
    str, machine("--threads", "-t", metavar="N,…", help="Threads of each engine; several, as in 1,2,4, are a sweep.")
]
Forms = Annotated[bool, what("--forms", help="Make every form that the model can take, and compare them.")]
Keep = Annotated[str | None, what("--keep", metavar="FOLDER", help="Keep the forms of --forms in this folder.")]
Slo = Annotated[str | None, what("--slo", metavar="LIMIT", help="Requests/s a core that hold it, as in 'p99<5ms'.")]
Price = Annotated[str | None, what("--price", metavar="PRICE", help="Of a core, as in 0.05/h: what a million costs.")]
Scenario = Annotated[
    str,
    what(
        "--scenario",
        metavar="NAME",
        help="single_stream or offline.",
        autocompletion=complete_from("single_stream", "offline"),
    ),
]
RowsMode = Annotated[
    str,
    what(
        "--rows",
        metavar="HOW",
        help="rotate through distinct rows, or always the same.",
        autocompletion=complete_from("rotate", "same"),
    ),
]
ShowInputs = Annotated[
    bool,
    requests("--show-inputs", help="Measure nothing: show what would be fed, and write it to an npz file."),
]
Reference = Annotated[str | None, what("--reference", metavar="CANDIDATE", help="The candidate to compare with.")]
Provider = Annotated[
    str | None,
    what("--require-provider", metavar="NAME", help="Fail unless it runs every node in ONNX Runtime, as in cuda."),
]
NoProbes = Annotated[
    bool, how("--no-probes", help="Try no candidate on rows made to find differences, such as split points and NaN.")
]

Memory = Annotated[bool, how("--memory", help="Also what a request allocates through Python, at its peak.")]
Rounds = Annotated[int | None, how("--rounds", metavar="N", help="Rounds over all processes. [default: 60]")]
Quick = Annotated[bool, how("--quick", help="A first look: --budget 10s, and one process a candidate.")]
Processes = Annotated[
    int | None,
    how("--processes", metavar="N", help="Fresh processes a candidate. [default: 3; with a baseline 9]"),
]
Percentiles = Annotated[str, how("--percentiles", metavar="P,…", help="As in 50,95,99.9.")]
Seed = Annotated[int, how("--seed", metavar="N", help="Order of blocks, and rows drawn from the model.")]

Against = Annotated[
    str | None,
    gate(
        "--against",
        metavar="BASELINE",
        help="Baseline to race: a model, engine[:key=value,…] or module:function.",
    ),
]
AgainstPython = Annotated[
    str | None,
    gate("--against-python", metavar="PATH", help="Interpreter to run the baseline in: another environment."),
]
MaxRegression = Annotated[
    str | None,
    gate("--max-regression", metavar="SHARE", help="As in 5%, or p50=3%,p95=10%,load=20%,rss=10%,size=0%."),
]
Limits = Annotated[
    list[str] | None,
    gate("--limit", metavar="BOUND", help="As in 'p99<5ms' or 'onnxruntime.p50<50us'. Repeatable."),
]
MaxDelta = Annotated[float | None, gate("--max-delta", metavar="X", help="Largest |Δ| of the answers.")]
Baseline = Annotated[
    str | None, gate("--baseline", metavar="FILE", help="A report that --save-baseline wrote on this machine.")
]
SaveBaseline = Annotated[
    str | None, gate("--save-baseline", metavar="FILE", help="Keep the report, to be compared with later.")
]
Inconclusive = Annotated[
    str,
    gate("--inconclusive", metavar="CODE", help="What an inconclusive gate exits with: 3, or pass (0) or fail (1)."),
]
Alpha = Annotated[float, gate("--alpha", metavar="X", help="Error rate of a gate.")]

SelfTest = Annotated[
    bool, self_test("--self-test", help="Try the gate itself: its false alarms and its power on this machine.")
]
Trials = Annotated[
    int | None,
    self_test("--trials", metavar="N", help="Of a self-test: trials with nothing planted. [default: 40]"),
]
Hogs = Annotated[
    str | None,
    self_test("--hogs", metavar="N,…", help="Of a self-test: CPU hogs beside it, as in 0,2. [default: 0,CPUs]"),
]
Jobs = Annotated[
    int | None,
    self_test(
        "--jobs", metavar="N", help="Of a self-test: trials at once, each one more load for the others. [default: 1]"
    ),
]

Affinity = Annotated[str | None, machine("--affinity", metavar="CPU,…", help="CPUs to bind workers to, as in 0,1.")]

Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="table, json, markdown, html, csv, junit, openmetrics, pyperf, bencher or github-action-benchmark.",
        autocompletion_of=complete_format,
    ),
]
