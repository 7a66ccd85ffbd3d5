"""The options of `load`."""

from typing import Annotated

from infer_bench.cli.completion import complete_candidate, complete_format
from infer_bench.cli.options.groups import gate, how, machine, model, output, what

Target = Annotated[
    str, model(metavar="TARGET", help="A service, as in http://127.0.0.1:8080/predict, or a model to serve.")
]
Engine = Annotated[
    str | None,
    what("--engine", "-e", metavar="ENGINE", help="Of a model: what opens it.", autocompletion=complete_candidate),
]
Batch = Annotated[int, what("--batch", "-b", metavar="N", help="Rows a request.")]
Protocol = Annotated[
    str | None, what("--protocol", metavar="NAME", help="predict, json, oip or oip-binary. [default: by the address]")
]
Body = Annotated[str | None, what("--body", metavar="FILE", help="A JSON template of the request.")]
AnswerPath = Annotated[str | None, what("--answer", metavar="PATH", help="Where its answer is, as in '$.score'.")]
TokenFile = Annotated[str | None, what("--token-file", metavar="FILE", help="The bearer token that is asked for.")]
TargetIsMine = Annotated[bool, what("--target-is-mine", help="The service is yours: load a machine other than this.")]

Rate = Annotated[str | None, how("--rate", "-r", metavar="RATE", help="Requests due, as in 1000/s: an open loop.")]
Concurrency = Annotated[
    str | None, how("--concurrency", metavar="N,…", help="Requests at a time: closed loops, which hide stalls.")
]
FindRate = Annotated[bool, how("--find-rate", help="Find the highest rate at which the limits of --slo hold.")]
Duration = Annotated[
    str | None, how("--duration", metavar="TIME", help="Time to measure for. [default: 10s, 5s a trial of --find-rate]")
]
Warmup = Annotated[str, how("--warmup", metavar="TIME", help="Time before it, at the same rate.")]
Arrivals = Annotated[str, how("--arrivals", metavar="WHICH", help="poisson (at random), or constant.")]
Connections = Annotated[int, how("--connections", "-c", metavar="N", help="Connections at the most.")]
Timeout = Annotated[str, how("--timeout", metavar="TIME", help="From due until a request counts as failed.")]
On = Annotated[str | None, how("--on", metavar="WHERE", help="Send from the workers of dask, or dask://HOST:PORT.")]
Seed = Annotated[int, how("--seed", metavar="N", help="Of the times at which requests are due.")]

Check = Annotated[str | None, gate("--check", metavar="MODEL", help="Compare every answer with what it predicts.")]
MaxDelta = Annotated[
    float | None, gate("--max-delta", metavar="X", help="Largest |Δ| from it that passes. [default: as validate]")
]
Workers = Annotated[int, machine("--workers", metavar="N", help="Of a model: processes that serve it.")]
Threads = Annotated[int, machine("--threads", "-t", metavar="N", help="Of a model: threads of its engine.")]

Slo = Annotated[
    list[str] | None, gate("--slo", metavar="LIMIT", help="A limit on the latency, as in 'p99<20ms'. Repeatable.")
]

Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="table, json, markdown, html, csv, junit or openmetrics.",
        autocompletion_of=complete_format,
    ),
]
Parts = Annotated[bool, output("--phases", help="Show the time from sending, too.")]
