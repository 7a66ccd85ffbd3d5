"""TorchScript modules to ONNX: the free axes, and the file's own answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.converters.torch.script import fix_sizes, write_script
from infer_bench.errors import NotConvertible
from tests.engines.zoo import open_session, ref


@pytest.mark.filterwarnings("ignore")
def test_a_recurrent_module_has_the_free_axes_that_are_named(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Voice(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.LSTM(8, 16, batch_first=True)

        def forward(self, sound: Any, h0: Any, c0: Any) -> Any:
            frames, (hidden, cell) = self.layer(sound, (h0, c0))
            return frames, hidden, cell

    arguments = (torch.randn(2, 7, 8), torch.zeros(1, 2, 16), torch.zeros(1, 2, 16))
    torch.jit.trace(Voice().eval(), arguments, check_trace=False).save(str(tmp_path / "m.pt"))
    request = {name: tensor.numpy() for name, tensor in zip(("sound", "h0", "c0"), arguments, strict=True)}
    model = ref(tmp_path / "m.pt", "torch", "torchscript")
    axes = {"sound": ("batch", "time", ""), "h0": ("", "batch", ""), "c0": ("", "batch", "")}
    write_script(model, tmp_path / "m.onnx", {}, request, axes)
    session: Any = open_session("onnxruntime", ref(tmp_path / "m.onnx", "onnx", "onnx"))
    sound, hidden, cell = session.spec.inputs
    assert (sound.shape, hidden.shape, cell.shape) == (("batch", "time", 8), (1, "batch", 16), (1, "batch", 16))
    answers = session.named_outputs(session.predict(session.preprocess(request)))
    own = torch.jit.load(model.path)(*arguments)
    for theirs, ours in zip(answers.values(), own, strict=True):
        np.testing.assert_allclose(theirs, ours.detach().numpy(), atol=1e-6)
    fix_sizes(tmp_path / "m.onnx", {"time": 7})
    session = open_session("onnxruntime", ref(tmp_path / "m.onnx", "onnx", "onnx"))
    assert session.spec.inputs[0].shape == ("batch", 7, 8)
    with pytest.raises(NotConvertible, match="the requests leave out h0, c0"):
        write_script(model, tmp_path / "m.onnx", {}, {"sound": request["sound"]}, {})
    with pytest.raises(NotConvertible, match="does not take the request"):
        write_script(model, tmp_path / "m.onnx", {}, {**request, "sound": request["sound"].astype(int)}, {})
