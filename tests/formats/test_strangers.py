"""What a file that is no model seems to be."""

from pathlib import Path

import pytest

from infer_bench.formats.strangers import describe_stranger, name_function

TEXTS = {
    "README.md": ("# A tool\n\nimport os\n", "Markdown text"),
    "README": ("Install it, then\nimport os and\ndef f( it.\n", "plain text"),
    "script": ("import os\n\nprint(os, 1)\n", "Python source"),
    "broken.py": ("def f(:\n", "Python source"),
    "quoted.py": ('"""One, two."""\nx = 1, 2\n', "Python source"),
    "prose.txt": ("First, one.\nThen another, and a third, too.\n", "plain text"),
    "table.txt": ("a;b\n1;2\n3;4\n", "a csv file, which is data"),
    "one.csv": ("a\n1\n", "a csv file, which is data"),
    "a.yaml": ("a: 1\n", "a YAML file"),
    "a.ipynb": ('{"cells": []}', "a notebook"),
    "records.json": ('[{"a": 1}]', "JSON, but not an XGBoost model"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_told_apart(name: str, tmp_path: Path) -> None:
    text, what = TEXTS[name]
    (tmp_path / name).write_text(text)
    assert describe_stranger(tmp_path / name, text.encode())[0] == what


@pytest.mark.parametrize(
    ("place", "text", "function"),
    [
        ("train.py", "def load(): ...\nasync def predict(x): ...", "train:predict"),
        ("src/serve.py", "def _own(): ...\ndef answer_all(x): ...", "src.serve:answer_all"),
        ("empty.py", "x = 1", "empty:FUNCTION"),
        ("broken.py", "def f(:", "broken:FUNCTION"),
        ("../outside.py", "def score(x): ...", "outside:score"),
        ("none.py", None, "none:FUNCTION"),
    ],
)
def test_a_source_file_s_function_is_named_and_nothing_is_run(
    place: str, text: str | None, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    if text is not None:
        Path(place).write_text(f"{text}\n")
    assert name_function(Path(place).absolute()) == function


def test_other_files_of_pytorch_are_named_with_what_to_export() -> None:
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    weights = len(header).to_bytes(8, "little") + header + bytes(8)
    for head, what in ((weights, "weights in safetensors"), (b"\x38\0\0\0ET12" + bytes(64), "an ExecuTorch program")):
        described, hint = describe_stranger(Path("m"), head)
        assert what in described
        assert "torch.export.save" in hint
