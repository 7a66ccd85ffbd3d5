"""Engines by name, also those from outside, without importing any library."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from infer_bench.engines import registry
from infer_bench.errors import EngineError, UsageError
from infer_bench.libraries import LIBRARIES

MODULES = {"pandas", "onnx", "onnxruntime", *(module for library in LIBRARIES for module in library.modules)}


def test_a_close_name_is_offered() -> None:
    with pytest.raises(UsageError, match="did you mean lightgbm") as caught:
        registry.get("lightgmb")
    assert "onnxruntime" in caught.value.hint


def test_listing_imports_no_library() -> None:
    code = (
        "import sys; from infer_bench.engines import registry; found = registry.available();"
        f"heavy = {MODULES!r};"
        "heavy &= set(sys.modules);"
        "assert not heavy, heavy; print(*(i.name for i in found))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert set(process.stdout.split()) >= {library.engine for library in LIBRARIES}


def test_versions_formats_and_installs_are_told() -> None:
    engines = {info.name: info for info in registry.available()}
    assert engines["lightgbm"].version
    assert engines["xgboost"].install == "pip install 'infer-bench[xgboost]'"
    assert "onnx" in engines["onnxruntime"].formats


class Outside:
    name = "outside"
    formats = frozenset({"onnx"})
    requires = ("a_library_that_is_not_here",)
    extra = "outside"


def test_an_engine_from_outside_is_found_and_a_broken_one_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sys.modules["outside_engine"] = sys.modules[__name__]
    points = [
        EntryPoint("outside", "outside_engine:Outside", registry.GROUP),
        EntryPoint("broken", "outside_engine:Missing", registry.GROUP),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    assert registry.get("outside").name == "outside"
    engines = {info.name: info for info in registry.available()}
    assert engines["outside"].version is None
    assert "a_library_that_is_not_here" in engines["outside"].problem
    assert "cannot be loaded" in engines["broken"].problem
    assert engines["sklearn"].version
    with pytest.raises(EngineError, match="Missing"):
        registry.get("broken")
    del sys.modules["outside_engine"]
