"""What CONTRIBUTING.md says on adding an engine is true and complete: done literally, the engine passes the suite."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.base import check_options
from infer_bench.errors import ModelError, OptionError
from infer_bench.model import ModelRef

ROOT = Path(__file__).resolve().parent.parent
SECTION = "## Add an engine"
ENGINE_FILE = "infer_bench/engines/reference.py"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`([\w/]+\.(?:py|toml))`")
WEIGHTS = np.array([[1.0], [-2.0], [0.5]], dtype=np.float32)


@dataclass(frozen=True)
class CodeBlock:
    """A block of the page, and the file that the paragraph before it names."""

    path: str
    text: str


def code_blocks() -> list[CodeBlock]:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page[page.index(SECTION) :]
    blocks = []
    for match in BLOCK.finditer(section):
        paragraph = section[: match.start()].rstrip().rpartition("\n\n")[2]
        blocks.append(CodeBlock(FILE.findall(paragraph)[0], match[2]))
    return blocks


def follow(block: CodeBlock, repository: Path) -> None:
    """Write a block where the page says: a new file, lines below headings, an entry of the table, or a file's end."""
    file = repository / block.path
    if not file.exists():
        file.write_text(block.text, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    if block.path.endswith(".toml"):
        for heading, lines in re.findall(r"^(\[.*\]\n)((?:[^\[\n].*\n)+)", block.text, re.MULTILINE):
            assert heading in text
            text = text.replace(heading, heading + lines)
    elif block.path == "infer_bench/libraries.py":
        first = "LIBRARIES = (\n"
        assert first in text
        text = text.replace(first, first + re.sub(r"^", "    ", block.text.rstrip(), flags=re.MULTILINE) + ",\n")
    else:
        text += "\n\n" + block.text
    file.write_text(text, encoding="utf-8")


def install(repository: Path) -> None:
    """The metadata of an installation, with the entry points of pyproject.toml, beside the sources."""
    groups = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in groups[group].items()) for group in groups
    ]
    metadata = repository / "infer_bench-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: infer-bench\nVersion: 0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources in which the page was followed."""
    copy = tmp_path_factory.mktemp("repository")
    for folder in ("infer_bench", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for block in code_blocks():
        follow(block, copy)
    install(copy)
    return copy


def run(repository: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=repository,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


def test_the_page_names_the_four_files_that_a_new_engine_touches() -> None:
    paths = [block.path for block in code_blocks()]

    assert paths == [ENGINE_FILE, "infer_bench/libraries.py", "pyproject.toml", "tests/engines/zoo.py"]


def test_the_new_engine_passes_the_contract_suite(repository: Path) -> None:
    pytest.importorskip("onnx")
    results = repository / "results.xml"
    suites = ("tests/engines/test_contract.py", "tests/engines/test_registry.py", "tests/test_libraries.py")
    selection = "reference or every_engine or test_registry or test_libraries"
    run(repository, "pytest", "-p", "no:cacheprovider", f"--junitxml={results}", "-k", selection, *suites)

    cases = [case for case in ElementTree.parse(results).iter("testcase") if "[reference" in case.attrib["name"]]
    skips = {case.attrib["name"] for case in cases if case.find("skipped") is not None}
    assert len(cases) > 15
    assert skips == {"test_threads_must_be_a_number[reference]"}


def test_the_new_engine_is_listed_and_keeps_the_rules_of_style(repository: Path) -> None:
    listing = run(repository, "infer_bench", "engines")
    run(repository, "ruff", "check", "--no-cache", *{block.path for block in code_blocks()})
    run(repository, "ruff", "format", "--check", "--no-cache", *{block.path for block in code_blocks()})

    assert re.search(r"^ *reference .*\bonnx\b", listing, re.MULTILINE)


@pytest.fixture
def engine() -> Any:
    text = next(block.text for block in code_blocks() if block.path == ENGINE_FILE)
    module = ModuleType("example_engine")
    exec(compile(text, "CONTRIBUTING.md", "exec"), module.__dict__)
    return module.Reference()


def linear_model(path: Path, outputs: int = 1) -> ModelRef:
    """y = x @ WEIGHTS + 3, given `outputs` times."""
    onnx = pytest.importorskip("onnx")
    make, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
    values = {"w": WEIGHTS, "b": np.array([3], dtype=np.float32)}
    nodes = [make.make_node("MatMul", ["x", "w"], ["xw"])]
    nodes += [make.make_node("Add", ["xw", "b"], [f"y{i}"]) for i in range(outputs)]
    results = [make.make_tensor_value_info(f"y{i}", FLOAT, [None, 1]) for i in range(outputs)]
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = make.make_graph(nodes, "g", [make.make_tensor_value_info("x", FLOAT, [None, 3])], results, constants)
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=10), path)
    return ModelRef(str(path), "onnx", "onnx", "0" * 64, path.stat().st_size)


def test_record_and_table_give_the_canonical_output(engine: Any, tmp_path: Path) -> None:
    session = engine.open(linear_model(tmp_path / "m.onnx"), check_options(engine, {}))
    assert session.spec.feature_names == ("f0", "f1", "f2")
    table = {"f2": np.array([1.0, 4.0]), "f0": np.array([2.0, 0.0]), "f1": np.array([3.0, 1.0])}
    record = {name: values[1] for name, values in table.items()}
    single, both = (session.postprocess(session.predict(session.preprocess(request))) for request in (record, table))
    assert single.dtype == both.dtype == np.float64
    np.testing.assert_array_equal(single, [[3.0]])
    np.testing.assert_array_equal(both, [[-0.5], [3.0]])
    session.close()


def test_unknown_option_and_unfit_models_are_refused(engine: Any, tmp_path: Path) -> None:
    options = check_options(engine, {})
    with pytest.raises(OptionError, match="known: feed"):
        check_options(engine, {"thread": "1"})
    with pytest.raises(ModelError, match="more than one"):
        engine.open(linear_model(tmp_path / "two.onnx", outputs=2), options)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        engine.open(ModelRef(str(broken), "onnx", "onnx", "0" * 64, 11), options)
