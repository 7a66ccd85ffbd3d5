"""Rows that a load sends."""

from pathlib import Path

import pytest


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1.5,x\n2.5,\n,z\n")
    return str(path)
