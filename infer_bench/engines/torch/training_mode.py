"""Operators of an exported program that work as in training."""

from typing import Any

from infer_bench.engines.training_mode import TrainingOperators

_FLAGS = ("training", "train")
_SHARES = ("p", "dropout", "dropout_p")
"""Arguments that say which share is dropped."""


def find_training_operators(library: Any, program: Any) -> TrainingOperators:
    """By the operators' own schemas: batch normalisation of the batch, dropout, and whatever draws numbers."""
    batch, dropout, random = list[str](), list[str](), list[str]()
    for part in program.graph_module.modules():
        for node in part.graph.nodes if hasattr(part, "graph") else ():
            schema = getattr(node.target, "_schema", None)
            if node.op != "call_function" or schema is None:
                continue
            name, arguments = schema.name.rsplit("::", 1)[-1], _arguments(node, schema)
            is_trained = any(arguments.get(flag) is True for flag in _FLAGS)
            shares = [arguments[share] for share in _SHARES if isinstance(arguments.get(share), float | int)]
            if "batch_norm" in name:
                batch += [name] if is_trained else []
            elif "dropout" in name or (shares and not name.startswith("bernoulli")):
                has_effect = is_trained or "dropout_p" in arguments
                dropout += [name] if has_effect and any(share > 0 for share in shares) else []
            elif library.Tag.nondeterministic_seeded in node.target.tags and (is_trained or not _has_flag(arguments)):
                random.append(name)
    return TrainingOperators(tuple(batch), tuple(dropout), tuple(random))


def _has_flag(arguments: dict[str, Any]) -> bool:
    return any(flag in arguments for flag in _FLAGS)


def _arguments(node: Any, schema: Any) -> dict[str, Any]:
    """What a node gives its operator, by name, defaults among them."""
    arguments = {}
    for i, argument in enumerate(schema.arguments):
        default = argument.default_value if argument.has_default_value() else None
        value = node.args[i] if i < len(node.args) else default
        arguments[argument.name] = node.kwargs.get(argument.name, value)
    return arguments
