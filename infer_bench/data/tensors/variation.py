"""What else a user may send than what is drawn at first."""

from collections.abc import Sequence
from dataclasses import replace

from infer_bench.data.tensors.values import ValueRule, constant_rule

WIDEST = 4.0
"""Numbers that were scaled to mean 0 and variance 1 are hardly farther from 0."""
STRETCH = 64.0
"""Some are: a limit such as 6, or pixels up to 255, is met."""
MOST_GUESSED = 9
"""Whole numbers of which nothing is known, which may be sizes, go so far."""
TEXTS = ("a", "B", "c d", "", "Ä", "1")
"""What has capitals, several words, no letter, or more than ASCII."""


def look_up(rule: ValueRule, places: Sequence[int]) -> ValueRule:
    """Of ids the rows at these places, as far as the table has them; any other rule as it is."""
    within = tuple(place for place in places if rule.low <= place <= rule.high)
    return replace(rule, numbers=within) if rule.kind == "rows" and within else rule


def vary(rule: ValueRule, dtype: str, *, padded: bool = True) -> ValueRule:
    """Numbers below 0 and above 1, a state that is not empty, all rows of a table, an end that is `padded`, branches.

    The rule itself where there is nothing else.
    """
    if rule.kind == "uniform" or (rule.kind == "state" and dtype.startswith("float")):
        widest = WIDEST if rule.kind == "uniform" else 1.0
        reason, stretch = f"uniform in [-{widest:g}, {widest:g})", STRETCH if rule.kind == "uniform" else 1.0
        return replace(rule, reason=reason, low=-widest, high=widest, whole=False, stretch=stretch)
    if rule.kind == "mask" and padded:
        return replace(rule, reason="a mask that hides the end", tail=0.0)
    if rule.kind == "length" and rule.high > 1 and padded:
        return constant_rule(rule.high // 2, "half of the longest axis")
    if rule.kind == "segment" and rule.most is not None and rule.most > rule.low:
        return replace(rule, reason=f"{rule.low:g} to {rule.most:g}", high=rule.most)
    if rule.kind == "branch" and rule.other_branches:
        return replace(rule, numbers=(rule.low, *rule.other_branches))
    if rule.kind == "text":
        return replace(rule, reason="texts", texts=TEXTS)
    if rule.kind == "guess":
        low = -int(WIDEST) if dtype.startswith("int") else 0
        return replace(rule, reason=f"{low} to {MOST_GUESSED}", low=low, high=MOST_GUESSED)
    return replace(rule, spread=True) if rule.kind == "rows" else rule
