"""`infer-bench load`: what an endpoint answers to requests that come at a rate of their own."""

from infer_bench.cli.options import load as of
from infer_bench.cli.options.shared import AllowPickle, Chart, Data, Html, JsonPath, Output


def load(
    target: of.Target,
    data: Data = None,
    rate: of.Rate = None,
    concurrency: of.Concurrency = None,
    find_rate: of.FindRate = False,
    duration: of.Duration = None,
    warmup: of.Warmup = "2s",
    arrivals: of.Arrivals = "poisson",
    connections: of.Connections = 64,
    on: of.On = None,
    batch: of.Batch = 1,
    timeout: of.Timeout = "5s",
    slo: of.Slo = None,
    protocol: of.Protocol = None,
    body: of.Body = None,
    answer: of.AnswerPath = None,
    token_file: of.TokenFile = None,
    check: of.Check = None,
    max_delta: of.MaxDelta = None,
    target_is_mine: of.TargetIsMine = False,
    engine: of.Engine = None,
    allow_pickle: AllowPickle = False,
    workers: of.Workers = 1,
    threads: of.Threads = 1,
    seed: of.Seed = 0,
    json: JsonPath = None,
    format: of.Format = "",
    output: Output = None,
    html: Html = None,
    chart: Chart = None,
    phases: of.Parts = False,
) -> int:
    """Load a service at a rate, and say how long its answers take.

    Time counts from when a request is due. Exits with 3 where the generator was at its limit.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations
    from infer_bench.cli.options.reading import pick, read_numbers, read_rate, read_span, read_token
    from infer_bench.cli.runs.load import run_load
    from infer_bench.engines.http.protocols.choose import PROTOCOLS, ProtocolChoice
    from infer_bench.gates.limits import parse_bound
    from infer_bench.measure.load.settings import ARRIVALS, LoadSettings, ServerSettings

    settings = LoadSettings(
        rate=read_rate(rate) if rate else None,
        concurrency=read_numbers(concurrency, int, "concurrency") if concurrency else (),
        find_rate=find_rate, duration_s=read_span(duration or ("5s" if find_rate else "10s")),
        warmup_s=read_span(warmup),
        arrivals=pick(arrivals, "arrivals", ARRIVALS), connections=connections, batch=batch,
        timeout_s=read_span(timeout), limits=tuple(map(parse_bound, slo or ())), seed=seed,
        target_is_mine=target_is_mine, token=read_token(token_file),
        check=check, max_delta=max_delta, on=on, server=ServerSettings(engine or "", threads, workers, allow_pickle),
        protocol=ProtocolChoice(pick(protocol, "protocol", (None, *PROTOCOLS)), body, answer),
    )  # fmt: skip
    to = Delivery(json, format, output, phases, Illustrations(html, chart))
    return run_load(target, data, settings, to)
