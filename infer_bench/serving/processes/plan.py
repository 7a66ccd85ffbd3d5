"""What a worker is told when it starts."""

from dataclasses import dataclass, field

from infer_bench.errors import UsageError
from infer_bench.serving.settings import ModelPlan, ServingSettings

MOST_WORKERS = 256


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """What is served, where, and by how many workers. `drain_s` is how long requests may take to end."""

    models: ModelPlan
    settings: ServingSettings = field(default_factory=ServingSettings)
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    drain_s: float = 10.0

    def __post_init__(self) -> None:
        if self.settings.shadow and not self.models.fallback:
            raise UsageError(
                "there is no fallback to compare with", "--shadow asks both models: name one with --fallback"
            )
        if not 0 <= self.port <= 65535:
            raise UsageError("a port is 0 to 65535")
        if not 1 <= self.workers <= MOST_WORKERS:
            raise UsageError(f"workers are 1 to {MOST_WORKERS}")
        if not 0 <= self.drain_s <= 3600:
            raise UsageError("draining takes at most an hour")


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """The plan, which of the workers this is, and the descriptors that it inherits: the socket and the numbers."""

    server: ServerPlan
    number: int
    socket: int
    memory: int


@dataclass(frozen=True, slots=True)
class Ready:
    """What a worker says once it accepts requests.

    `primary_error` is why the model could not be loaded, `alone_because` why requests are answered one by one (empty:
    they go together).
    """

    primary_error: str = ""
    alone_because: str = ""
