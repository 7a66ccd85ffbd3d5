"""`convert` on hostile, broken and unwritable things: one line, the right code, no code run, nothing left behind."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infer_bench.cli.main import run
from tests.cli.test_faults import DIGITS, Hostile, hostile_estimator
from tests.cli.waiting import LIMIT_S, wait_for_child, wait_for_end

Make = Callable[[Path, Path], object]


def in_a_pipeline(path: Path, marker: Path) -> None:
    """A hostile object as a step's parameter of a compressed joblib pipeline."""
    import joblib
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    model = make_pipeline(FunctionTransformer(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    model.steps[0][1].kw_args = {"x": Hostile(marker)}
    joblib.dump(model, path, compress=3)


def in_an_array(path: Path, marker: Path) -> None:
    """A hostile object inside a fitted estimator's array of objects."""
    import joblib
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    model.classes_ = np.array([Hostile(marker), 1], dtype=object)
    joblib.dump(model, path)


def in_a_wrapper(path: Path, marker: Path) -> None:
    """A hostile object beside the booster of a LightGBM wrapper."""
    import lightgbm

    rows = np.arange(80.0).reshape(-1, 1)
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(rows, rows[:, 0] > 40)
    model.extra = Hostile(marker)
    path.write_bytes(pickle.dumps(model))


def in_skops(path: Path, marker: Path) -> None:
    """A skops file that names a function to call."""
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    skops.io.dump(FunctionTransformer(func=os.system), path)


def text_with(*changes: tuple[str, str]) -> Make:
    """The digits model, changed."""

    def make(path: Path, marker: Path) -> None:
        text = DIGITS.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)

    return make


def write_model(data: bytes) -> Make:
    return lambda path, marker: path.write_bytes(data)


HOSTILE: dict[str, Make] = {
    "estimator": lambda path, marker: path.write_bytes(pickle.dumps(hostile_estimator(marker))),
    "pipeline": in_a_pipeline,
    "array": in_an_array,
    "wrapper": in_a_wrapper,
    "skops": in_skops,
    "text without its end": text_with(("end of trees", "")),
    "text with a wrong count": text_with(("num_leaves=", "num_leaves=9")),
    "text with a bad feature": text_with(("split_feature=", "split_feature=99999 ")),
    "text with a bad child": text_with(("right_child=", "right_child=-99999 ")),
    "text with a circle": text_with(("left_child=1 ", "left_child=0 ")),
    "text without trees": lambda path, marker: path.write_text(DIGITS.read_text().partition("Tree=0")[0]),
    "text with a zero byte": text_with(("leaf_value=", "leaf_value=\x00")),
    "cut json": write_model(b'{"learner": {"gradient_booster": {'),
    "other json": write_model(b'{"a": [1, 2]}'),
    "json magic only": write_model(b'{"learner": {}}'),
    "cut ubj": write_model(b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{"),
    "zip": write_model(b"PK\x03\x04" + bytes(40)),
    "onnx that is none": write_model(b"\x08\x07\x12\x07pytorch" + bytes(30)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_model_that_must_not_be_believed(tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    path, out = tmp_path / "model.bin", tmp_path / "out"
    out.mkdir()
    HOSTILE[kind](path, tmp_path / "marker")
    assert run(["convert", str(path), "-o", str(out / "model.onnx")]) == 6
    output = capfd.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") <= 2
    assert not list(out.iterdir())
    assert [p.name for p in tmp_path.iterdir() if p != out] == ["model.bin"]


@pytest.mark.parametrize("name", ["rows.npy", "rows.npz", "rows.csv", "rows.parquet"])
def test_data_that_holds_objects_runs_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    path, marker = tmp_path / name, tmp_path / "marker"
    objects = np.array([[Hostile(marker)] * 64], dtype=object)
    if name == "rows.npz":
        np.savez(path, rows=objects)
    else:
        with path.open("wb") as file:
            np.lib.format.write_array(file, objects, allow_pickle=True)
    assert run(["convert", str(DIGITS), "--data", str(path), "-o", str(tmp_path / "out.onnx")]) == 6
    assert capfd.readouterr().err.startswith("error: ")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def no_folder(tmp_path: Path) -> str:
    return str(tmp_path / "none" / "out.onnx")


def itself(tmp_path: Path) -> str:
    return str(tmp_path / "model.txt")


def link_to_itself(tmp_path: Path) -> str:
    (tmp_path / "link.onnx").symlink_to("model.txt")
    return str(tmp_path / "link.onnx")


def pipe(tmp_path: Path) -> str:
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


@pytest.mark.parametrize("place", [folder, no_folder, itself, link_to_itself, pipe])
def test_an_output_that_cannot_be_written_is_said_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], place: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.txt").write_bytes(DIGITS.read_bytes())
    target = place(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    monkeypatch.setattr("infer_bench.measure.convert.round_trip.Worker", None)  # nothing is started
    assert run(["convert", str(tmp_path / "model.txt"), "-o", target]) == 6
    output = capfd.readouterr().err
    assert output.startswith("error: ")
    assert output.count("\n") <= 2
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert (tmp_path / "model.txt").read_bytes() == DIGITS.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_and_the_device_stays_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    assert run(["convert", str(DIGITS), "-o", str(link)]) == 6
    assert "No space left" in capfd.readouterr().err
    assert Path("/dev/full").is_char_device()


def test_an_output_is_replaced_only_by_a_right_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.onnx"
    target.write_text("precious")
    assert run(["convert", str(DIGITS), "-o", str(target), "--time-limit", "0.001"]) == 6
    assert "--time-limit" in capfd.readouterr().err
    assert target.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["out.onnx"]


@pytest.mark.parametrize(
    "arguments",
    [["--time-limit", "0"], ["--time-limit", "nan"], ["--input-name", "label"], ["--input-name", "a b"], ["-o", "-"]],
)
def test_a_setting_that_makes_no_sense_is_a_usage_error(
    capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["convert", str(DIGITS), *arguments]) == 2
    assert capfd.readouterr().err.startswith("error: ")
    assert not DIGITS.with_suffix(".onnx").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_an_interrupted_conversion_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    command = [sys.executable, "-m", "infer_bench", "convert", str(DIGITS), "-o", str(tmp_path / "out.onnx")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(scratch)}
    ) as process:
        workers = wait_for_child(process)
        process.send_signal(number)
        assert process.wait(LIMIT_S) == code
        output = process.stderr.read() if process.stderr else b""
    assert b"Traceback" not in output
    assert [p.name for p in tmp_path.iterdir()] == ["tmp"]
    assert not list(scratch.iterdir())
    for worker in workers:
        wait_for_end(worker)
