"""What a file seems to be that is no model, and the command that reads it."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

READS = "lightgbm text, xgboost json or ubj, pickle, joblib, skops, onnx, cbm, pt2 and TorchScript are read"
PROFILES = (".prof", ".pstats", ".profile")
"""The names of profiles, which begin as a marshalled dict does."""
_EXPORT = "torch.export.save(torch.export.export(model.eval(), args, dynamic_shapes=…), 'model.pt2')"
_LARGEST_HEADER = 100_000_000
_DATA = "rows are given with --data"
_OTHER: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a git-lfs pointer, not the model itself (run `git lfs pull`)", READS),
    (b"PAR1", "a parquet file, which is data", _DATA),
    (b"ARROW1", "an Arrow file, which is data", READS),
    (b"\x93NUMPY", "a NumPy array, which is data", _DATA),
    (
        b"\xef\xbb\xbftree",
        "a LightGBM model behind a byte-order mark, which LightGBM cannot read: save it without",
        READS,
    ),
    (b"binf", "an XGBoost model in the old binary format (save it as .json or .ubj)", READS),
    (b"bs64", "an XGBoost model in the old binary format (save it as .json or .ubj)", READS),
    (b"\x89HDF", "an HDF5 file (Keras?)", READS),
    (b"%PDF", "a PDF", READS),
    (b"\x89PNG", "an image", READS),
    (b"\xff\xd8\xff", "an image", READS),
    (b"\x7fELF", "a compiled library", READS),
    (b"SQLite format 3", "an SQLite database", READS),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file", READS),
    (b"Rar!", "a rar archive", READS),
    (b"7z\xbc\xaf", "a 7z archive", READS),
)
_TEXTS = {
    ".md": "Markdown text",
    ".rst": "reStructuredText",
    ".toml": "a TOML file",
    ".yaml": "a YAML file",
    ".yml": "a YAML file",
    ".sh": "a shell script",
}
_MARKS = (b",", b";", b"\t")
_LARGEST_SOURCE = 1 << 20
_USUAL = ("predict", "answer", "score", "infer", "handler", "handle")


def describe_stranger(file: Path, head: bytes) -> tuple[str, str]:
    """What a file that begins with `head` seems to be, and a hint: the command that reads it, where there is one."""
    for magic, what, hint in _OTHER:
        if head.startswith(magic):
            return what, hint
    if is_named_as_profile(file) and head[:1] in (b"{", b"\xfb"):
        return "a profile", f"infer-bench profile {file.name} shows it"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:200].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        return "an HTML or XML page (a failed download?)", READS
    if head[4:8] in (b"ET12", b"ET13"):
        return "an ExecuTorch program, which runs on devices alone", _EXPORT
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < _LARGEST_HEADER and b'"dtype"' in head:
        return "weights in safetensors (a state dict)", f"build the model, load them, and save it: {_EXPORT}"
    if not head.strip(b"\0"):
        return "a file of zeros", READS
    if b"\0" in head or sum(byte < 9 or 13 < byte < 32 for byte in head[:1024]) > 8:
        return "binary data of an unknown kind", READS
    return _describe_text(file, text)


def is_named_as_profile(file: Path) -> bool:
    """Whether there is a file of a profile's name."""
    return file.suffix.lower() in PROFILES and file.is_file()


def is_report(text: bytes) -> bool:
    """Whether it begins as infer-bench's own reports do."""
    return re.match(rb'\{\s*"schema_version"\s*:', text) is not None


def _describe_text(file: Path, text: bytes) -> tuple[str, str]:
    suffix = file.suffix.lower()
    if suffix in _TEXTS:
        return _TEXTS[suffix], READS
    if is_report(text):
        return "a report of infer-bench", f"infer-bench show {file.name} renders it"
    if suffix == ".ipynb":
        return "a notebook", READS
    if text[:1] in (b"{", b"["):
        return "JSON, but not an XGBoost model", _DATA if text[:1] == b"[" else READS
    if suffix in (".py", ".pyw") or _is_python(file, text):
        return "Python source", f"name its function: infer-bench bench {name_function(file)}"
    if suffix in (".csv", ".tsv") or _is_table(text):
        return "a csv file, which is data", _DATA
    return "plain text", READS


def name_function(file: Path) -> str:
    """`module:function` for a source file, as Python finds it from the working directory; nothing is run.

    The function is the first with a usual name, or the first, or FUNCTION where none can be told.
    """
    place = os.path.relpath(file, os.getcwd())
    inside = not place.startswith(os.pardir)
    module = ".".join(Path(place).with_suffix("").parts) if inside else file.stem
    functions = _find_functions(file)
    usual = [name for name in _USUAL if name in functions]
    return f"{module}:{next(iter([*usual, *functions]), 'FUNCTION')}"


def _find_functions(file: Path) -> list[str]:
    """The public functions at the top of a source file."""
    import ast

    tree = _parse(file)
    nodes = tree.body if tree else []
    functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in functions if not name.startswith("_")]


def _parse(file: Path) -> "ast.Module | None":
    """The file as Python's grammar has it; None where it is none, or too long to be written by hand."""
    import ast

    try:
        return None if file.stat().st_size > _LARGEST_SOURCE else ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_python(file: Path, text: bytes) -> bool:
    statement = rb"^(import |from \w[\w.]* import |def \w+\(|class \w+[(:])"
    return re.search(statement, text, re.MULTILINE) is not None and _parse(file) is not None


def _is_table(text: bytes) -> bool:
    """Whether the first lines hold the same mark equally often."""
    lines = [line for line in text.split(b"\n")[:3] if line.strip()]
    counts = ({line.count(mark) for line in lines} for mark in _MARKS)
    return any(len(count) == 1 and count != {0} for count in counts)
