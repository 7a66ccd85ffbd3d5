"""TorchScript modules to ONNX: which axes are free, and the file's own answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.converters.torch.script import find_free, write_script
from infer_bench.errors import NotConvertible
from tests.engines.zoo import open_session, ref


def test_axes_of_one_size_change_together_and_what_is_refused_is_fixed() -> None:
    shapes = {"ids": (2, 9), "mask": (2, 9), "image": (1, 3, 32, 32)}

    def runs(sizes: Any) -> bool:
        return bool(sizes["ids"] == sizes["mask"] and sizes["image"][:2] == (1, 3))

    assert find_free(shapes, runs) == {
        "ids": {0: "batch", 1: "ids_1"},
        "mask": {0: "batch", 1: "ids_1"},
        "image": {2: "image_2", 3: "image_2"},
    }
    assert find_free({"x": (2, 4)}, lambda sizes: bool(sizes["x"][1] == 4)) == {"x": {0: "batch"}}
    assert find_free({"h0": (1, 2, 8)}, lambda sizes: True) == {}


@pytest.mark.filterwarnings("ignore")
def test_a_recurrent_module_keeps_the_width_of_its_input(tmp_path: Path) -> None:
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
    write_script(model, tmp_path / "m.onnx", {}, request)
    session: Any = open_session("onnxruntime", ref(tmp_path / "m.onnx", "onnx", "onnx"))
    sound, hidden, cell = session.spec.inputs
    assert (sound.shape, hidden.shape, cell.shape) == (("batch", "sound_1", 8), (1, "batch", 16), (1, "batch", 16))
    answers = session.named_outputs(session.predict(session.preprocess(request)))
    own = torch.jit.load(model.path)(*arguments)
    for theirs, ours in zip(answers.values(), own, strict=True):
        np.testing.assert_allclose(theirs, ours.detach().numpy(), atol=1e-6)
    with pytest.raises(NotConvertible, match="does not take the request"):
        write_script(model, tmp_path / "m.onnx", {}, {"sound": request["sound"]})
