"""`python broker.py LISTENER OWNER`: brings those who want a fork to the template of their kind, which it starts.

Ends when the other end of the descriptor OWNER is closed, and all templates with it.
"""

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

STARTS = 2
"""So many processes of a kind are started: a template takes as long to import as they do together."""
MESSAGE_BYTES = 1 << 18


class Broker:
    """The templates by their kind, and how often each kind was asked for."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._templates: dict[str, socket.socket] = {}

    def introduce(self, client: socket.socket) -> None:
        """Read what kind it wants, and hand it over to that template, or tell it to start the process itself."""
        data = client.recv(MESSAGE_BYTES)
        if not data:
            return
        request = json.loads(data)
        kind: str = request["kind"]
        self._counts[kind] = count = self._counts.get(kind, 0) + 1
        client.send(json.dumps({"is_forked": count > STARTS}).encode())
        if count > STARTS:
            if kind not in self._templates:
                self._templates[kind] = start_template(request)
            socket.send_fds(self._templates[kind], [b"c"], [client.fileno()])


def start_template(request: dict[str, Any]) -> socket.socket:
    """A template that takes clients from the socket that is returned, for as long as that is open."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        script = Path(__file__).with_name("template.py")
        subprocess.Popen(
            [sys.executable, "-P", str(script), str(theirs.fileno()), *request["absent"]],
            env=request["environment"],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return ours


def main(listener_number: str, owner_number: str) -> None:
    """Serve until the owner is gone."""
    listener, owner = socket.socket(fileno=int(listener_number)), int(owner_number)
    for number in (listener.fileno(), owner):
        os.set_inheritable(number, False)
    broker = Broker()
    ends: list[Any] = [listener, owner]
    while owner not in select.select(ends, [], [])[0]:
        client, _ = listener.accept()
        with client:
            broker.introduce(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
