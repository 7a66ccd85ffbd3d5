"""Requests as bytes, and answers taken apart."""

from collections.abc import Mapping

from infer_bench.engines.http.protocols.base import Body
from infer_bench.engines.http.target import Target
from infer_bench.version import __version__

_FRAMING = (b"content-length", b"transfer-encoding")


def write_get(target: Target, path: str, headers: Mapping[str, str]) -> bytes:
    """A request for what is at `path`."""
    return _write(target, f"GET {path}", headers)


def write_post(target: Target, body: Body, headers: Mapping[str, str]) -> bytes:
    """A request with a body, to the target's own path."""
    about = {"Content-Type": body.content_type, "Content-Length": str(len(body.content)), **body.headers}
    return _write(target, f"POST {target.path}", {**about, **headers}) + body.content


def name_token(token: str) -> dict[str, str]:
    """The header that carries a bearer token; none without one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def _write(target: Target, line: str, headers: Mapping[str, str]) -> bytes:
    agent = f"infer-bench/{__version__}"
    common = {"Host": target.authority, "User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "identity"}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**common, **headers}.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode()


def require_plain(headers: Mapping[bytes, bytes]) -> None:
    """Raise `ValueError` for an answer that is compressed, which nobody asked for."""
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    if encoding not in (b"", b"identity"):
        raise ValueError(f"the answer is compressed ({encoding.decode('latin-1')[:40]}), though asked for as it is")


class AnswerReader:
    """Reads one answer after the other from the bytes of a connection.

    Of the answer that is read: its `status`, `headers` (names in lower case) and `body`; once it `is_complete`, whether
    the connection `keeps_alive` for another request. An answer that only says to wait (1xx) is left out.
    """

    def __init__(self) -> None:
        import httptools

        self._parser = httptools.HttpResponseParser(self)
        self._error, self._upgrade = httptools.HttpParserError, httptools.HttpParserUpgrade
        self.begin()

    def begin(self) -> None:
        """Forget the last answer; nothing of the next has come."""
        self.body: list[bytes] = []
        self.headers: dict[bytes, bytes] = {}
        self.status = 0
        self.is_complete = self.keeps_alive = self._has_head = self._is_excessive = False

    def feed(self, data: bytes) -> None:
        """Read on. Raises `ValueError` for what is no HTTP/1.1."""
        try:
            self._parser.feed_data(data)
        except self._upgrade:
            raise ValueError("it turns to another protocol") from None
        except self._error as error:
            raise ValueError(str(error)) from None

    @property
    def ends_with_connection(self) -> bool:
        """Whether the answer has no length of its own."""
        return self._has_head and not any(name in self.headers for name in _FRAMING)

    # Called by the parser.

    def on_message_begin(self) -> None:
        """An answer that follows another one was not asked for."""
        if self.is_complete:
            self._is_excessive, self.keeps_alive = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep it."""
        if not self._is_excessive:
            self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if not self._is_excessive:
            self._has_head, self.status = True, self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Keep it."""
        if not self._is_excessive:
            self.body.append(data)

    def on_message_complete(self) -> None:
        """An answer is whole; one that only says to wait (1xx) is forgotten."""
        if 100 <= self.status < 200:
            self.body, self.headers, self._has_head = [], {}, False
        elif not self._is_excessive:
            self.is_complete, self.keeps_alive = True, self._parser.should_keep_alive()
