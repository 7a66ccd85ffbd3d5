"""What is known of an input from the operators that it reaches, and the values on their way there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

InputAxis = tuple[str, int]
"""An input and one of its axes."""
Size = int | InputAxis | None
"""A size, or the axis of an input that has the same; None where nothing is known."""


@dataclass(slots=True)
class InputUse:
    """What a graph does with one of its inputs.

    Its values are positions from `low` to `high`, both included, which `reason` tells; None where they are none.
    `places` are the axes along which they are positions too, whose sizes a request decides, each with what is added to
    the values first. `time_axis` is one that a layer goes along step by step, with the `batch_axis` beside it.
    `constants` are the numbers that it is compared with, in the graph's order; `sizes` are those that operators ask of
    its axes. As an `operand` it says how another tensor is reshaped or cut, and `operand_value` is one that will do.
    It `is_cast` where its values are made ones of another type: a text is read as a number then. `texts` are those that
    an encoder lists.
    """

    low: int = 0
    high: int | None = None
    reason: str = ""
    constants: list[float] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    operand: str = ""
    operand_value: int = 0
    places: list[tuple[InputAxis, int, str]] = field(default_factory=list)
    time_axis: int | None = None
    batch_axis: int | None = None
    is_cast: bool = False
    texts: dict[str, None] = field(default_factory=dict)

    def limit(self, low: int, high: int, reason: str) -> None:
        """Note one more use as a position; the narrowest counts."""
        self.low = max(self.low, low)
        if self.high is None or high < self.high:
            self.high, self.reason = high, reason

    def within(self, shapes: Mapping[str, Sequence[int]]) -> "InputUse":
        """The same for requests of these shapes, which say how far positions along their axes go."""
        use = replace(self, places=[])
        for (name, axis), offset, reason in self.places:
            size = shapes[name][axis] if name in shapes else 1
            use.limit(max(0, -offset), max(0, size - 1 - offset), f"{reason} ({size:,} long)")
        return use

    def note_operand(self, op: str, value: int) -> None:
        """Note that it says how `op` changes another tensor; the first such use counts."""
        if not self.operand:
            self.operand, self.operand_value = op, value


Axes = tuple[int | None, ...] | None
"""Of each axis of a value the input's axis that has the same size; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: an input plus `offset`, None where it is computed in another way."""

    input: str
    offset: int | None
    axes: Axes

    def with_axes(self, axes: Axes) -> "Origin":
        """The same values in other axes."""
        return Origin(self.input, self.offset, axes)

    def shift(self, offset: int | None) -> "Origin":
        """The values plus `offset`; None for values that are no longer the input's."""
        both_have_offset = offset is not None and self.offset is not None
        return Origin(self.input, (self.offset or 0) + (offset or 0) if both_have_offset else None, self.axes)


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor of the graph's own: its sizes, its first value where it is short, and its whole numbers."""

    name: str
    sizes: tuple[int, ...]
    first: float | None
    values: tuple[int, ...] = ()

    @property
    def is_range(self) -> bool:
        """Whether it counts: each of three or more numbers is the one before plus 1."""
        return len(self.values) > 2 and self.values == tuple(range(self.values[0], self.values[0] + len(self.values)))


def permute(sizes: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """The sizes after a transposition; reversed without an `order`."""
    return tuple(sizes[axis] for axis in order) if len(order) == len(sizes) else tuple(reversed(sizes))
