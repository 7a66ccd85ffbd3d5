"""The settings of a run that its notices must know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InUse:
    """The settings that a hint must know.

    `budget_given`: a budget or a number of rounds was chosen; `rows`: "rotate" or "same"; `lean`: the candidates whose
    workers kept modules from being imported; `tensors`: the requests are arrays, and not rows.
    """

    threads: int = 1
    rows: str = "rotate"
    processes: int = 3
    budget_given: bool = False
    lean: frozenset[str] = frozenset()
    rows_cycled: int = 1024
    tensors: bool = False
