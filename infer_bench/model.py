"""What is known of a model: the artefact on disk (`ModelRef`) and what it computes (`ModelSpec`)."""

from dataclasses import dataclass, field
from typing import Literal, get_args

Family = str
"""What trained a model: one of those in `libraries`, or any other that an engine from outside opens."""
Format = str
"""How a model is stored: one of those that `formats.identify` tells apart, `python` for a function, or any other."""
Task = Literal["regression", "binary", "multiclass", "ranking", "raw"]
Kind = Literal["float", "integer", "boolean", "category", "string"]
Label = str | int | float | bool

Phase = Literal["preprocess", "predict", "postprocess"]
PHASES: tuple[Phase, ...] = get_args(Phase)
"""What a request is made of, in this order."""
PICKLED: frozenset[Format] = frozenset({"pickle", "joblib"})


@dataclass(frozen=True, slots=True)
class ModelRef:
    """An artefact on disk. `path` is absolute, or `package.module:function` for the family `callable`.

    `sha256` and `bytes` are of all its files: an ONNX file may keep its weights in others beside it.
    """

    path: str
    family: Family
    format: Format
    sha256: str
    bytes: int

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Feature:
    """One input column. `categories` are the known values, in code order, of a `category` column.

    The name is `invented` where the model says of the column only where it stands: it is a position, and never looked
    for among the names of others.
    `examples` are texts of the kind that a `string` column holds, to draw from; they take no part in comparisons.
    A column that is `unread` has its place in a request, and may hold anything: the model leaves it out.
    Of a category that is `hashed` the model keeps a hash of each value's text, so that its `categories` are not known.
    `dtype` is that of the model's own input, as numpy names it; empty where any number is taken.
    `positions` are the least and the largest whole number with which the model looks up a row of a table of its own;
    None for numbers that are no positions.
    """

    name: str
    kind: Kind = "float"
    categories: tuple[Label, ...] = ()
    invented: bool = False
    examples: tuple[str, ...] = field(default=(), compare=False)
    unread: bool = field(default=False, compare=False)
    hashed: bool = field(default=False, compare=False)
    dtype: str = field(default="", compare=False)
    positions: tuple[int, int] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TensorInput:
    """One input of a network: an array of `dtype` and `shape` in every request.

    `dtype` is as NumPy names it, `object` for text, and empty for a type that NumPy lacks. Of the `shape`'s axes an int
    is fixed, a str a symbol that means the same size wherever the model uses it, and None free and without a name; a
    `shape` of None is of unknown rank. Along `batch_axis` requests are stacked; None where nothing can be: a fixed
    batch, a scalar, a state. An `optional` input has a default and may be left out.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None
    batch_axis: int | None = None
    optional: bool = False

    def __str__(self) -> str:
        """Such as `images float32 (batch, 3, ?, ?)`."""
        dtype = {"object": "text", "": "a type that NumPy lacks"}.get(self.dtype, self.dtype)
        if self.shape is None:
            return f"{self.name} {dtype} of any rank"
        return f"{self.name} {dtype} ({', '.join('?' if size is None else str(size) for size in self.shape)})"


UNREAD = "unread-outputs"
"""The code of the remark, and of the notice, that names the outputs of a table which are not read."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be known of how a model was read: a stable `code`, a sentence, and what to do for another reading."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class NodePlacement:
    """The nodes of a graph that an execution provider runs, by operator; `nodes` are their names."""

    provider: str
    operator: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a loaded model computes.

    `outputs` names the columns of the canonical output (see `engines.base`), `classes` the class labels in the order of
    the model's own probabilities (both classes of a binary model, though its canonical output has one column). `batch`
    is how many rows each request must have; None where that is free. `labels_only`: of its classes it gives the label
    alone, which stands as 0 and 1 in the canonical output. `output_name` is the graph's output that is read, and
    `unread_outputs` are its others that hold numbers.

    A network that is fed by tensors says what it takes in `inputs`, and has no `features`; `output_names` are all of
    its outputs, in its own order. `placement` says who runs a graph's nodes, where another provider than the CPU's was
    asked for.
    """

    task: Task
    features: tuple[Feature, ...]
    outputs: tuple[str, ...]
    classes: tuple[Label, ...] = ()
    trees: int | None = None
    remarks: tuple[Remark, ...] = field(default=(), compare=False)
    batch: int | None = field(default=None, compare=False)
    labels_only: bool = field(default=False, compare=False)
    output_name: str = field(default="", compare=False)
    unread_outputs: tuple[str, ...] = field(default=(), compare=False)
    inputs: tuple[TensorInput, ...] = ()
    output_names: tuple[str, ...] = ()
    placement: tuple[NodePlacement, ...] = field(default=(), compare=False)

    @property
    def named(self) -> bool:
        """Whether the model itself names each of its columns."""
        return not any(feature.invented for feature in self.features)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns' names, in the model's order."""
        return tuple(feature.name for feature in self.features)
