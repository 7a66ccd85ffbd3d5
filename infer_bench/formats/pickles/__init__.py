"""Pickle, joblib and skops files, read without trusting them.

A pickle is a program. `scan` runs it on inert stand-ins and lists every global it would import; `check` compares them
with the exact names in `pickles_allowed.txt`; `load` refuses the rest twice, before it starts and at each import.
Only `load` reads a joblib file in the way `scan` does: a file that was checked here is to be opened here.
"""

from infer_bench.formats.pickles.allowed import ALLOWED, CALLABLE, permitted
from infer_bench.formats.pickles.loading import check, load, load_scanned
from infer_bench.formats.pickles.scanning import PickleScan, scan
from infer_bench.formats.pickles.skops import load_skops
from infer_bench.formats.pickles.versions import describe_versions

__all__ = [
    "ALLOWED",
    "CALLABLE",
    "PickleScan",
    "check",
    "describe_versions",
    "load",
    "load_scanned",
    "load_skops",
    "permitted",
    "scan",
]
