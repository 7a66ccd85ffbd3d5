"""A model that lies in several files is all of them."""

import hashlib
from pathlib import Path

import pytest

from infer_bench.formats import model_files
from infer_bench.formats.identify import identify
from tests.formats.conftest import save_onnx


@pytest.fixture
def network(tmp_path: Path) -> Path:
    (tmp_path / "w.data").write_bytes(b"0123456789ab")
    save_onnx(tmp_path / "net.onnx", "w.data")
    return tmp_path / "net.onnx"


def test_other_weights_are_another_model(network: Path) -> None:
    before = identify(network)
    assert before.bytes == network.stat().st_size + 12
    (network.parent / "w.data").write_bytes(b"0123456789aB")
    after = identify(network)
    assert (after.bytes, after.sha256 != before.sha256) == (before.bytes, True)


def test_a_model_of_one_file_has_that_file_s_hash(tmp_path: Path) -> None:
    save_onnx(tmp_path / "net.onnx")
    assert identify(tmp_path / "net.onnx").sha256 == hashlib.sha256((tmp_path / "net.onnx").read_bytes()).hexdigest()


def test_the_model_s_own_name_and_place_do_not_count(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identify(network).sha256
    moved = network.rename(network.with_name("renamed"))
    assert identify(moved).sha256 == before
    monkeypatch.chdir(moved.parent)
    assert identify("renamed").sha256 == before


def test_weights_in_pieces(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "_PIECE", 4)
    monkeypatch.setattr(model_files, "_BLOCK", 2)
    hashes = {identify(network).sha256}
    for content in (b"4567012389ab", b"0123456789a", b"0123456789ab\0", b""):
        (network.parent / "w.data").write_bytes(content)
        hashes.add(identify(network).sha256)
    assert len(hashes) == 5


@pytest.mark.parametrize("location", ["../secret", "gone.data", "folder"])
def test_only_files_beside_it_are_read(location: str, tmp_path: Path) -> None:
    (tmp_path / "models" / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"x")
    path = tmp_path / "models" / "net.onnx"
    save_onnx(path, location)
    assert identify(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_broken_file_is_still_told_apart(tmp_path: Path) -> None:
    (tmp_path / "w.data").write_bytes(b"x")
    save_onnx(tmp_path / "net.onnx", "w.data")
    body = (tmp_path / "net.onnx").read_bytes()
    (tmp_path / "net.onnx").write_bytes(body[:-9])
    assert identify(tmp_path / "net.onnx").format == "onnx"
