"""`infer-bench serve`: a model behind HTTP."""

from infer_bench.cli.options import serve as options
from infer_bench.cli.options.shared import AllowPickle, Threads


def serve(
    model: options.Model,
    engine: options.Engine = None,
    fallback: options.Fallback = None,
    fallback_engine: options.FallbackEngine = None,
    allow_pickle: AllowPickle = False,
    max_delta: options.MaxDelta = None,
    shadow: options.Shadow = "0%",
    host: options.Host = "127.0.0.1",
    port: options.Port = 8080,
    name: options.Name = "",
    sparse: options.Sparse = False,
    max_body: options.MaxBody = "8MiB",
    body_timeout: options.BodyTimeout = "10s",
    drain: options.Drain = "10s",
    token_file: options.TokenFile = None,
    workers: options.Workers = 1,
    threads: Threads = 1,
) -> int:
    """Answer requests over HTTP with a model.

    With --fallback, a second one answers where the first cannot, once both are seen to agree (else exit code 4).
    POST /predict takes a record {column: value} or a list of them. GET /health, /model-info and /metrics tell the rest.
    """
    from infer_bench.cli.options.reading import read_share, read_size, read_token
    from infer_bench.cli.runs.serve import run_serve
    from infer_bench.gates.limits import parse_duration
    from infer_bench.serving.processes.plan import ServerPlan
    from infer_bench.serving.settings import ModelPlan, ServingSettings

    settings = ServingSettings(
        threads=threads, max_body_bytes=read_size(max_body, "max-body"), body_timeout_s=parse_duration(body_timeout),
        token=read_token(token_file), name=name, sparse=sparse, allow_pickle=allow_pickle,
        shadow=read_share(shadow, "shadow"), max_delta=max_delta,
    )  # fmt: skip
    models = ModelPlan(model, fallback or "", engine or "", fallback_engine or "")
    return run_serve(ServerPlan(models, settings, host, port, workers, parse_duration(drain)))
