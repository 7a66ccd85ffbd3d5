"""One request beforehand: whether the target answers at all, and as it should."""

from collections.abc import Sequence

import msgspec

from infer_bench.errors import CannotRun
from infer_bench.measure.load.clock import SpinningClock
from infer_bench.measure.load.event_loop import run_in_loop
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.pool import Pool
from infer_bench.measure.load.protocols.base import Codec
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.target import Target

_NEXT_ADDRESS = ("refused", "unreachable")
"""What may be otherwise at another address of the same name."""


def find_address(target: Target, addresses: Sequence[str], codec: Codec, payloads: Payloads, timeout_s: float) -> str:
    """The first address at which the target answers a request.

    Raises `CannotRun` where none does, and where the answer shows that every other request would fail, too. An error of
    the server's own (5xx) may pass.
    """
    recording = Recording([0])
    for address in addresses:
        recording = _ask(target, address, codec, payloads, timeout_s)
        if recording.failures.get(0, "") not in _NEXT_ADDRESS:
            break
    kind = recording.failures.get(0, "")
    if kind and not kind.startswith("status-5"):
        raise _explain(target, kind, recording.examples.get(kind, ""), timeout_s)
    return address


def _ask(target: Target, address: str, codec: Codec, payloads: Payloads, timeout_s: float) -> Recording:
    clock = SpinningClock()
    recording = Recording([clock.now_ns()])

    async def ask() -> None:
        pool = Pool(target, address, 1, codec, payloads, recording, clock, round(timeout_s * 1e9))
        pool.submit(0)
        await pool.drain()
        await pool.close()

    run_in_loop(ask)
    return recording


def _explain(target: Target, kind: str, example: str, timeout_s: float) -> CannotRun:
    detail = " ".join(_read_sentence(example).split())[:300]
    shown = f": {detail}" if detail else ""
    status = kind.removeprefix("status-")
    if kind.startswith("status-3"):
        return CannotRun(f"{target.url} redirects to {detail or 'nowhere'}", "name the address that answers itself")
    if kind.startswith("status-"):
        return CannotRun(f"{target.url} refuses the request with {status}{shown}", "see path, protocol and columns")
    sentences = {
        "refused": (f"{target.url} refuses connections", "start the service, or see the port"),
        "timeout": (f"{target.url} gave no answer in {timeout_s:g} s", "raise --timeout, or see whether it is up"),
        "closed": (f"{target.url} closed the connection without a whole answer", "see the service's own log"),
        "reset": (f"{target.url} reset the connection", "see the service's own log"),
        "not-http": (f"{target.url} does not speak HTTP/1.1{shown}", "see the port, and http:// or https://"),
        "tls": (f"no TLS connection to {target.url}{shown}", "SSL_CERT_FILE names certificates to trust"),
        "wrong-answer": (f"{target.url} answers what holds no predictions{shown}", "see path and protocol"),
    }
    message, hint = sentences.get(kind, (f"{target.url} cannot be reached{shown}", "see the address"))
    return CannotRun(message, hint)


def _read_sentence(content: str) -> str:
    """What a service says of an error: the `error`, `detail` or `message` of its JSON, or all of the text."""
    try:
        document = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):
        return content
    by_name = document if isinstance(document, dict) else {}
    sentences = [by_name[name] for name in ("error", "detail", "message") if isinstance(by_name.get(name), str)]
    return sentences[0] if sentences else content
