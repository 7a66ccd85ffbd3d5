"""Sizes of axes that are named by a formula of other sizes, such as `past + 1` or `floor(width/2 - 1/2) + 1`."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 2_000
_OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"floor": math.floor, "ceil": math.ceil, "ceiling": math.ceil}


def is_formula(symbol: str) -> bool:
    """Whether the name of an axis computes a size from others'."""
    expression = _parse(symbol)
    return expression is not None and not isinstance(expression, ast.Name | ast.Attribute)


def list_symbols(text: str) -> list[str]:
    """The names that a formula is made of; of a name that is none, itself."""
    expression = _parse(text)
    if expression is None or not is_formula(text):
        return [text]
    return sorted({node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} - _FUNCTIONS.keys())


def evaluate(symbol: str, sizes: Mapping[str, int]) -> int | None:
    """The size that the formula gives; None where it is none, or one that it is made of is unknown."""
    if symbol in sizes:
        return sizes[symbol]
    expression = _parse(symbol)
    try:
        value = None if expression is None else _value(expression, sizes)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError, RecursionError):
        return None
    return int(value) if isinstance(value, int | float) and float(value).is_integer() and value >= 0 else None


def _parse(symbol: str) -> ast.expr | None:
    if len(symbol) > _LONGEST or "**" in symbol:
        return None
    try:
        return ast.parse(symbol.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _value(node: ast.expr, sizes: Mapping[str, int]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return sizes[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_value(left, sizes), _value(right, sizes))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, sizes)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(_value(argument, sizes) for argument in arguments))
    raise KeyError(ast.dump(node))
