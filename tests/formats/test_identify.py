"""Files are told apart by content: the extension never counts, and what is no model is called by its name."""

import gzip
import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost as xgb
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats.check import check_structure
from infer_bench.formats.identify import identify
from infer_bench.measure.candidates.models import identify_model
from tests.formats.conftest import X, Y, lightgbm, save_onnx, xgboost

LGBM = lgb.LGBMClassifier(n_estimators=2, verbose=-1, num_threads=1).fit(X, Y)
XGB = xgb.XGBClassifier(n_estimators=2, n_jobs=1).fit(X, Y)
PIPE = make_pipeline(StandardScaler(), lgb.LGBMClassifier(n_estimators=2, verbose=-1)).fit(X, Y)


def dumped(value: object, protocol: int = 4) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(pickle.dumps(value, protocol))


def zipped(*names: str) -> Callable[[Path], object]:
    def save(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")

    return save


def raw(kind: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(bytes(xgboost().save_raw(kind)))


def literal(body: bytes | str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(body.encode() if isinstance(body, str) else body)


MODELS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "lightgbm": (lambda path: lightgbm().save_model(path), "lightgbm", "lightgbm-text"),
    "xgboost json": (raw("json"), "xgboost", "xgboost-json"),
    "xgboost ubj": (raw("ubj"), "xgboost", "xgboost-ubj"),
    "spaced json": (
        lambda path: path.write_text(json.dumps(json.loads(xgboost().save_raw("json")), indent=2)),
        "xgboost",
        "xgboost-json",
    ),
    "onnx": (save_onnx, "onnx", "onnx"),
    "pickled lightgbm": (dumped(LGBM), "lightgbm", "pickle"),
    "pickled booster": (dumped(LGBM.booster_), "lightgbm", "pickle"),
    "pickled xgboost": (dumped(XGB.get_booster()), "xgboost", "pickle"),
    "protocol 0": (dumped(LogisticRegression(), 0), "sklearn", "pickle"),
    "protocol 1": (dumped(XGB, 1), "xgboost", "pickle"),
    "protocol 2": (dumped(LGBM, 2), "lightgbm", "pickle"),
    "joblib": (lambda path: joblib.dump(LogisticRegression().fit(X, Y), path), "sklearn", "joblib"),
    "compressed": (lambda path: joblib.dump(XGB, path, compress=3), "xgboost", "joblib"),
    "pipeline": (lambda path: joblib.dump(PIPE, path, compress="xz"), "sklearn", "joblib"),
    "skops": (lambda path: path.write_bytes(skops.io.dumps(PIPE)), "sklearn", "skops"),
    "skops lightgbm": (lambda path: path.write_bytes(skops.io.dumps(LGBM)), "lightgbm", "skops"),
    "cbm": (literal(b"CBM1" + bytes(40)), "catboost", "catboost-cbm"),
    "pt2": (zipped("m/archive_format", "m/models/model.json", "m/byteorder"), "torch", "torch-pt2"),
}


@pytest.mark.parametrize("name", MODELS)
def test_family_and_format(name: str, tmp_path: Path) -> None:
    save, family, form = MODELS[name]
    path = tmp_path / "a model.csv"
    save(path)
    ref = identify(path)
    assert (ref.family, ref.format, ref.bytes, ref.path) == (family, form, path.stat().st_size, str(path))
    assert len(ref.sha256) == 64
    check_structure(ref)


def saved(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (literal(b""), "is empty"),
    "csv": (literal("a,b\n1,2\n"), "csv file"),
    "csv tree": (literal("tree,b\n1,2\n"), "csv file"),
    "parquet": (lambda path: pd.DataFrame({"a": [1]}).to_parquet(path), "parquet"),
    "html": (literal("\n<!DOCTYPE html><html>404</html>"), "HTML"),
    "git-lfs": (literal("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "git-lfs pointer"),
    "json": (literal('{"a": 1}'), "JSON, but not an XGBoost model"),
    "lightgbm json": (lambda path: path.write_text(json.dumps(lightgbm().dump_model())), "LightGBM's JSON dump"),
    "text": (literal("hello\n"), "plain text"),
    "source": (literal("import os\nprint(1)\n"), "Python source"),
    "noise": (literal(bytes(np.random.default_rng(0).integers(0, 256, 4096, np.uint8))), "binary data"),
    "zeros": (literal(bytes(1000)), "zeros"),
    "npy": (literal(saved(lambda f: np.save(f, X))), "NumPy array"),
    "npz": (literal(saved(lambda f: np.savez(f, X=X))), "npz file"),
    "png": (literal(b"\x89PNG\r\n\x1a\n" + bytes(40)), "an image"),
    "old xgboost": (literal(b"binf" + bytes(200)), "old binary format"),
    "dict": (dumped({"model": LGBM}), "holds a dict"),
    "list": (dumped([1, 2], 0), "."),
    "array": (dumped(X), "holds an array"),
    "joblib array": (lambda path: joblib.dump(X, path), "holds an array"),
    "frame": (dumped(pd.DataFrame({"a": [1]})), "holds a DataFrame"),
    "class": (dumped(LogisticRegression), "not of a model"),
    "state dict": (dumped(OrderedDict(a=1)), "holds a dict"),
    "torch package": (zipped("m/.data/extern_modules", "m/model/model.pkl"), "torch.package"),
    "torch zip": (zipped("archive/data.pkl", "archive/version"), "torch checkpoint"),
    "office": (zipped("[Content_Types].xml"), "Office"),
    "zip": (zipped("model.txt"), "holds no model"),
    "half a zip": (lambda path: path.write_bytes(skops.io.dumps(PIPE)[:-50]), "damaged or truncated"),
    "bad schema": (zipped("schema.json"), "schema is broken"),
    "gzipped text": (literal(gzip.compress(b"tree\nversion=v4\n")), "compressed by gzip"),
    "gzipped xgboost": (literal(gzip.compress(b'{"learner":{}}')), "compressed by gzip"),
    "gzipped prose": (literal(gzip.compress(b"so it goes")), "not a well-formed pickle|truncated"),
    "half a gzip": (literal(gzip.compress(pickle.dumps(PIPE))[:-50]), "truncated|damaged|cannot"),
    "byte-order mark": (literal(b"\xef\xbb\xbftree\nversion=v4\n"), "byte-order mark"),
    "half a pickle": (literal(pickle.dumps(PIPE)[:-9]), "truncated"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_model_is_named(name: str, tmp_path: Path) -> None:
    save, reason = OTHERS[name]
    path = tmp_path / "model.txt"
    save(path)
    with pytest.raises(ModelError, match=reason) as caught:
        identify(path)
    assert "\n" not in str(caught.value)


def test_torchscript_is_known_by_its_entries_and_refused_as_code(tmp_path: Path) -> None:
    zipped("m/code/x.py", "m/data.pkl", "m/constants.pkl")(tmp_path / "m.pt")
    ref = identify_model(str(tmp_path / "m.pt"), allow_pickle=True)
    assert (ref.family, ref.format) == ("torch", "torchscript")
    with pytest.raises(UnsafePickle, match=r"m\.pt is a TorchScript archive, which holds code"):
        identify_model(str(tmp_path / "m.pt"))


def test_places_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model file"):
        identify(tmp_path / "none")
    with pytest.raises(ModelError, match="is a folder"):
        identify(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    with pytest.raises(ModelError, match="cannot read"):
        identify(tmp_path / "dangling")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="not a regular file"):
        identify(tmp_path / "pipe")


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lightgbm().save_model(tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    assert identify("m").path == str(tmp_path / "m")
