"""infer-bench: profile, convert, validate and benchmark model inference."""

from infer_bench.version import __version__

TYPE_CHECKING = False  # importing it from typing would cost every start 4 ms; type checkers read any such name as true

if TYPE_CHECKING:
    from infer_bench.measure.api import bench
    from infer_bench.measure.convert.run import convert
    from infer_bench.measure.load.run import load
    from infer_bench.measure.profile.run import profile
    from infer_bench.measure.quantize.run import quantize
    from infer_bench.measure.shards.run import merge
    from infer_bench.measure.validate.run import validate
    from infer_bench.report.serialize import load_report

__all__ = ["__version__", "bench", "convert", "load", "load_report", "merge", "profile", "quantize", "validate"]

_HOMES = {
    "bench": "infer_bench.measure.api",
    "convert": "infer_bench.measure.convert.run",
    "load": "infer_bench.measure.load.run",
    "load_report": "infer_bench.report.serialize",
    "merge": "infer_bench.measure.shards.run",
    "profile": "infer_bench.measure.profile.run",
    "quantize": "infer_bench.measure.quantize.run",
    "validate": "infer_bench.measure.validate.run",
}


def __getattr__(name: str) -> object:
    # PEP 562: the public functions are imported on first use, so that `--version` pays for none of them.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
