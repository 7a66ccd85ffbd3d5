"""How often a verdict may be wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errors:
    """`alpha`: the chance of calling a ratio at its limit a regression; `beta`: that of passing it."""

    alpha: float = 0.01
    beta: float = 0.05
