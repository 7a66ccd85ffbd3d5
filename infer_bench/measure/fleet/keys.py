"""What a result depends on, as one hash: artefacts, data, options and versions."""

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from infer_bench.data.file_digest import Digest
from infer_bench.errors import DataError
from infer_bench.measure.fleet.plan import TIMED, Task
from infer_bench.project import project_table
from infer_bench.report.common import Environment
from infer_bench.version import __version__


class FileHashes:
    """The SHA-256 of files, each read once as long as its size and time stay."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._lock = threading.Lock()

    def of(self, path: str) -> str:
        """In hexadecimal; empty for what cannot be read."""
        try:
            status = os.stat(path)
            mark = (path, status.st_size, status.st_mtime_ns)
            with self._lock:
                if mark not in self._hashes:
                    self._hashes[mark] = Digest([Path(path)]).value()
                return self._hashes[mark]
        except (OSError, DataError):
            return ""


def machine_class(environment: Environment) -> str:
    """What machines must share for times to be compared: processor, CPUs, memory, system and architecture."""
    gib = round(environment.memory_bytes / 2**30)
    system = environment.os.partition(" ")[0]
    cpus = f"{environment.cpus_effective:g} CPUs"
    return f"{environment.cpu_model}, {cpus}, {gib} GiB, {system} {environment.machine}"


def list_conditions(environment: Environment, folder: str) -> dict[str, str]:
    """What every result depends on: versions, and the settings that the project keeps for its commands.

    Raises `UsageError` for settings that cannot be read.
    """
    settings = json.dumps(project_table(Path(folder)), sort_keys=True, default=str)
    return {"infer-bench": __version__, "Python": environment.python, **environment.packages, "project": settings}


def make_key(task: Task, folder: str, conditions: Mapping[str, str], machine: str, hashes: FileHashes) -> str:
    """The hash of all that the task's result depends on; of a time that is also the class of machine."""
    content = {
        "command": task.command,
        "arguments": task.arguments,
        "files": {path: hashes.of(os.path.join(folder, path)) for path in task.inputs},
        "conditions": dict(conditions),
        "machine": machine if task.command in TIMED else "",
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
