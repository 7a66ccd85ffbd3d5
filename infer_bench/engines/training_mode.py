"""What a network exported in training mode computes: batches instead of rows, and random numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from infer_bench.model import Remark

TRAINING, RANDOM, STATE = "training-mode", "random-numbers", "own-state"
"""The codes of remarks: that of `STATE` is of a network that writes to buffers of its own."""
VARYING = (TRAINING, RANDOM, STATE)
"""Those of networks whose answers to a request need not be alike."""


@dataclass(frozen=True, slots=True)
class TrainingOperators:
    """Operators that work as in training: `batch` ones mix the rows of a request, `dropout` ones drop some of a row.

    `random` ones draw numbers, and may be meant to.
    """

    batch: tuple[str, ...] = ()
    dropout: tuple[str, ...] = ()
    random: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is to be known of the network; nothing where it has no such operator."""
        remarks = []
        if self.batch or self.dropout:
            effects = ["an answer depends on the other rows of its request"] if self.batch else []
            effects += ["no two answers are alike"] if self.dropout or self.random else []
            text = f"works in training mode ({_list((*self.batch, *self.dropout))}): {' and '.join(effects)}"
            remarks.append(Remark(TRAINING, text, "call model.eval() before the export"))
        if self.random:
            text = f"draws random numbers ({_list(self.random)}): no two answers are alike"
            remarks.append(Remark(RANDOM, text, "export it without them, or with what they draw as an input"))
        return tuple(remarks)


def _list(operators: Sequence[str]) -> str:
    """Each operator once, with how often it is there."""
    counts = {name: operators.count(name) for name in dict.fromkeys(operators)}
    return ", ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items())
