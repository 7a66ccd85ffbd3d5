"""Fixtures of the gate's tests."""

from pathlib import Path

import numpy as np
import pytest

from infer_bench.engines import registry
from tests.cli.gating import FAKES, ROOT


@pytest.fixture
def fake_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **FAKES})
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.npz"
    generator = np.random.default_rng(0)
    np.savez(path, a=generator.normal(size=40), b=generator.normal(size=40))
    return str(path)
