"""What a model file is, told by its content."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.formats import ubjson
from infer_bench.formats.archives import zipped
from infer_bench.formats.files import read_head
from infer_bench.formats.model_files import find_weights, hash_model
from infer_bench.formats.onnx_graph import looks_like_onnx
from infer_bench.formats.pickle_family import Kind, pickled
from infer_bench.formats.pickles.streams import BROKEN, compression, open_pickle
from infer_bench.formats.strangers import describe_stranger, is_report
from infer_bench.model import ModelRef


def identify(path: str | os.PathLike[str]) -> ModelRef:
    """The artefact at `path`. Raises `ModelError` saying what the file seems to be when it is no model that is read."""
    file = Path(os.path.abspath(path))
    head = read_head(file)
    family, form = _kind(file, head)
    weights = find_weights(file, form)
    try:
        size = sum(path.stat().st_size for path in (file, *weights))
        return ModelRef(str(file), family, form, hash_model(file, weights), size)
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None


def _kind(file: Path, head: bytes) -> Kind:
    for recognise in _RECOGNISERS:
        kind = recognise(file, head)
        if kind is not None:
            return kind
    what, hint = describe_stranger(file, head)
    raise ModelError(f"{file.name} is not a model: it seems to be {what}", hint)


def _lightgbm(file: Path, head: bytes) -> Kind | None:
    lines = head.split(b"\n", 2)
    if lines[0].rstrip(b"\r") == b"tree" and (len(lines) == 1 or b"=" in lines[1] or not lines[1]):
        return "lightgbm", "lightgbm-text"
    return None


def _json(file: Path, head: bytes) -> Kind | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] != b"{" or re.match(rb'\{\s*("|\}|$)', text) is None or is_report(text):
        return None
    if b'"learner"' in text or _contains(file, b'"learner"'):
        return "xgboost", "xgboost-json"
    if b'"tree_info"' in text:
        raise ModelError(f"{file.name} is LightGBM's JSON dump, which cannot be loaded again", "use Booster.save_model")
    if b'"oblivious_trees"' in text or b'"trees"' in text:
        raise ModelError(f"{file.name} is a JSON model of another library (CatBoost?)", "save it as .cbm")
    return None


def _ubjson(file: Path, head: bytes) -> Kind | None:
    if ubjson.begins(head) and b"learner" in head[:4096]:
        return "xgboost", "xgboost-ubj"
    return None


def _catboost(file: Path, head: bytes) -> Kind | None:
    return ("catboost", "catboost-cbm") if head.startswith(b"CBM1") else None


def _pickle(file: Path, head: bytes) -> Kind | None:
    packed = compression(head)
    binary = head[0] == 0x80 and len(head) > 1 and head[1] <= 5
    textual = (
        head[:1] in (b"c", b"(", b"]", b"}", b")") and re.match(rb"(c[\w.]+\n[\w.]+\n|\(|[\]})])", head) is not None
    )
    if not (packed or binary or (textual and _plausible(head))):
        return None
    if packed:
        _refuse_packed(file, packed)
    return pickled(file)


def _refuse_packed(file: Path, packed: str) -> None:
    """Raise `ModelError` for a model of a native format that was compressed: only pickles are read that way."""
    source, _, raw = open_pickle(file)
    with raw:
        try:
            head = source.read(256)
        except BROKEN:
            return
    if head.startswith((b"tree\n", b"CBM1")) or re.match(rb'\s*\{\s*"|\{L', head) is not None:
        raise ModelError(f"{file.name} is a model file compressed by {packed}", "decompress it first")


def _plausible(head: bytes) -> bool:
    """Whether text that starts as protocol 0 or 1 does goes on as a pickle: it names a class or builds a container."""
    return re.search(rb"c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n", head) is not None


def _onnx(file: Path, head: bytes) -> Kind | None:
    return ("onnx", "onnx") if looks_like_onnx(file) else None


def _zip(file: Path, head: bytes) -> Kind | None:
    return zipped(file) if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else None


_RECOGNISERS: tuple[Callable[[Path, bytes], Kind | None], ...] = (
    _lightgbm, _json, _ubjson, _catboost, _zip, _pickle, _onnx,
)  # fmt: skip


def _contains(file: Path, word: bytes) -> bool:
    with file.open("rb") as stream:
        tail = b""
        while block := stream.read(1 << 20):
            if word in tail + block:
                return True
            tail = block[-len(word) :]
    return False
