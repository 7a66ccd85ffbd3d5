"""What a conversion is asked for and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from infer_bench.errors import UsageError

if TYPE_CHECKING:
    from infer_bench.typing import Columns

Precision = Literal["exact", "float32"]
InputDtype = Literal["float32", "float64"]
Trees = Literal["auto", "best", "all"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
INPUT_DTYPES: tuple[InputDtype, ...] = get_args(InputDtype)
OPSETS: tuple[Literal[3, 5], ...] = (5, 3)
LABEL, PROBABILITIES, SCORES, PREDICTION = OUTPUTS = ("label", "probabilities", "scores", "prediction")
"""What a file's outputs are called."""
TREES: tuple[Trees, ...] = get_args(Trees)


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """What the file should be.

    `precision` "exact" computes as the original library does, in double where that does; "float32" stores and computes
    in float32. `input_dtype` is that of the rows: with float32, what is exact is exact for rows that float32 can hold.
    `trees` "best" stops at the best iteration of early stopping, "all" does not, "auto" does what the library does with
    this artefact: XGBoost's wrappers stop there, its boosters do not. `atol` and `rtol` are the user's tolerance,
    |difference| <= atol + rtol x |reference|, instead of the usual one.
    """

    precision: Precision = "exact"
    input_dtype: InputDtype = "float32"
    opset_ml: Literal[3, 5] = 5
    input_name: str = "input"
    zipmap: bool = False
    trees: Trees = "auto"
    atol: float | None = None
    rtol: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("atol", self.atol), ("rtol", self.rtol)):
            if value is not None and not 0 <= value < float("inf"):
                raise UsageError(f"{name} is a number from 0 on, not {value:g}")
        if self.opset_ml not in OPSETS:
            raise UsageError(f"opset-ml cannot be {self.opset_ml}", "one of: 5, 3")
        if not self.input_name.isidentifier():
            raise UsageError(f"{self.input_name!r} is no name for an input", "letters, digits and _")
        if self.input_name in OUTPUTS:
            raise UsageError(f"{self.input_name!r} is an output's name", "give the input another")


@dataclass(frozen=True, slots=True)
class ConvertedModel:
    """A serialized ONNX model, and groups of rows on which it must predict as the original does.

    `route` says in words how it was written, `input_dtype` is what its rows are rounded to, `computes_in` the
    least precise dtype that the file and the original library add up in, `groups` holds columns by name for each group
    of rows.
    """

    onnx: bytes
    route: str
    input_dtype: InputDtype
    computes_in: InputDtype
    groups: "Mapping[str, Columns]" = field(default_factory=dict)
    notes: tuple[str, ...] = ()
