"""How the numbers of a gate become text: ratios near 1 with their bounds, and shares with a sign. Part of `format`."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from infer_bench.reporters.text.numbers import MISSING

__all__ = ["allowance", "at_least", "change", "measured_ratio", "often"]

_LONG = 10**9
_BOUNDLESS = 1e300


def measured_ratio(value: float, low: float | None, high: float | None) -> tuple[str, str]:
    """A ratio and its bounds: `("1.10×", "(1.095–1.106)")`, a bound alone as `(≥ 1.08)`.

    The bounds have the decimals that keep their distance visible, at most four, and the ratio as many as it takes to
    lie between them. What is known exactly has none.
    """
    places = _least_places(low, high) if low is not None and high is not None else _own_places(value)
    if not math.isfinite(value):
        return MISSING, ""
    if low == high == value:  # no estimate
        low = high = None
    lower = None if low is None else _fixed(low, places, ROUND_FLOOR)
    upper = None if high is None else _fixed(high, places, ROUND_CEILING)
    ratio = _fixed(value, min(places, _own_places(value)), ROUND_HALF_EVEN)
    if (lower is not None and ratio < lower) or (upper is not None and ratio > upper):
        ratio = _fixed(value, places, ROUND_HALF_EVEN)
    return f"{_plain(ratio)}×", _bounds(lower, upper)


def _bounds(lower: Decimal | None, upper: Decimal | None) -> str:
    if lower is None or upper is None:
        bounds = [f"≥ {_plain(lower)}"] if lower is not None else []
        bounds += [f"≤ {_plain(upper)}"] if upper is not None else []
        return f"({bounds[0]})" if bounds else ""
    return f"({_plain(lower)}–{_plain(upper)})"


def _least_places(low: float, high: float) -> int:
    """As few decimals as leave two units or more between the bounds, or the most there are."""
    return next((places for places in range(_own_places(low), 4) if (high - low) * 10**places >= 2), 4)


def _own_places(value: float) -> int:
    """Two decimals around 1; of a large ratio fewer, of a small one more."""
    steps = ((99.95, 0), (9.995, 1), (0.0995, 2), (0.00995, 3))
    return next((places for least, places in steps if abs(value) >= least), 4)


def _fixed(value: float, places: int, rounding: str) -> Decimal:
    exact = Decimal(repr(float(value)))
    return exact if abs(value) >= _LONG else exact.quantize(Decimal(1).scaleb(-places), rounding)


def _plain(value: Decimal) -> str:
    return f"{value:,f}" if abs(value) < _LONG else f"{value:.2e}"


def allowance(share: float) -> str:
    """A share that was given, as one writes it: `5 %`, `0.5 %`, `2.5 %`."""
    return f"{share * 100:.4g} %"


def change(share: float, rounding: str = ROUND_HALF_EVEN) -> str:
    """A relative change with its sign: `+3.1 %`, `-0.4 %`, `+120 %`."""
    if not math.isfinite(share) or abs(share) >= _BOUNDLESS:
        return MISSING
    percent = Decimal(repr(float(share))) * 100
    if abs(percent) >= _LONG:
        return f"{percent:+.2e} %"
    rounded = percent.quantize(Decimal("0.1") if abs(percent) < 100 else Decimal(1), rounding)
    return f"{rounded or abs(rounded):+,f} %"


def at_least(share: float) -> str:
    """The smallest change that would have been seen, rounded up: never promises more than is held."""
    return change(share, ROUND_CEILING)


def often(share: float, low: float, high: float) -> str:
    """How often something happened, with its bounds rounded outward: `0.3 % (0.0–0.9 %)`.

    What is not never, or not always, is not rounded to it.
    """
    point = _fixed(share * 100, 1, ROUND_HALF_EVEN)
    if point == 100 and share < 1:
        point = Decimal("99.9")
    if point == 0 and share > 0:
        point = Decimal("0.1")
    lower, upper = _fixed(low * 100, 1, ROUND_FLOOR), _fixed(high * 100, 1, ROUND_CEILING)
    return f"{point} % ({lower}–{upper} %)"
