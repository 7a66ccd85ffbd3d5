"""How a model is served."""

import math
from dataclasses import dataclass

from infer_bench.errors import UsageError

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """What an application is told, checked.

    `max_body_bytes` is the largest body that is read, `body_timeout_s` how long a client may take to send it, and
    `queue` how many requests may wait for the engine. `token` is the bearer token that requests must carry (none when
    empty). `name` is what the model is called (empty: its file's name without the ending).
    """

    threads: int = 1
    max_body_bytes: int = 8 * MIB
    body_timeout_s: float = 10.0
    queue: int = 1024
    token: str = ""
    name: str = ""
    sparse: bool = False
    allow_pickle: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 1024:
            raise UsageError("threads are 1 to 1024")
        if self.max_body_bytes < 1:
            raise UsageError("the largest body is at least one byte")
        if not 0 < self.body_timeout_s < math.inf:
            raise UsageError("a body takes a positive number of seconds")
        if self.queue < 1:
            raise UsageError("at least one request must be able to wait")
        if "/" in self.name:
            raise UsageError(f"a model cannot be called {self.name!r}", "the name stands in a path")
