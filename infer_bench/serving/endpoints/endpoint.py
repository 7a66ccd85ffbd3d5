"""What every endpoint does: check the token, answer, count, and turn what is wrong into a sentence."""

import hashlib
import hmac
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from infer_bench.serving.endpoints.body import ClientGone, Receive, Scope, Send, header
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.service import Service

Headers = Sequence[tuple[bytes, bytes]]

JSON: Headers = ((b"content-type", b"application/json"),)
CLOSE = (b"connection", b"close")
logger = logging.getLogger("infer_bench.serving")


@dataclass(slots=True)
class Response:
    """An answer: its headers but for the length, which the body says."""

    body: bytes
    status: int = 200
    headers: Headers = JSON


class Endpoint:
    """An ASGI application for one path. `label` is what its requests are counted by.

    One that is not `public` asks for the token, where there is one.
    """

    label: ClassVar[str] = "other"
    public: ClassVar[bool] = False

    def __init__(self, service: Service) -> None:
        self.service = service
        token = service.settings.token
        self._digest = hashlib.sha256(token.encode()).digest() if token and not self.public else b""

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """The answer. Raises `RequestFault`."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        start = time.perf_counter_ns()
        try:
            self.authorize(header(scope, b"authorization"))
            response = await self.respond(scope, receive)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the last resort: the server stays up
            response = self.explain(error)
        await send_response(send, response, is_last=self.service.draining)
        self.service.counters.count_request(self.label, response.status, time.perf_counter_ns() - start)

    def explain(self, error: Exception) -> Response:
        """What is wrong, as JSON; of what is the server's own fault, nothing but that."""
        if isinstance(error, RequestFault):
            return describe_fault(self.service, error)
        logger.error("a bug: %s: %s", type(error).__name__, error, exc_info=error)
        return describe_fault(self.service, RequestFault(500, "failed", "the server failed"))

    def authorize(self, authorization: bytes) -> None:
        """Raise `RequestFault` for a header without the token, where there is one."""
        if not self._digest:
            return
        scheme, _, token = authorization.partition(b" ")
        # Digests are of one length, whatever is sent, and compared in a time that tells nothing.
        matches = hmac.compare_digest(hashlib.sha256(token.strip()).digest(), self._digest)
        if scheme.lower() != b"bearer" or not matches:
            ask = ((b"www-authenticate", b"Bearer"),)
            raise RequestFault(401, "unauthorized", "this server asks for a bearer token", headers=ask)


def describe_fault(service: Service, fault: RequestFault) -> Response:
    """Count what is wrong, and say it."""
    service.counters.count_error(fault.kind)
    content: dict[str, Any] = {"error": fault.message}
    if fault.columns:
        content["columns"] = fault.columns
    return Response(msgspec.json.encode(content), fault.status, (*JSON, *fault.headers))


async def send_response(send: Send, response: Response, *, is_last: bool) -> None:
    """Send it, the last one of its connection with a word of that; a client that is gone gets nothing."""
    headers = [*response.headers, (b"content-length", str(len(response.body)).encode())]
    if is_last and CLOSE not in headers:
        headers.append(CLOSE)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
