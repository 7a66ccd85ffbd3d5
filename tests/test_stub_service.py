"""The service that tests load: nothing of it outlives it."""

import socket
import threading
from urllib.parse import urlsplit

from tests.stub_service import serve


def test_connections_end_with_it() -> None:
    asked = threading.Event()
    with serve(lambda exchange: asked.set()) as url:
        client = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=600)
        client.sendall(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        assert asked.wait(600)
    with client:
        assert not client.recv(1)
