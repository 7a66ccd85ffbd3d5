"""Exported programs whose file would run code of its maker's, and those that PyTorch writes."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infer_bench.converters.routes import write_network
from infer_bench.engines.torch.loading import load_program
from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats.exported_programs import check_program
from infer_bench.formats.identify import identify
from tests.engines.zoo import open_session, ref

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Marker:
    """Makes a folder where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    class Two(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: Any, options: Any) -> Any:
            return x[:, : x.shape[1] // 2] * options["a-b"][: x.shape[0]] + max(x.shape[0], 4) ** 0.5

    path = tmp_path_factory.mktemp("program") / "m.pt2"
    auto = torch.export.Dim.AUTO
    arguments = (torch.ones(3, 8, 2), {"a-b": torch.ones(3, 1, 2)})
    shapes = ({0: auto, 1: auto}, {"a-b": {0: auto}})
    torch.export.save(torch.export.export(Two(), arguments, dynamic_shapes=shapes), path)
    return path


def rewrite(program: Path, folder: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same archive with other contents; records stay uncompressed."""
    path = folder / "changed.pt2"
    with zipfile.ZipFile(program) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return path


def change_graph(edit: Callable[[Any], None]) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("models/m.json") and "/models/" not in name:
            return content
        graph = json.loads(content)
        edit(graph)
        return json.dumps(graph).encode()

    return change


def test_what_pytorch_writes_is_opened(program: Path) -> None:
    check_program(program)
    assert load_program(torch, str(program), trusted=False).graph_signature.user_inputs


def test_a_pickle_in_it_does_not_run(program: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(((Marker(str(tmp_path / "ran")),), {}), buffer)
    path = rewrite(program, tmp_path, lambda name, content: buffer.getvalue() if "sample_inputs" in name else content)
    with pytest.raises(UnsafePickle, match="a pickle of more than tensors"):
        open_untrusted(path)
    assert not (tmp_path / "ran").exists()


def open_untrusted(path: Path) -> Any:
    from infer_bench.engines import registry
    from infer_bench.engines.base import check_options

    adapter = registry.get("torch")
    return adapter.open(ref(path, "torch", "torch-pt2"), check_options(adapter, {}))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("target", "torch.os.system"),
        ("target", "torch.ops.load_library"),
        ("target", "torch.ops.aten.__class__.mro"),
        ("target", "_operator.call"),
        ("as_operator", "torch.load"),
    ],
)
def test_an_operator_that_is_none_is_refused(program: Path, tmp_path: Path, key: str, text: str) -> None:
    path = rewrite(program, tmp_path, change_graph(lambda graph: graph.update({key: text})))
    with pytest.raises(UnsafePickle, match="would run code that PyTorch does not write"):
        check_program(path)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("expr_str", "exec(chr(112))"),
        ("expr_str", "Add('exec(1)')"),
        ("expr_str", "().__class__"),
        ("guards_code", ["L['x'].size()[0] == 1", "open('f')"]),
        ("guards_code", ["[x for x in L]"]),
        ("guards_code", ["L['x'].__class__"]),
    ],
)
def test_a_size_that_is_code_is_refused(program: Path, tmp_path: Path, key: str, text: Any) -> None:
    path = rewrite(program, tmp_path, change_graph(lambda graph: graph.update({key: text})))
    with pytest.raises(UnsafePickle, match="would run code"):
        check_program(path)


def test_a_compiled_library_is_refused(program: Path, tmp_path: Path) -> None:
    path = rewrite(program, tmp_path, lambda name, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("m/data/aotinductor/model/model.so", b"")
    with pytest.raises(UnsafePickle, match="compiled library"):
        check_program(path)


def test_who_trusts_it_opens_it(program: Path) -> None:
    session = open_session("torch", ref(program, "torch", "torch-pt2"))
    assert len(session.spec.inputs) == 2


def test_an_archive_that_unpacks_to_much_more_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt2", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/archive_format", "pt2")
        archive.writestr("m/models/model.json", bytes(200 << 20))
    with pytest.raises(ModelError, match=r"unpacks to 200 MiB"):
        identify(tmp_path / "m.pt2")


def test_what_is_trusted_is_converted_and_what_is_not_is_not(program: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    model = ref(rewrite(program, tmp_path, change_graph(_add_stranger)), "torch", "torch-pt2")
    with pytest.raises(UnsafePickle, match="would run code"):
        write_network(model, tmp_path / "m.onnx", {}, {}, {}, external=False)
    write_network(model, tmp_path / "m.onnx", {}, {}, {}, external=False, allow_pickle=True)
    assert (tmp_path / "m.onnx").exists()


def _add_stranger(graph: Any) -> None:
    """Where PyTorch itself does not look, so that it can open the file."""
    graph["note"] = {"target": "torch.os.getcwd"}
