"""What in an exported PyTorch program (`.pt2`) would run code of its maker's when it is opened or called.

PyTorch looks names of operators up anywhere below `torch`, evaluates sizes and guards as Python, falls back to pickles
that may import anything, and loads compiled libraries. `check_program` lets pass what PyTorch itself writes.
"""

import ast
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infer_bench.errors import ModelError, UnsafePickle

HINT = "pass --allow-pickle only if you trust who made the file, or export the model again"
_LARGEST_GRAPH = 1 << 28
_ARITHMETIC = (
    *("abs", "add", "and_", "eq", "floordiv", "ge", "getitem", "gt", "invert", "le", "lshift", "lt", "matmul", "mod"),
    *("mul", "ne", "neg", "not_", "or_", "pos", "pow", "rshift", "sub", "truediv", "xor"),
)
_LOOKED_UP = re.compile(r"torch\b|math\b|_operator\b|#")
_OPERATOR = re.compile(
    rf"_operator\.({'|'.join(_ARITHMETIC)})|math\.\w+|torch\.(ops\.\w+\.\w+(\.\w+)?|_?sym_\w+|_check\w*)"
)
_FUNCTIONS = frozenset({"floor", "ceiling", "sqrt", "log", "exp", "len", "int", "float", "max", "min", "abs"})
_SIZES = frozenset({"size", "stride", "storage_offset", "dim", "shape", "dtype", "device", "requires_grad", "ndim"})
_NODES = (
    *(ast.Expression, ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop, ast.BinOp, ast.operator, ast.UnaryOp),
    *(ast.unaryop, ast.Constant, ast.Name, ast.Load, ast.Subscript, ast.Call, ast.keyword, ast.Attribute, ast.Tuple),
)
_KEYS = ("target", "as_operator", "expr_str", "guards_code")
_INDEX = re.compile(r"""\[(?:'[^'\\]*'|"[^"\\]*")\]""")
"""How a guard takes an input by its name, which may be any."""


def check_program(file: Path) -> None:
    """Raise `UnsafePickle` where the file's own code could run, `ModelError` where it is broken."""
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                inner = entry.filename.split("/", 1)[-1]
                if inner.startswith("data/aotinductor/"):
                    raise UnsafePickle(f"{file.name} holds a compiled library", HINT)
                if inner.startswith("models/") or inner == "serialized_exported_program.json":
                    _check_graph(file.name, _read_graph(file.name, archive, entry))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, RecursionError) as error:
        raise ModelError(f"{file.name} is a damaged or truncated zip archive: {error}") from None


def _read_graph(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Any:
    if entry.file_size > _LARGEST_GRAPH:
        raise ModelError(f"{name} has a graph of more than {_LARGEST_GRAPH >> 20} MiB")
    return json.loads(archive.read(entry))


def _check_graph(name: str, graph: Any) -> None:
    for key, text in _list_texts(graph):
        is_safe = _is_operator(text) if key in ("target", "as_operator") else _is_arithmetic(text)
        if not is_safe:
            raise UnsafePickle(f"{name} would run code that PyTorch does not write: {text[:80]!r}", HINT)


def _list_texts(value: Any) -> Iterator[tuple[str, str]]:
    """What is looked up or evaluated, by the key at which it stands."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            for key, entry in value.items():
                texts = entry if isinstance(entry, list) else [entry]
                yield from ((key, text) for text in texts if key in _KEYS and isinstance(text, str))
                waiting.append(entry)


def _is_operator(text: str) -> bool:
    """Of a name that PyTorch looks up whether it is an operator; any other stands for itself."""
    return _LOOKED_UP.match(text) is None or (_OPERATOR.fullmatch(text) is not None and "__" not in text)


def _is_arithmetic(text: str) -> bool:
    """Whether it computes with sizes alone, as SymPy and PyTorch's guards write them."""
    try:
        tree = ast.parse(_INDEX.sub("[0]", text.strip()), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, _NODES) and _is_plain(node) for node in ast.walk(tree))


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return "__" not in node.id
    if isinstance(node, ast.Attribute):
        return node.attr in _SIZES or (isinstance(node.value, ast.Name) and node.value.id == "math")
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name):
            return function.id in _FUNCTIONS or function.id[:1].isupper()
        return isinstance(function, ast.Attribute)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.fullmatch(r"[\w.]*", node.value) is not None and "__" not in node.value
    return True
