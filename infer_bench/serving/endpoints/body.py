"""Reading a request's body: never more of it, and never longer, than the settings allow."""

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from infer_bench.serving.faults import RequestFault
from infer_bench.serving.settings import ServingSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RequestHeaders = Mapping[bytes, bytes]

_CLOSE = ((b"connection", b"close"),)
_LINGER_S = 1.0
"""So long a body that is too large is read and thrown away: a client that still sends reads no answer."""
_ANY_HEAD = zlib.MAX_WBITS | 32
"""Of gzip and of zlib, as the first bytes say."""
_JSON = (b"application/json", b"text/json")


class ClientGone(Exception):
    """The client has closed its connection: there is nobody to answer."""


def header(scope: Scope, name: bytes) -> bytes:
    """A header's value; empty without one."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


def read_headers(scope: Scope) -> RequestHeaders:
    """The headers by name; of one that stands twice, the first."""
    return dict(reversed(list(scope["headers"])))


def require_json(headers: RequestHeaders) -> None:
    """Raise `RequestFault` where the body says that it is something else than JSON, as curl does unless told."""
    content_type = headers.get(b"content-type", b"")
    if content_type == _JSON[0]:
        return
    kind = content_type.partition(b";")[0].strip().lower()
    if kind and kind not in _JSON and not kind.endswith(b"+json"):
        said = kind.decode("latin-1")[:80]
        raise RequestFault(415, "malformed", f"the body says that it is {said}: send it as application/json")


async def read_body(scope: Scope, receive: Receive, settings: ServingSettings) -> bytes:
    """The whole body, gzip and deflate undone.

    Raises `RequestFault` for one that is too large or too slow, `ClientGone` for one that does not come to its end.
    """
    encoding = header(scope, b"content-encoding").lower()
    if encoding not in (b"", b"identity", b"gzip", b"deflate"):
        raise RequestFault(
            415, "malformed", "the body is compressed, and neither as gzip nor as deflate", headers=_CLOSE
        )
    length = header(scope, b"content-length")
    if length and int(length) > settings.max_body_bytes:
        if header(scope, b"expect").lower() != b"100-continue":  # who waits for a word has sent nothing yet
            await _discard(receive)
        raise _too_large(settings)
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            body = await _read(receive, settings)
    except TimeoutError:
        message = f"the body did not arrive in {settings.body_timeout_s:g} s"
        raise RequestFault(408, "slow", message, headers=_CLOSE) from None
    return body if encoding in (b"", b"identity") else _decompress(body, encoding, settings)


def _decompress(body: bytes, encoding: bytes, settings: ServingSettings) -> bytes:
    """The body as it was; no more of it is made than may be sent."""
    is_bare = encoding == b"deflate" and body[:1] and body[0] & 15 != zlib.DEFLATED  # no head, as some clients have it
    stream = zlib.decompressobj(-zlib.MAX_WBITS if is_bare else _ANY_HEAD)
    try:
        content = stream.decompress(body, settings.max_body_bytes + 1)
    except zlib.error:
        raise RequestFault(400, "malformed", "the body is not compressed as it says") from None
    if len(content) > settings.max_body_bytes:
        raise _too_large(settings)
    if not stream.eof:
        raise RequestFault(400, "malformed", "the compressed body ends too early")
    if stream.unused_data:
        raise RequestFault(400, "malformed", "the compressed body goes on behind its end")
    return content


async def _read(receive: Receive, settings: ServingSettings) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > settings.max_body_bytes:
            raise _too_large(settings)
        return body
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > settings.max_body_bytes:
            await _discard(receive)
            raise _too_large(settings)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()


async def _discard(receive: Receive) -> None:
    """Read on for a while, so that a client has sent all before it reads the answer; a slower one is cut off."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (await receive()).get("more_body", False):
                pass


def _too_large(settings: ServingSettings) -> RequestFault:
    message = f"the body is larger than {settings.max_body_bytes:,} bytes"
    return RequestFault(413, "too-large", message, headers=_CLOSE)
