"""Runs a server until it is asked to end."""

import sys
from dataclasses import replace

from infer_bench.cli.options.reading import read_share, read_size, read_token
from infer_bench.errors import CannotRun
from infer_bench.gates.limits import parse_duration
from infer_bench.serving.app import APPLICATION, require_libraries
from infer_bench.serving.comparison import compare_pair
from infer_bench.serving.paths.served_model import choose_candidate
from infer_bench.serving.processes.listener import bind, is_loopback, url_of
from infer_bench.serving.processes.plan import Ready, ServerPlan
from infer_bench.serving.processes.supervisor import Supervisor
from infer_bench.serving.settings import ModelPlan, ServingSettings


def serve_model(
    model: str,
    engine: str | None = None,
    fallback: str | None = None,
    fallback_engine: str | None = None,
    allow_pickle: bool = False,
    max_delta: float | None = None,
    shadow: str = "0%",
    host: str = "127.0.0.1",
    port: int = 8080,
    name: str = "",
    sparse: bool = False,
    max_body: str = "8MiB",
    body_timeout: str = "10s",
    drain: str = "10s",
    token_file: str | None = None,
    workers: int = 1,
    threads: int = 1,
) -> int:
    """Serve as the command's options say; returns 0 when it was asked to end. Raises `UsageError` and `CannotRun`."""
    settings = ServingSettings(
        threads=threads, max_body_bytes=read_size(max_body, "max-body"), body_timeout_s=parse_duration(body_timeout),
        token=read_token(token_file), name=name, sparse=sparse, allow_pickle=allow_pickle,
        shadow=read_share(shadow, "shadow"), max_delta=max_delta,
    )  # fmt: skip
    models = ModelPlan(model, fallback or "", engine or "", fallback_engine or "")
    return run_serve(ServerPlan(models, settings, host, port, workers, parse_duration(drain)))


def run_serve(plan: ServerPlan) -> int:
    """Open the port once the model is loaded, and serve; returns 0 when it was asked to end."""
    require_libraries(*APPLICATION, "uvicorn", "httptools")
    plan = _look_at(plan)
    with bind(plan.host, plan.port) as listener:
        plan = _compare(plan) if plan.models.fallback and not plan.models.primary_error else plan
        url = url_of(listener)

        def tell_ready(ready: Ready) -> None:
            _warn_of_reach(plan)
            models = plan.models
            if ready.primary_error:
                _tell(f"{models.model} cannot be loaded, so {models.fallback} answers: {ready.primary_error}")
            if ready.alone_because:
                print(f"requests are answered one by one: {ready.alone_because}", file=sys.stderr, flush=True)
            print(f"serving {plan.models.model} on {url} (Ctrl-C ends it)", file=sys.stderr, flush=True)

        Supervisor(plan, listener, tell=_tell, tell_ready=tell_ready).run()
    return 0


def _look_at(plan: ServerPlan) -> ServerPlan:
    """The plan with the files' hashes; where there is a fallback, it says what is wrong with the first model."""
    models = plan.models
    if models.fallback:
        fallback = choose_candidate(models.fallback, models.fallback_engine, plan.settings)
        models = replace(models, fallback_sha256=fallback.artefact.sha256)
    try:
        candidate = choose_candidate(models.model, models.engine, plan.settings)
    except CannotRun as error:
        if not models.fallback:
            raise
        return replace(plan, models=replace(models, primary_error=str(error)))
    return replace(plan, models=replace(models, sha256=candidate.artefact.sha256))


def _compare(plan: ServerPlan) -> ServerPlan:
    """See that both models agree; the plan then says whether the first can be opened. Raises `PredictionsDiffer`."""
    models, settings = plan.models, plan.settings
    model = choose_candidate(models.model, models.engine, settings)
    fallback = choose_candidate(models.fallback, models.fallback_engine, settings)
    pair = compare_pair(
        model, fallback, max_delta=settings.max_delta, threads=settings.threads, allow_pickle=settings.allow_pickle
    )
    if pair.sentence:
        print(pair.sentence, file=sys.stderr, flush=True)
    return replace(plan, models=replace(models, primary_error=pair.error))


def _warn_of_reach(plan: ServerPlan) -> None:
    """Say what it means to listen where other machines can connect."""
    if is_loopback(plan.host):
        return
    if plan.settings.token:
        _tell(f"{plan.host} can be reached from other machines, and the token crosses the network in the clear")
    else:
        _tell(f"{plan.host} can be reached from other machines, and there is no authentication")
    print(
        "hint: put a proxy with TLS in front" + ("" if plan.settings.token else ", or use --token-file"),
        file=sys.stderr,
    )


def _tell(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr, flush=True)
