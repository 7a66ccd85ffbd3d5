"""Requests beforehand: what the service says of itself, and whether it answers as it should."""

from collections.abc import Callable, Mapping, Sequence

from infer_bench.engines.http.errors import read_sentence
from infer_bench.engines.http.messages import name_token, write_get
from infer_bench.engines.http.protocols.base import Answer, Body, Codec, Record
from infer_bench.engines.http.target import Target
from infer_bench.errors import CannotRun
from infer_bench.measure.load.generator.clock import SpinningClock
from infer_bench.measure.load.generator.event_loop import run_in_loop
from infer_bench.measure.load.generator.pool import Pool
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service

_REDIRECTS = tuple(f"status-{status}" for status in (300, 301, 302, 303, 307, 308))
_NEXT_ADDRESS = ("refused", "unreachable")
"""What may be otherwise at another address of the same name."""


class _Content:
    """Keeps what is answered."""

    name = "content"
    carries_infinity = False

    def __init__(self) -> None:
        self.content = b""

    def encode(self, records: Sequence[Record]) -> Body:
        raise NotImplementedError

    def decode(self, content: bytes, headers: Mapping[bytes, bytes], rows: int) -> Answer:
        self.content = content
        return Answer(None)


def find_service(
    target: Target, addresses: Sequence[str], codec: Codec, payloads: Payloads, timeout_s: float
) -> Service:
    """The service at the first address that answers a request.

    Raises `CannotRun` where none does, and where the answer shows that every other request would fail, too. An error of
    the service's own (5xx) may pass.
    """
    service, kind, example = _ask_each(addresses, lambda a: Service(target, a, codec, payloads), timeout_s)
    if kind and not kind.startswith("status-5"):
        raise _explain(target.url, kind, example, timeout_s)
    return service


def fetch(target: Target, addresses: Sequence[str], path: str, timeout_s: float, token: str = "") -> bytes:
    """What `GET path` answers. Raises `CannotRun` for anything but 2xx."""
    codec = _Content()
    payloads = Payloads((write_get(target, path, name_token(token)),), 1)
    _, kind, example = _ask_each(addresses, lambda a: Service(target, a, codec, payloads), timeout_s)
    if kind:
        scheme = "https" if target.tls else "http"
        raise _explain(f"{scheme}://{target.authority}{path}", kind, example, timeout_s)
    return codec.content


def _ask_each(addresses: Sequence[str], make: Callable[[str], Service], timeout_s: float) -> tuple[Service, str, str]:
    """The last service asked, the kind of its failure (empty for a right answer) and what it said."""
    for address in addresses:
        service = make(address)
        recording = _ask(service, timeout_s)
        kind = recording.failures.get(0, "")
        if kind not in _NEXT_ADDRESS:
            break
    return service, kind, recording.examples.get(kind, "")


def _ask(service: Service, timeout_s: float) -> Recording:
    clock = SpinningClock()
    recording = Recording([clock.now_ns()])

    async def ask() -> None:
        pool = Pool(service, 1, recording, clock, round(timeout_s * 1e9))
        pool.submit(0)
        await pool.drain()
        await pool.close()

    run_in_loop(ask)
    return recording


def _explain(url: str, kind: str, example: str, timeout_s: float) -> CannotRun:
    detail = " ".join(read_sentence(example).split())[:300]
    explanation = f": {detail}" if detail else ""
    status = kind.removeprefix("status-")
    if kind in _REDIRECTS:
        return CannotRun(f"{url} redirects to {detail or 'nowhere'}", "name the address that answers itself")
    if kind.startswith("status-"):
        return CannotRun(f"{url} refuses the request with {status}{explanation}", _hint_at(status))
    sentences = {
        "refused": (f"{url} refuses connections", "start the service, or see the port"),
        "timeout": (f"{url} gave no answer in {timeout_s:g} s", "raise --timeout, or see whether it is up"),
        "closed": (
            f"{url} closed the connection without a whole answer",
            "see the service's own log, and http:// or https://",
        ),
        "reset": (f"{url} reset the connection", "see the service's own log"),
        "not-http": (f"{url} does not speak HTTP/1.1{explanation}", "see the port, and http:// or https://"),
        "tls": (f"no TLS connection to {url}{explanation}", "SSL_CERT_FILE names certificates to trust"),
        "wrong-answer": (f"{url} answers what holds no predictions{explanation}", "see path, protocol and --answer"),
    }
    message, hint = sentences.get(kind, (f"{url} cannot be reached{explanation}", "see the address"))
    return CannotRun(message, hint)


def _hint_at(status: str) -> str:
    """What helps, by the status of a refusal."""
    by_status = {
        "401": "--token-file gives the bearer token that is asked for",
        "403": "see what the service allows, and --token-file",
        "408": "see the service's limit on the time of a request",
        "413": "send less in a request, or raise the service's limit",
        "429": "the service, or a proxy before it, limits how many requests it takes: see its limit, and who else asks",
    }
    return by_status.get(status, "see path, protocol and columns")
