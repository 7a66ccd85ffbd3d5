"""`doctor`: looks at the machine, the libraries and the noise, and says what can be measured here."""

import datetime
from dataclasses import replace

from infer_bench.engines.registry import EngineInfo, available
from infer_bench.errors import InferBenchError
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe, find_double_installs
from infer_bench.machine.tuning import read_tuning
from infer_bench.measure.doctor.findings import list_findings
from infer_bench.measure.doctor.noise import measure_noise, measure_timer
from infer_bench.measure.doctor.providers import ask_providers
from infer_bench.progress import Progress, Silent
from infer_bench.report.doctor import Doctor, Library, Noise
from infer_bench.version import __version__


def examine(*, quick: bool = False, progress: Progress | None = None) -> Doctor:
    """Look at everything. `quick` leaves out the noise, which takes about three seconds.

    No engine's library is imported by this process. What cannot be found out becomes a finding, not an error.
    """
    progress = progress or Silent()
    progress.update(0, "asking the libraries")
    environment = describe(PACKAGES)  # before anything adds to the load
    noise, problem = (None, "left out (--quick)") if quick else _try_noise(progress)
    doctor = Doctor(
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        environment=environment,
        tuning=read_tuning(),
        libraries=tuple(map(_describe_library, available())),
        providers=ask_providers(),
        double_installs=find_double_installs(),
        timer=measure_timer(),
        noise=noise,
        noise_problem=problem,
    )
    return replace(doctor, findings=list_findings(doctor))


def _try_noise(progress: Progress) -> tuple[Noise | None, str]:
    try:
        return measure_noise(progress), ""
    except InferBenchError as error:
        return None, error.message
    except OSError as error:
        return None, f"no process can be started: {error.strerror or error}"


def _describe_library(info: EngineInfo) -> Library:
    broken = info.problem if not info.requires else ""
    return Library(info.name, info.version, info.install, broken)
