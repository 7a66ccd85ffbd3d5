"""What a model is fed: each input with its type, its shapes and the rule behind its values."""

from collections.abc import Sequence
from dataclasses import dataclass

from infer_bench.report.common import DrawnInput
from infer_bench.reporters.text.layout import clean, measure_width, pad, style, wrap

_MOST_INPUTS = 4


@dataclass(frozen=True, slots=True)
class InputLine:
    """An input: what the model says of its `name`, `type` and shape, and the `shape` and `rule` of what is drawn."""

    name: str
    type: str
    model_shape: str
    shape: str
    rule: str


def draw_inputs(title: str, lines: Sequence[InputLine], *, width: int | None = None, color: bool = False) -> list[str]:
    """Two lines an input: its type with the model's shape and the one drawn, and below it the rule of its values."""
    columns = [[clean(getattr(line, key)) for line in lines] for key in ("name", "type", "model_shape", "shape")]
    widths = [max(map(measure_width, column), default=0) for column in columns]
    drawing = [style(clean(title), "bold", color)]
    for line, *cells in zip(lines, *columns, strict=True):
        row = "  ".join(pad(cell, size) for cell, size in zip(cells, widths, strict=True)).rstrip()
        is_wide = width is not None and width < measure_width(row) + 2
        drawing += wrap(row, width, first="  ", rest="    ") if is_wide else [f"  {row}"]
        drawing += wrap(clean(line.rule), width, first="    ", rest="      ")
    return drawing


def describe_inputs(inputs: Sequence[DrawnInput]) -> str:
    """Of the first inputs shape and rule, as in `images 1x3x224x224, uniform in [0, 1)`."""
    first = [f"{entry.name} {_shapes(entry)}, {entry.rule}" for entry in inputs[:_MOST_INPUTS]]
    rest = len(inputs) - len(first)
    return "; ".join(first) + (f"; and {rest} more" if rest else "")


def _shapes(entry: DrawnInput) -> str:
    return " and ".join("x".join(map(str, shape)) or "scalar" for shape in entry.shapes)
