"""Requests in an `.npz` that a user may edit."""

from pathlib import Path

import numpy as np
import pytest

from infer_bench.data.table import stack
from infer_bench.data.tensors.save import save_requests


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    columns = {
        "file": np.arange(12, dtype=np.float16).reshape(4, 3),
        "gpu_0/x:0": np.array([[True], [False]] * 2),
        "text": np.array(["a", "bc"] * 2, dtype=object),
        "frames": stack([np.zeros((1, 4)), np.zeros((1, 5)), np.ones((1, 4)), np.ones((1, 5))]),
    }
    assert save_requests(columns, tmp_path / "x.npz", 16) == 2
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        assert arrays["file"].tolist() == [[0, 1, 2], [6, 7, 8]]
        assert arrays["file"].dtype == np.float16
        assert arrays["gpu_0/x:0"].tolist() == [[True], [True]]
        assert arrays["text"].tolist() == ["a", "a"]
        assert arrays["frames"].shape == (2, 1, 4)
    with pytest.raises(FileExistsError):
        save_requests(columns, tmp_path / "x.npz", 16)
