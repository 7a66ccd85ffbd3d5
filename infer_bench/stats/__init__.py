"""Pure statistics: no clock, no file, no process."""

from infer_bench.stats.percentiles import interval, minimum_samples, percentile, percentile_rank
from infer_bench.stats.ratio import speedup
from infer_bench.stats.summary import summarise

__all__ = ["interval", "minimum_samples", "percentile", "percentile_rank", "speedup", "summarise"]
