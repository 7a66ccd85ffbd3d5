"""Which model is served, and how."""

import math
import os
from dataclasses import dataclass
from pathlib import PurePath

from infer_bench.errors import UsageError

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Which model is served, and which one is behind it (empty: none), with the candidates that open them.

    `primary_error` is why the first cannot be loaded, where that is known: it is not tried again. `sha256` and
    `fallback_sha256` are of the files that the server started with (empty: not known); another file is not served.
    """

    model: str
    fallback: str = ""
    engine: str = ""
    fallback_engine: str = ""
    primary_error: str = ""
    sha256: str = ""
    fallback_sha256: str = ""

    @property
    def name(self) -> str:
        """What the model is called: its file's name without the ending, or the function's."""
        function = ":" in self.model and not os.path.lexists(self.model)
        return self.model.rpartition(":")[2] if function else PurePath(self.model).stem


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """What an application is told, checked.

    `max_body_bytes` is the largest body that is read, `body_timeout_s` how long a client may take to send it, and
    `queue` how many requests may wait for the engine. `token` is the bearer token that requests must carry (none when
    empty). `name` is what the model is called (empty: its file's name without the ending). `sparse` lets records lack
    columns, which then are missing values. `shadow` is the share of requests that both models are asked, and
    `max_delta` how far their predictions may lie apart (None: as in `validate`).
    """

    threads: int = 1
    max_body_bytes: int = 8 * MIB
    body_timeout_s: float = 10.0
    queue: int = 1024
    token: str = ""
    name: str = ""
    sparse: bool = False
    shadow: float = 0.0
    max_delta: float | None = None
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
        if not 0 <= self.shadow <= 1:
            raise UsageError("a share of the requests is 0 to 100 %")
        if self.max_delta is not None and not 0 <= self.max_delta < math.inf:
            raise UsageError("the largest difference is a number from 0 on")
        if "/" in self.name:
            raise UsageError(f"a model cannot be called {self.name!r}", "the name stands in a path")
