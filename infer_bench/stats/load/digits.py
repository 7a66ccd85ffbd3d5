"""Numbers beside the limit that they are judged by. Pure."""


def write_beside(value: float, limit: float, digits: int = 3) -> str:
    """`value` with so many significant digits, and with more where it would show on the limit, or beyond it."""
    least = max(digits, len(f"{abs(value):.0f}"))
    texts = (f"{value:,.{digits}g}" for digits in range(least, 18))
    side = (value > limit, value < limit)
    return next((text for text in texts if _find_side(text, limit) == side), repr(value))


def _find_side(text: str, limit: float) -> tuple[bool, bool]:
    rounded = float(text.replace(",", ""))
    return rounded > limit, rounded < limit
