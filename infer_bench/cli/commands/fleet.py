"""`infer-bench fleet`: many models, each put through the same jobs."""

from typing import Annotated

from infer_bench.cli.options.groups import how, model
from infer_bench.cli.options.shared import Html, JsonPath, Output
from infer_bench.cli.options.validate import Format

Plan = Annotated[str, model(metavar="FLEET.toml", help="Models and jobs, as in docs/distributed.md.")]
Again = Annotated[bool, how("--again", help="Run also what has not changed since.")]

On = Annotated[str | None, how("--on", metavar="WHERE", help="Run on dask, or dask://HOST:PORT; benches run here.")]


def fleet(
    plan: Plan,
    again: Again = False,
    on: On = None,
    json: JsonPath = None,
    format: Format = "",
    output: Output = None,
    html: Html = None,
) -> int:
    """Convert, validate and bench many models.

    Results are kept by the hash of all that they depend on: what has not changed is not run again. Exits with the worst
    code of all.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations

    to = Delivery(json, format, output, illustrations=Illustrations(html))
    to.check_format("fleet")
    from infer_bench.cli.runs.fleet import list_options, run_fleet

    return run_fleet(plan, list_options(), to, again=again, on=on)
