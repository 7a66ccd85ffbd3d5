"""Networks of PyTorch, served to Triton's client: what it gets is what the module itself gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient import http as triton

from tests.serving.server import serving

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Towers(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 4, 3)

    def forward(self, image: Any) -> Any:
        hidden = self.layer(image).mean((2, 3))
        return {"score": torch.softmax(hidden, 1), "best": hidden.argmax(1)}


@pytest.mark.parametrize("ending", [".pt2", ".pt"])
def test_all_outputs_are_given_as_the_module_gives_them(ending: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, image, path = Towers().eval(), torch.rand(2, 3, 8, 8), tmp_path / f"m{ending}"
    if ending == ".pt":
        torch.jit.save(torch.jit.trace(module, image, strict=False), path)
    else:
        batch = {"image": {0: torch.export.Dim("batch", min=1, max=8)}}
        torch.export.save(torch.export.export(module, (image,), dynamic_shapes=batch), path)
    own = {name: tensor.detach().numpy() for name, tensor in module(image).items()}
    tensor = triton.InferInput("image", [2, 3, 8, 8], "FP32")
    tensor.set_data_from_numpy(image.numpy())
    options = ["--allow-pickle"] if ending == ".pt" else []
    with serving(str(path), *options) as server, triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        declared = client.get_model_metadata("m")["outputs"]
        answer = client.infer("m", [tensor])
    for name, array in own.items():
        np.testing.assert_allclose(answer.as_numpy(name), array, rtol=1e-6)
    kinds = [(output["name"], output["datatype"], output["shape"]) for output in declared]
    assert kinds == [("score", "FP32", [-1, 4]), ("best", "INT64", [-1])]
