"""What a worker is told to be, written by the coordinator before the process starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from infer_bench.model import ModelRef


@dataclass(frozen=True, slots=True)
class Job:
    """A candidate for a worker: which engine (`module:Class`), which model, which options.

    `environment` is added to the process's variables, `affinity` limits its CPUs; both take effect before any import.
    `lean` names modules that the worker keeps from being imported. `interpreter` may belong to another environment.
    """

    engine: str
    model: ModelRef
    options: Mapping[str, str] = field(default_factory=dict)
    allow_pickle: bool = False
    lean: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    affinity: tuple[int, ...] = ()
    interpreter: str = ""
    folder: str = field(default_factory=os.getcwd)
