"""The frozen types of a fleet: what each job said of each model. See `common`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infer_bench.report.common import Report, Verdict


@dataclass(frozen=True, slots=True)
class FleetResult:
    """One job on one model, by its path. `report` is the file with the command's own report, None where it wrote none.

    `key` is the hash of the artefacts, the data, the options and the versions; a result that was there already under
    the same key is `reused`. `figures` are the command's most telling numbers, by the names that they have in its
    report. `machine` is the class of machine that it ran on: times of two classes are not to be compared.
    """

    model: str
    job: str
    command: str
    verdict: Verdict
    report: str | None
    key: str
    machine: str
    reused: bool = False
    figures: Mapping[str, float | int | None] = field(default_factory=dict)
    elapsed_ns: int = 0

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return True


FleetReport = Report[FleetResult]
