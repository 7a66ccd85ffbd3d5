"""What is known of each model library, in one table; no library is imported for it.

An engine of another distribution, and the family of its models, may have no entry: each reader of the table says what
holds then.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "LIBRARIES",
    "PACKAGES",
    "RIVALS",
    "ModelLibrary",
    "converted_families",
    "of_engine",
    "of_family",
    "of_module",
]

_ONNX_CANDIDATE = "onnxruntime:feed=ndarray"


class ModelLibrary(NamedTuple):
    """A library that computes predictions, and the engine that calls it.

    - `engine`: the engine's name in a candidate; `target`: where it lives, as `module:Class`;
    - `title`: what a reader calls the library's models;
    - `formats`, `requires`: those of the engine, which is not imported to list it;
    - `family`: the family of the models that are the library's own (`ModelRef.family`); empty for an engine that runs
      those of another library;
    - `reads`: families of other libraries whose models it is meant for, too;
    - `extra`: the extra of infer-bench that installs it; empty where nothing is needed;
    - `modules`: top-level modules that the extra installs and that pickles of its models name;
    - `packages`: distributions that do the engine's work, the library's own first; empty: any may;
    - `rivals`: pairs of distributions that write the same files, so that one of them breaks the other;
    - `feed`: how its models are usually fed; empty for an engine without feeds;
    - `reads_frames`: whether services hand its models a DataFrame;
    - `converts`: whether its models are converted to ONNX, and checked against this engine;
    - `trees`: whether its models' trees can be read;
    - `compiles`: whether it makes machine code of a model when it loads it;
    - `calls`: what a profile calls the engine's `predict`, by the option `api` (empty for an engine without one).
    """

    engine: str
    target: str
    title: str
    formats: tuple[str, ...]
    requires: tuple[str, ...] = ()
    family: str = ""
    reads: tuple[str, ...] = ()
    extra: str = ""
    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    rivals: tuple[tuple[str, str], ...] = ()
    feed: str = ""
    reads_frames: bool = True
    converts: bool = False
    trees: bool = False
    compiles: bool = False
    calls: Mapping[str, str] = MappingProxyType({})

    @property
    def usual_candidate(self) -> str:
        """The one candidate of a model in a gate and in a comparison: its own library, fed as it is meant to be."""
        return f"{self.engine}:feed={self.feed}" if self.feed else self.engine

    @property
    def default_candidates(self) -> tuple[str, ...]:
        """The candidates of a model for which the user names none."""
        if not self.feed:
            return (self.engine,)
        feeds = ("dataframe", "ndarray") if self.reads_frames else ("ndarray",)
        own = tuple(f"{self.engine}:feed={feed}" for feed in feeds)
        return (*own, _ONNX_CANDIDATE) if self.converts else own


LIBRARIES = (
    ModelLibrary(
        engine="lightgbm",
        target="infer_bench.engines.lightgbm:LightGBM",
        title="LightGBM",
        formats=("joblib", "lightgbm-text", "pickle"),
        requires=("lightgbm",),
        family="lightgbm",
        extra="lightgbm",
        modules=("lightgbm",),
        packages=("lightgbm",),
        feed="ndarray",
        converts=True,
        trees=True,
        calls={"booster": "Booster.predict", "sklearn": "wrapper's predict"},
    ),
    ModelLibrary(
        engine="xgboost",
        target="infer_bench.engines.xgboost.engine:XGBoost",
        title="XGBoost",
        formats=("joblib", "pickle", "xgboost-json", "xgboost-ubj"),
        requires=("xgboost",),
        family="xgboost",
        extra="xgboost",
        modules=("xgboost",),
        packages=("xgboost", "xgboost-cpu"),
        rivals=(("xgboost", "xgboost-cpu"),),
        feed="ndarray",
        converts=True,
        trees=True,
        calls={"booster": "inplace_predict", "sklearn": "wrapper's predict"},
    ),
    ModelLibrary(
        engine="sklearn",
        target="infer_bench.engines.sklearn.engine:ScikitLearn",
        title="scikit-learn",
        formats=("joblib", "pickle", "skops"),
        requires=("sklearn",),
        family="sklearn",
        reads=("lightgbm", "xgboost"),
        extra="sklearn",
        modules=("sklearn", "scipy"),
        packages=("scikit-learn", "scipy"),
        rivals=(("scikit-learn-intelex", "daal4py"),),
        feed="dataframe",
        converts=True,
        trees=True,
        calls={"": "estimator's predict"},
    ),
    ModelLibrary(
        engine="catboost",
        target="infer_bench.engines.catboost.engine:CatBoost",
        title="CatBoost",
        formats=("catboost-cbm",),
        requires=("catboost",),
        family="catboost",
        extra="catboost",
        modules=("catboost", "_catboost"),
        packages=("catboost",),
        feed="ndarray",
        converts=True,
        trees=True,
    ),
    ModelLibrary(
        engine="torch",
        target="infer_bench.engines.torch.engine:Torch",
        title="PyTorch",
        formats=("torch-pt2", "torchscript"),
        requires=("torch",),
        family="torch",
        extra="torch",
        modules=("torch", "torchvision"),
        packages=("torch",),
        feed="ndarray",
        reads_frames=False,
        converts=True,
    ),
    ModelLibrary(
        engine="onnxruntime",
        target="infer_bench.engines.onnxruntime.engine:OnnxRuntime",
        title="ONNX",
        formats=("onnx",),
        requires=("onnxruntime",),
        family="onnx",
        extra="onnxruntime",
        packages=("onnxruntime", "onnxruntime-gpu"),
        rivals=(
            ("onnxruntime", "onnxruntime-gpu"),
            ("onnxruntime", "onnxruntime-directml"),
            ("onnxruntime", "onnxruntime-openvino"),
            ("onnxruntime-gpu", "onnxruntime-directml"),
        ),
        feed="ndarray",
        reads_frames=False,
        trees=True,
        calls={"": "InferenceSession.run"},
    ),
    ModelLibrary(
        engine="openvino",
        target="infer_bench.engines.openvino:OpenVino",
        title="OpenVINO",
        formats=("onnx",),
        requires=("openvino",),
        reads=("onnx", "torch"),
        extra="openvino",
        packages=("openvino",),
        calls={"": "InferRequest.infer"},
    ),
    ModelLibrary(
        engine="treelite",
        target="infer_bench.engines.treelite:Treelite",
        title="Treelite",
        formats=("joblib", "lightgbm-text", "pickle", "skops", "xgboost-json", "xgboost-ubj"),
        requires=("treelite",),
        reads=("lightgbm", "xgboost", "sklearn"),
        extra="treelite",
        packages=("treelite",),
    ),
    ModelLibrary(
        engine="nvforest",
        target="infer_bench.engines.nvforest:NvForest",
        title="nvForest",
        formats=("joblib", "lightgbm-text", "pickle", "skops", "xgboost-json", "xgboost-ubj"),
        requires=("nvforest", "treelite"),
        reads=("lightgbm", "xgboost", "sklearn"),
        extra="nvforest",
        packages=("nvforest-cu12", "nvforest-cu13"),
    ),
    ModelLibrary(
        engine="lleaves",
        target="infer_bench.engines.lleaves:Lleaves",
        title="lleaves",
        formats=("lightgbm-text",),
        requires=("lleaves",),
        reads=("lightgbm",),
        extra="lleaves",
        packages=("lleaves", "llvmlite"),
        compiles=True,
    ),
    ModelLibrary(
        engine="tl2cgen",
        target="infer_bench.engines.tl2cgen:TL2cgen",
        title="TL2cgen",
        formats=("lightgbm-text", "xgboost-json", "xgboost-ubj"),
        requires=("tl2cgen", "treelite"),
        reads=("lightgbm", "xgboost"),
        extra="tl2cgen",
        packages=("tl2cgen", "treelite"),
        compiles=True,
    ),
    ModelLibrary(
        engine="sklearnex",
        target="infer_bench.engines.sklearnex:Sklearnex",
        title="scikit-learn-intelex",
        formats=("lightgbm-text", "xgboost-json", "xgboost-ubj"),
        requires=("daal4py",),
        reads=("lightgbm", "xgboost"),
        extra="sklearnex",
        packages=("scikit-learn-intelex", "daal"),
    ),
    ModelLibrary(
        engine="http",
        target="infer_bench.engines.http.engine:Http",
        title="HTTP service",
        formats=("http",),
        requires=("httptools", "msgspec"),
        family="http",
        extra="load",
    ),
    ModelLibrary(
        engine="callable",
        target="infer_bench.engines.callable:Callable",
        title="Python function",
        formats=("python",),
        family="callable",
    ),
)

PACKAGES = tuple(
    dict.fromkeys(
        (
            *("numpy", "pandas", "pyarrow"),
            *(package for library in LIBRARIES for package in library.packages),
            *("onnx", "onnxmltools", "skl2onnx"),
        )
    )
)
"""The distributions whose versions stand in a report."""

RIVALS = tuple(pair for library in LIBRARIES for pair in library.rivals)
"""Distributions that write the same files: whichever was installed last wins, and removing one breaks the other."""

_BY_ENGINE = {library.engine: library for library in LIBRARIES}
_BY_FAMILY = {library.family: library for library in LIBRARIES if library.family}
_BY_MODULE = {module: library for library in LIBRARIES for module in library.modules}


def of_engine(name: str) -> ModelLibrary | None:
    """The library that an engine calls; None for an engine of another distribution."""
    return _BY_ENGINE.get(name)


def of_family(name: str) -> ModelLibrary | None:
    """The library whose models are of a family; None where no engine of infer-bench has it."""
    return _BY_FAMILY.get(name)


def of_module(name: str) -> ModelLibrary | None:
    """The library that a module, given by its dotted name, belongs to; None where it is not known."""
    return _BY_MODULE.get(name.partition(".")[0])


def converted_families() -> frozenset[str]:
    """The families whose models are converted to ONNX."""
    return frozenset(library.family for library in LIBRARIES if library.converts)
