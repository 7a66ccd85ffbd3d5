"""Pure statistics: no clock, no file, no process."""

from infer_bench.stats.percentiles import interval, minimum_samples, percentile, percentile_rank
from infer_bench.stats.shape import is_bimodal, spread
from infer_bench.stats.speedup import speedup
from infer_bench.stats.summary import summarise

__all__ = [
    "interval",
    "is_bimodal",
    "minimum_samples",
    "percentile",
    "percentile_rank",
    "speedup",
    "spread",
    "summarise",
]
