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
    """An artefact on disk. `path` is absolute, or `package.module:function` for the family `callable`."""

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
    `dtype` is that of the model's own input, as numpy names it; empty where any number is taken.
    """

    name: str
    kind: Kind = "float"
    categories: tuple[Label, ...] = ()
    invented: bool = False
    examples: tuple[str, ...] = field(default=(), compare=False)
    unread: bool = field(default=False, compare=False)
    dtype: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be known of how a model was read: a stable `code`, a sentence, and what to do for another reading."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a loaded model computes.

    `outputs` names the columns of the canonical output (see `engines.base`), `classes` the class labels in the order of
    the model's own probabilities (both classes of a binary model, though its canonical output has one column). `batch`
    is how many rows each request must have; None where that is free. `labels_only`: of its classes it gives the label
    alone, which stands as 0 and 1 in the canonical output. `output_name` is the graph's output that is read, and
    `unread_outputs` are its others that hold numbers.
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

    @property
    def named(self) -> bool:
        """Whether the model itself names each of its columns."""
        return not any(feature.invented for feature in self.features)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns' names, in the model's order."""
        return tuple(feature.name for feature in self.features)
