"""The options of `profile`."""

from typing import Annotated

from infer_bench.cli.completion import complete_from
from infer_bench.cli.options.groups import how, machine, model, output, what

Target = Annotated[str, model(metavar="TARGET", help="A model, package.module:function, or a .prof file.")]
Input = Annotated[str | None, what("--input", metavar="FILE", help="JSON: a record, a list of them, or one a line.")]
Batch = Annotated[int, what("--batch", "-b", metavar="N", help="Rows a request.")]
Diff = Annotated[str | None, what("--diff", metavar="BEFORE", help="Compare with this .prof file or candidate.")]
Provider = Annotated[
    str | None, what("--require-provider", metavar="NAME", help="Fail unless it ran every node, as in cuda.")
]

Profiler = Annotated[str, how("--profiler", metavar="NAME", help="cprofile, pyinstrument or none.")]
Requests = Annotated[int | None, how("--requests", metavar="N", help="Requests of each run. [default: 2000]")]
Split = Annotated[bool, how("--split", help="Time each library step inside a phase.")]
Memory = Annotated[bool, how("--memory", help="Also what is resident and what a request allocates.")]
Interval = Annotated[float, how("--interval", metavar="SECONDS", help="Seconds between pyinstrument's samples.")]
Seed = Annotated[int, how("--seed", metavar="N", help="Rows drawn from the model.")]

Threads = Annotated[int, machine("--threads", "-t", metavar="N", help="Threads of the engine.")]

Sort = Annotated[str, output("--sort", metavar="BY", help="Functions by cumulative or own time.")]
Top = Annotated[int, output("--top", metavar="N", help="How many functions to show.")]
File = Annotated[str | None, output("--output", "-o", metavar="FILE", help="Write a file, as in before.prof.")]
Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="pstats, speedscope, pyinstrument, html, json, markdown or table.",
        autocompletion=complete_from("pstats", "speedscope", "pyinstrument", "html", "json", "markdown", "table"),
    ),
]
View = Annotated[bool, output("--view", help="Open the profile in snakeviz.")]
