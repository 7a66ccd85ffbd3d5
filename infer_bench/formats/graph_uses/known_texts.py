"""Texts that an ONNX graph knows of its inputs: the categories that its encoders list, followed back to a column."""

from collections.abc import Iterator, Mapping, Sequence

from infer_bench.formats import onnx_graph
from infer_bench.formats.onnx_graph import Node
from infer_bench.formats.protobuf import messages
from infer_bench.formats.tensor_proto import read_tensor

Column = tuple[str, int]
"""An input, and the place of a column in it."""

_GRAPH, _INITIALISERS = 7, 5
LISTS = {
    "OneHotEncoder": ("cats_strings",),
    "LabelEncoder": ("keys_strings", "classes_strings"),
    "CategoryMapper": ("cats_strings",),
}
"""Operators that list texts, with the attributes that do (ONNX's ai.onnx.ml operators)."""
_SELECTIONS = ("Gather", "ArrayFeatureExtractor")
_SAME = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "StringNormalizer", "FeatureVectorizer")
MOST_TEXTS = 1_024
"""So many texts of a column are enough to draw from."""


def find_known_texts(data: bytes, widths: Mapping[str, int]) -> dict[Column, tuple[str, ...]]:
    """Of each column of the inputs (`widths`) that encoders read, the texts they list, in order and each once.

    Raises `ModelError` for bytes that are no ONNX model.
    """
    origins = {name: [(name, place) for place in range(width)] for name, width in widths.items()}
    texts: dict[Column, dict[str, None]] = {}
    nodes = onnx_graph.nodes(data)
    places = dict(_read_places(data)) if any(node.op in _SELECTIONS for node in nodes) else {}
    for node in nodes:
        columns = _follow(node, origins, places)
        if not columns:
            continue
        categories = [text for name in LISTS.get(node.op, ()) for text in onnx_graph.strings(node, name)]
        for column in columns if categories else ():
            texts.setdefault(column, {}).update(dict.fromkeys(categories[:MOST_TEXTS]))
        if node.op not in LISTS:
            origins.update(dict.fromkeys(node.outputs, columns))
    return {column: tuple(categories)[:MOST_TEXTS] for column, categories in texts.items()}


def _follow(node: Node, origins: Mapping[str, list[Column]], places: Mapping[str, Sequence[int]]) -> list[Column]:
    """The columns that go into a node, as far as they are still columns; none for what makes other values of them."""
    if node.op == "Concat":
        return [column for name in node.inputs for column in origins.get(name, [])]
    if not node.inputs or node.op not in (*LISTS, *_SELECTIONS, *_SAME):
        return []
    columns = origins.get(node.inputs[0], [])
    selected = places.get(node.inputs[1]) if node.op in _SELECTIONS and len(node.inputs) > 1 else None
    if selected is None:
        return columns
    return [columns[place] for place in selected if -len(columns) <= place < len(columns)]


def _read_places(data: bytes) -> Iterator[tuple[str, list[int]]]:
    """The stored whole numbers that may select columns, by name."""
    for graph in messages(memoryview(data), _GRAPH):
        for tensor in messages(graph, _INITIALISERS):
            try:
                name, values = read_tensor(tensor)
            except ValueError:  # of a type that selects nothing
                continue
            if values.dtype.kind in "iu" and values.size <= MOST_TEXTS:
                yield name, values.ravel().tolist()
