"""What a model file is, told by its content and never by its name, and whether its structure holds together."""

from infer_bench.identify.sniffing import identify
from infer_bench.identify.structure import check_structure

__all__ = ["check_structure", "identify"]
