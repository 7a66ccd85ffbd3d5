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
    from infer_bench.cli.runs.serve import serve_model

    return serve_model(
        model, engine, fallback, fallback_engine, allow_pickle, max_delta, shadow, host, port, name, sparse, max_body,
        body_timeout, drain, token_file, workers, threads,
    )  # fmt: skip
