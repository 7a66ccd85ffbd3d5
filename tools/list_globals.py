"""Write `infer_bench/pickles_allowed.txt`: the globals that a pickled model may import.

    python tools/list_globals.py

Every estimator of scikit-learn, LightGBM and XGBoost, the classes that their fitted state is made of, and the builders
of NumPy, SciPy and pandas. Run it again when a new version of a library moves its classes: names that are on the list
stay there, so that files of older versions can still be opened. Each name is one that can neither run code given to it
nor touch a file; what a name may be called for (`()`) is chosen here by hand.
"""

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

TARGET = Path(__file__).parent.parent / "infer_bench" / "pickles_allowed.txt"

HEADER = """\
# Globals that a pickled model may import, exact names; `()` marks those that it may call.
# Written by tools/list_globals.py. Nothing here runs code or touches files, whatever its arguments.
"""

# What pickles of plain data are made of.
PLAIN = """
_codecs.encode()
builtins.bool
builtins.bytearray()
builtins.bytes()
builtins.complex()
builtins.dict
builtins.float
builtins.frozenset()
builtins.int
builtins.list
builtins.object
builtins.range()
builtins.set()
builtins.slice()
builtins.str
builtins.tuple
collections.Counter()
collections.OrderedDict()
collections.defaultdict()
collections.deque()
copyreg._reconstructor()
datetime.date()
datetime.datetime()
datetime.timedelta()
decimal.Decimal()
fractions.Fraction()
functools.partial()
joblib.numpy_pickle.NumpyArrayWrapper
scipy.interpolate._bsplines._BSpline
"""

NUMPY = """
numpy._globals._NoValue
numpy.dtype()
numpy.ma.MaskedArray
numpy.ma.core.MaskedArray
numpy.ma.core._mareconstruct()
numpy.matrix
numpy.matrixlib.defmatrix.matrix
numpy.ndarray
numpy.random._generator.Generator
numpy.random._mt19937.MT19937
numpy.random._pcg64.PCG64
numpy.random._pcg64.PCG64DXSM
numpy.random._philox.Philox
numpy.random._pickle.__bit_generator_ctor()
numpy.random._pickle.__generator_ctor()
numpy.random._pickle.__randomstate_ctor()
numpy.random._sfc64.SFC64
numpy.random.bit_generator.SeedSequence
numpy.random.bit_generator.__pyx_unpickle_SeedSequence()
numpy.random.mtrand.RandomState
numpy.{core}.multiarray._reconstruct()
numpy.{core}.multiarray.scalar()
numpy.{core}.numeric._frombuffer()
"""

SPARSE = "bsr coo csc csr dia dok lil"

SCIPY = """
scipy._lib.array_api_compat.numpy._aliases.asarray
scipy.interpolate._bsplines.BSpline
scipy.interpolate._interpolate.interp1d
"""

PANDAS = """
pandas.Categorical
pandas.CategoricalDtype
pandas.DataFrame
pandas.Index
pandas.MultiIndex
pandas.NA
pandas.RangeIndex
pandas.Series
pandas.StringDtype()
pandas._libs.arrays.__pyx_unpickle_NDArrayBacked()
pandas._libs.internals._unpickle_block()
pandas._libs.missing.NAType
pandas._libs.tslibs.timestamps._unpickle_timestamp()
pandas.core.arrays.categorical.Categorical
pandas.core.arrays.string_.StringArray
pandas.core.arrays.string_.StringDtype()
pandas.core.dtypes.dtypes.CategoricalDtype
pandas.core.frame.DataFrame
pandas.core.indexes.base.Index
pandas.core.indexes.base._new_Index()
pandas.core.indexes.category.CategoricalIndex
pandas.core.indexes.multi.MultiIndex
pandas.core.indexes.numeric.Float64Index
pandas.core.indexes.numeric.Int64Index
pandas.core.indexes.range.RangeIndex
pandas.core.internals.blocks.new_block()
pandas.core.internals.managers.BlockManager()
pandas.core.internals.managers.SingleBlockManager()
pandas.core.series.Series
"""

BOOSTERS = """
lightgbm.basic.Booster
lightgbm.engine.CVBooster
sklearn.cluster._kmeans._kmeans_single_elkan
sklearn.cluster._kmeans._kmeans_single_lloyd
xgboost.callback.EarlyStopping
xgboost.core.Booster
"""

# Cython objects, which are pickled as a call that makes them anew.
CALLED = """
sklearn.linear_model._sgd_fast.EpsilonInsensitive()
sklearn.linear_model._sgd_fast.Hinge()
sklearn.linear_model._sgd_fast.Huber()
sklearn.linear_model._sgd_fast.Log()
sklearn.linear_model._sgd_fast.ModifiedHuber()
sklearn.linear_model._sgd_fast.SquaredEpsilonInsensitive()
sklearn.linear_model._sgd_fast.SquaredHinge()
sklearn.linear_model._sgd_fast.SquaredLoss()
sklearn.metrics._dist_metrics.newObj()
sklearn.neighbors._ball_tree.newObj()
sklearn.neighbors._kd_tree.newObj()
sklearn.tree._tree.Tree()
"""

UFUNCS = """
abs absolute cbrt ceil clip cos deg2rad exp exp2 expm1 floor isfinite isnan log log10 log1p log2 max mean median min
nan_to_num negative power rad2deg ravel reciprocal rint round sign sin sqrt square std sum tan tanh trunc var
"""

SCALARS = "bool bool_ float16 float32 float64 int16 int32 int64 int8 longlong object_ str_ uint16 uint32 uint64 uint8"

# Modules whose functions read or write files, download, or are no part of a fitted model.
NO_PARTS = ("tests", "_build_utils", "externals", "experimental", "datasets", "conftest", "__check_build", "_examples")

# Modules whose classes, estimators or not, are the state of fitted estimators.
STATE = (
    "sklearn._loss",
    "sklearn.calibration",
    "sklearn.cluster._birch",
    "sklearn.cluster._bicluster",
    "sklearn.compose",
    "sklearn.ensemble._gb_losses",
    "sklearn.ensemble._hist_gradient_boosting",
    "sklearn.gaussian_process.kernels",
    "sklearn.linear_model._glm",
    "sklearn.linear_model._sgd_fast",
    "sklearn.metrics._dist_metrics",
    "sklearn.metrics._scorer",
    "sklearn.model_selection._split",
    "sklearn.neighbors",
    "sklearn.neural_network._stochastic_optimizers",
    "sklearn.preprocessing",
    "sklearn.tree._tree",
    "sklearn.utils._bunch",
    "sklearn.utils._metadata_requests",
    "sklearn.cluster._bisect_k_means",
)

# Functions that an estimator may hold as a parameter.
FUNCTIONS = ("sklearn.feature_selection", "sklearn.metrics", "sklearn.metrics.pairwise", "sklearn.covariance")


def modules(package: str) -> Iterator[ModuleType]:
    """Every module of a package that can be imported, without tests and build tools."""
    root = importlib.import_module(package)
    yield root
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not any(part in NO_PARTS for part in info.name.split(".")):
            try:
                yield importlib.import_module(info.name)
            except Exception as error:  # noqa: BLE001 - an optional part of the library is missing
                print(f"skipped {info.name}: {error}")


def classes(package: str, is_part: Callable[[type], bool]) -> Iterator[str]:
    """The full names of those classes that are part of a model, under the module that defines them."""
    for module in modules(package):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and is_part(kind):
                yield f"{kind.__module__}.{kind.__qualname__}"


def scikit_learn() -> Iterator[str]:
    """Estimators, the classes of their fitted state, and the score functions that they may hold."""
    from sklearn.base import BaseEstimator

    yield from classes("sklearn", lambda kind: issubclass(kind, BaseEstimator) or kind.__module__.startswith(STATE))
    for module in modules("sklearn._loss"):
        builders = [name for name in dir(module) if name.startswith(("Cy", "__pyx_unpickle_Cy"))]
        yield from (f"{module.__name__}.{name}()" for name in builders if module.__name__.endswith("_loss._loss"))
    for package in FUNCTIONS:
        public = importlib.import_module(package)
        yield from (full_name(value) for value in vars(public).values() if inspect.isfunction(value))


def full_name(value: Any) -> str:
    """`module.name` as a pickle writes it."""
    return f"{value.__module__}.{value.__qualname__}"


def boosters() -> Iterator[str]:
    """The scikit-learn faces of LightGBM and XGBoost; none has a constructor that is called."""
    yield from classes("lightgbm.sklearn".partition(".")[0], lambda kind: kind.__name__.startswith("LGBM"))
    yield from classes("xgboost", lambda kind: kind.__module__ == "xgboost.sklearn" and kind.__name__.startswith("XGB"))


def fixed() -> Iterator[str]:
    """What is chosen by hand."""
    for text in (PLAIN, SCIPY, PANDAS, BOOSTERS, CALLED):
        yield from text.split()
    for core in ("core", "_core"):
        yield from (name.format(core=core) for name in NUMPY.split())
    yield from (f"numpy.{name}" for name in UFUNCS.split())
    yield from (f"numpy.{name}" for name in SCALARS.split())
    for kind in SPARSE.split():
        yield from (
            f"scipy.sparse.{place}.{kind}_{form}" for place in (f"_{kind}", kind) for form in ("matrix", "array")
        )


def main() -> None:
    """Write the list, keeping what stands there."""
    warnings.simplefilter("ignore")
    present = [line for line in TARGET.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    names = {*present, *fixed(), *scikit_learn(), *boosters()}
    names = {name for name in names if "<" not in name and f"{name}()" not in names}
    TARGET.write_text(HEADER + "".join(f"{name}\n" for name in sorted(names)), "utf-8")
    print(f"{len(names)} names")


if __name__ == "__main__":
    main()
