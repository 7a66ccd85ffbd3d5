"""What a bench would feed: printed, written, and read back with --data."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

from infer_bench.cli.main import run

# `numpy.savez` takes no array that is called file.
GRAPH = """<ir_version: 9, opset_import: ["" : 18]>
g (int64[batch, T] ids, float[batch, T, 3] file, int64 sr) => (float[batch, T, 3] y)
<float[7] table = {1, 2, 3, 4, 5, 6, 7}> {
    weights = Gather(table, ids)
    axis = Constant<value = int64[1] {2}>()
    wide = Unsqueeze(weights, axis)
    product = Mul(wide, file)
    rate = Cast<to = 1>(sr)
    y = Div(product, rate)
}
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    onnx.save(parser.parse_model(GRAPH), tmp_path / "m.onnx")
    monkeypatch.chdir(tmp_path)
    return "m.onnx"


def test_inputs_are_shown_with_their_rules_and_written_once(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", model, "--show-inputs", "--fill", "sr=16000", "--dim", "T=5"]) == 0
    output, errors = capsys.readouterr()
    assert output == (
        "m.onnx\n"
        "  ids   int64    (batch, T)     1x5\n"
        "    0 to 6, a row of table (7 rows)\n"
        "  file  float32  (batch, T, 3)  1x5x3\n"
        "    uniform in [0, 1)\n"
        "  sr    int64    ()             scalar\n"
        "    --fill\n"
        "\n"
    )
    assert "m.inputs.npz: the first 16 requests" in errors
    arrays = np.load("m.inputs.npz")
    assert {name: arrays[name].shape for name in arrays} == {"ids": (16, 1, 5), "file": (16, 1, 5, 3), "sr": (16,)}
    assert run(["bench", model, "--show-inputs"]) == 0
    assert "was left as it is" in capsys.readouterr().err
    assert run(["bench", model, "--show-inputs", "-o", "missing/m.npz"]) == 6


def test_choices_and_data_do_not_go_together(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("rows.npz", ids=np.ones((1, 5), np.int64))
    for options in (["--dim", "n=5"], ["--fill", "ids=1"], ["--show-inputs"], ["--shape", "ids:1x5"]):
        assert run(["bench", model, "--data", "rows.npz", *options]) == 2
    assert "the model itself says that it takes ids int64" in capsys.readouterr().err
    assert run(["bench", model, "--shape", "ids"]) == 2
    assert run(["bench", model, "--fill", "words=1"]) == 2
    assert "the model has no input 'words'" in capsys.readouterr().err
