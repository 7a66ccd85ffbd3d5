"""What the names of a network's inputs and of their axes say: batch, time, state, mask."""

import re

_CERTAIN_BATCH = re.compile(r"b|bs|.*batch.*", re.IGNORECASE)
_BATCH = re.compile(rf"{_CERTAIN_BATCH.pattern}|n|n_samples|rows?", re.IGNORECASE)
_THINGS = "graphs?|nodes?|edges?|atoms?|bonds?|residues?|points?|vertices|neighbou?rs|boxes|rois|proposals|detections"
"""Of which one request holds many: a graph, a molecule, a cloud of points, what was found in an image."""
_TIME = re.compile(
    rf"t|time.*|.*frames?|.*steps?|.*seq.*|.*len(gth)?s?|samples|tokens?|((.*_)?|n|num)({_THINGS})", re.IGNORECASE
)
_STATE = re.compile(r"[hc]_?(0|n|in|prev)?|hidden.*|(.*[_.])?(state|past|cache).*", re.IGNORECASE)
_OF_ANOTHER = re.compile(r".*encoder_hidden_states?|.*last_hidden_states?", re.IGNORECASE)
"""What another network gave for this request, as a decoder takes it."""

_MASK = re.compile(r".*mask.*", re.IGNORECASE)


def is_batch(symbol: object) -> bool:
    """Whether an axis may count requests, such as `batch_size`, `N` or `b`."""
    return isinstance(symbol, str) and _BATCH.fullmatch(symbol) is not None


def is_certain_batch(symbol: object) -> bool:
    """Whether an axis counts requests wherever it stands: `n` behind the first axis may be a number of boxes."""
    return isinstance(symbol, str) and _CERTAIN_BATCH.fullmatch(symbol) is not None


def is_time(symbol: object) -> bool:
    """Whether an axis is said to be of one request: steps, frames, tokens, the nodes of a graph."""
    return isinstance(symbol, str) and not is_batch(symbol) and _TIME.fullmatch(symbol) is not None


def is_state(name: str) -> bool:
    """Whether an input is what the model gave for the request before: `h0`, `state`, `past_key_values.0.key`."""
    return _STATE.fullmatch(name) is not None and _OF_ANOTHER.fullmatch(name) is None


def is_mask(name: str) -> bool:
    """Whether an input says what of others is to be heeded."""
    return _MASK.fullmatch(name) is not None
