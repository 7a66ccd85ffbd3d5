"""The commands of the page on networks, run as they stand there."""

from pathlib import Path

import pytest

from infer_bench.cli.main import run
from tests.tensor_networks import save_examples
from tests.test_docs import ROOT, commands

EXIT_CODES = {"image-half.onnx": 4}


def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    lines = commands((ROOT / "docs" / "networks.md").read_text(encoding="utf-8"))
    codes = {" ".join(words): run(words[1:]) for words in lines}
    expected = {line: next((code for name, code in EXIT_CODES.items() if name in line), 0) for line in codes}
    assert codes == expected
    assert len(codes) == 5
    assert (tmp_path / "inputs.npz").is_file()
