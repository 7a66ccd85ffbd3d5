"""One counterfactual, and the stable names of causes."""

from collections.abc import Callable
from dataclasses import dataclass

from infer_bench.trees.ensemble import Ensemble
from infer_bench.typing import Floats

OnRows = Callable[[Floats], Floats]
OnTrees = Callable[[Ensemble], Ensemble]
OnPredictions = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Counterfactual:
    """One counterfactual: `cause` is its stable name, `detail` what exactly was changed.

    `float32_steps`: the reference itself works in float32 up to its last step. `dense_steps`: it hands that step arrays
    in place of sparse matrices.
    """

    cause: str
    detail: str
    rows: OnRows | None = None
    trees: OnTrees | None = None
    predictions: OnPredictions | None = None
    float32_steps: bool = False
    dense_steps: bool = False


INPUT_CAST = "input cast"
PREPARED = "preprocessing cast"
THRESHOLD_CAST = "threshold cast"
COMPARISON = "comparison"
MISSING = "missing handling"
UNSTORED = "unstored zeros"
CATEGORY = "unseen category"
BASE_SCORE = "base_score"
LINK = "missing link"
LINEAR = "linear leaves"
TRUNCATED = "truncated iterations"
EARLY_STOPPING = "early stopping"
COLUMNS = "column order"
CLASSES = "class order"
ACCUMULATION = "accumulation"
ROUNDING = "rounding"
TRAINING = "training mode"
RANDOM = "random numbers"
STATE = "state between requests"
QUANTISATION = "quantisation"
FLOAT16 = "float16 weights"
WEIGHTS = "other weights"
LABELS = "label rule"
AVERAGE = "averaging"
REFUSED = "refused rows"
