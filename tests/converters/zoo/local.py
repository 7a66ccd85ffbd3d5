"""A worker without a process: the same messages, answered here, so that hundreds of conversions take minutes."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infer_bench.workers.child import Child, _answer
from infer_bench.workers.job import Job
from infer_bench.workers.pool import _error
from infer_bench.workers.protocol import Message, pack_columns


class LocalWorker:
    """Stands in for `infer_bench.workers.pool.Worker`."""

    def __init__(self, job: Job, **ignored: Any) -> None:
        self.job = job
        self._child = Child()
        self._posted: list[Message] = []

    def ask(self, kind: str, *, timeout_s: float | None = None, **fields: Any) -> Message:
        """Answered at once."""
        return self._told(Message(kind, fields))

    def _told(self, message: Message) -> Message:
        blocked = {name for name, module in list(sys.modules.items()) if module is None}
        reply = _crossed(_answer(self._child, _crossed(message)))
        for name in [name for name, module in list(sys.modules.items()) if module is None and name not in blocked]:
            del sys.modules[name]
        if reply.kind == "error":
            raise _error(reply.fields)
        return reply

    def open(self) -> Message:
        """As a worker's."""
        return self.ask("open", **self.job.fields())

    def rows(self, columns: Mapping[str, Any]) -> None:
        """As a worker's."""
        self._told(pack_columns(columns))

    def put(self, kind: str, columns: Mapping[str, Any]) -> Message:
        """As a worker's."""
        return self._told(replace(pack_columns(columns), kind=kind))

    def post(self, message: Message) -> None:
        """Kept until `hear`."""
        self._posted.append(message)

    def hear(self, kind: str) -> Message:
        """The answer to the oldest of what was posted."""
        return self._told(self._posted.pop(0))

    def close(self) -> None:
        """Nothing to end."""

    kill = close

    def __enter__(self) -> "LocalWorker":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()


def _crossed(message: Message) -> Message:
    """As it arrives on the other side: fields are JSON."""
    return Message(message.kind, json.loads(json.dumps(message.fields)), message.arrays)
