"""The manual's notebook runs, and its cells show what they say."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.forking import START

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def outputs() -> list[list[Any]]:
    """The outputs of each cell of code."""
    notebook = nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4)
    folder = {"metadata": {"path": str(ROOT / "docs")}}  # where notebook servers start a kernel
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=folder)
    client.create_kernel_manager().kernel_spec.argv.insert(1, START)
    client.execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def shown(outputs: list[Any]) -> dict[str, str]:
    """What the last output of a cell is in each format."""
    data: dict[str, str] = outputs[-1]["data"]
    return data


def test_a_report_is_a_table_and_short_in_words(outputs: list[list[Any]]) -> None:
    report = shown(outputs[0])
    assert report["text/plain"] == "<report of bench: 6 results, pass>"
    assert "<table>" in report["text/html"]
    assert "onnxruntime" in report["text/html"]


def test_a_frame_and_two_pictures_are_shown(outputs: list[list[Any]]) -> None:
    assert "request_p50_ns" in shown(outputs[1])["text/html"]
    for cell in outputs[2:4]:
        assert "<svg" in shown(cell)["image/svg+xml"]


def test_what_is_saved_holds_no_outputs() -> None:
    """They are another machine's, and change with each run."""
    notebook = nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
