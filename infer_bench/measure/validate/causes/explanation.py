"""What was found out about rows that differ."""

from dataclasses import dataclass

from infer_bench.report.validate import Cause


@dataclass(frozen=True, slots=True)
class Explanation:
    """Causes, how many of the examined rows they leave unexplained, and why nothing is said where nothing is."""

    causes: tuple[Cause, ...] = ()
    not_explained: int = 0
    why: str = ""
