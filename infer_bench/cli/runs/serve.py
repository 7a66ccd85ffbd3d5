"""Runs a server until it is asked to end."""

import sys

from infer_bench.errors import UsageError
from infer_bench.serving.app import APPLICATION, require_libraries
from infer_bench.serving.paths.served_model import choose_candidate
from infer_bench.serving.processes.listener import bind, is_loopback, url_of
from infer_bench.serving.processes.plan import ServerPlan
from infer_bench.serving.processes.supervisor import Supervisor


def run_serve(plan: ServerPlan) -> int:
    """Open the port once the model is loaded, and serve; returns 0 when it was asked to end."""
    require_libraries(*APPLICATION, "uvicorn", "httptools")
    choose_candidate(plan.models.model, plan.models.engine, plan.settings)
    with bind(plan.host, plan.port) as listener:
        url = url_of(listener)

        def tell_ready(primary_error: str) -> None:
            _warn_of_reach(plan)
            print(f"serving {plan.models.model} on {url} (Ctrl-C ends it)", file=sys.stderr, flush=True)

        Supervisor(plan, listener, tell=_tell, tell_ready=tell_ready).run()
    return 0


def read_token(path: str | None) -> str:
    """The token in a file, without the blanks around it; empty without a file. Raises `UsageError`."""
    if path is None:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read(65_536).strip()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the token's file {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise UsageError(
            f"{path} holds no token", "one line of ASCII without blanks, such as `openssl rand -hex 32` gives"
        )
    return token


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
