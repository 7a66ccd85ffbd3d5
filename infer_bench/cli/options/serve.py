"""The options of `serve`."""

from typing import Annotated

from infer_bench.cli.completion import complete_candidate
from infer_bench.cli.options.groups import machine, model, serving, tolerance, what

Model = Annotated[str, model(metavar="MODEL", help="The model that answers.")]
Engine = Annotated[
    str | None,
    what(
        "--engine",
        "-e",
        metavar="ENGINE",
        help="engine[:key=value,…] that opens it.",
        autocompletion=complete_candidate,
    ),
]
Fallback = Annotated[str | None, what("--fallback", metavar="MODEL", help="Answers where the first one cannot.")]
FallbackEngine = Annotated[
    str | None, what("--fallback-engine", metavar="ENGINE", help="engine[:key=value,…] that opens it.")
]

Shadow = Annotated[str, serving("--shadow", metavar="SHARE", help="Ask both for this share of requests, as in 1%.")]
MaxDelta = Annotated[
    float | None, tolerance("--max-delta", metavar="X", help="Largest |Δ| between the two. [default: 1e-4]")
]
Host = Annotated[str, serving("--host", metavar="ADDRESS", help="Where to listen.")]
Port = Annotated[int, serving("--port", "-p", metavar="N", help="0 takes a free one.")]
Name = Annotated[str, serving("--name", metavar="NAME", help="What the model is called. [default: its file's name]")]
Sparse = Annotated[bool, serving("--sparse", help="A record may lack columns: they are missing values.")]
MaxBody = Annotated[str, serving("--max-body", metavar="SIZE", help="Largest body of a request.")]
BodyTimeout = Annotated[str, serving("--body-timeout", metavar="TIME", help="Time that a client has to send it.")]
Drain = Annotated[str, serving("--drain", metavar="TIME", help="Time that requests have to end on SIGTERM.")]
TokenFile = Annotated[str | None, serving("--token-file", metavar="FILE", help="Ask for the bearer token in it.")]

Workers = Annotated[int, machine("--workers", metavar="N", help="Processes, each with the model.")]
