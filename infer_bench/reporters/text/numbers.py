"""The only place where a number becomes text.

Rounding is honest: three significant digits, nothing is called 100 % or 0 % that is not, and the bounds of an interval
are rounded outward.
"""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

__all__ = [
    "MISSING",
    "NOT_AVAILABLE",
    "about",
    "bar",
    "coarse",
    "correlation",
    "count",
    "delta",
    "duration",
    "interval",
    "limit",
    "memory",
    "needs",
    "number",
    "percent",
    "percentile",
    "plural",
    "prediction",
    "rate",
    "ratio",
    "share",
    "size",
    "speedup",
    "tolerance",
]

NOT_AVAILABLE = "n/a"
"""What stands for a percentile that the sample does not carry."""
MISSING = "–"
"""What stands for a number that there is none of."""

_LONG = 10**9
_BOUNDLESS = 1.797e308
"""JSON knows no infinity: a saved one comes back as the largest double."""
_TIMES = ((1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s"))
_SIZES = ((1_000, "kB"), (1_000_000, "MB"), (1_000_000_000, "GB"), (1_000_000_000_000, "TB"))


def duration(ns: float | None) -> str:
    """A time in ns, to three significant digits: `812 ns`, `42.1 µs`, `3.76 ms`, `1.90 s`."""
    if ns is None or not math.isfinite(ns):
        return MISSING
    if ns < 0:
        return "-" + duration(-ns)
    if ns < 999.5:
        return f"{ns:.0f} ns"
    return _scale(ns, _TIMES)


def duration_beside(ns: float, limit_ns: float) -> str:
    """As `duration`, with more digits where three would show the time on a limit, or beyond it, that is not there."""
    for digits in range(3, 17):
        rounded = _significant(ns, digits)
        if (rounded > limit_ns, rounded < limit_ns) == (ns > limit_ns, ns < limit_ns):
            return duration(ns) if digits == 3 else _scale(ns, _TIMES, digits)
    return duration(ns)


def coarse(ns: float | None) -> str:
    """A time in ns to about two digits, for what is known no better: `48 ms`, `0.6 s`, `1.9 s`, `12 s`."""
    if ns is None or not math.isfinite(ns):
        return MISSING
    seconds = ns / 1e9
    if seconds < 0.095:
        return f"{ns / 1e6:.0f} ms" if ns >= 999_500 else duration(ns)
    if seconds >= 1_000:
        return f"{_digits(seconds)} s"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def size(count_bytes: int | None) -> str:
    """A size in bytes: `812 B`, `31.2 kB`, `0.31 MB`, `1.12 MB`, `1.30 GB` (powers of ten)."""
    if count_bytes is None:
        return MISSING
    if count_bytes < 1_000:
        return f"{count_bytes} B"
    if 99_950 <= count_bytes < 999_500:
        return f"{count_bytes / 1e6:.2f} MB"
    return _scale(count_bytes, _SIZES)


def memory(count_bytes: int | None) -> str:
    """Memory in bytes, in whole MB: `88 MB`, `142 MB`, `1,300 MB`; to two digits below 10 MB."""
    if count_bytes is None:
        return MISSING
    if count_bytes < 9_950_000:
        return f"{count_bytes / 1e6:.1f} MB"
    return f"{count_bytes / 1e6:,.0f} MB" if count_bytes < 9_999_500_000 else _scale(count_bytes, _SIZES)


def count(number: int) -> str:
    """A whole number, exact: `1,024`."""
    return f"{number:,}"


def plural(number: int, singular: str, plural: str = "") -> str:
    """A count and its noun: `1 row`, `1,024 rows`."""
    return f"{count(number)} {singular if number == 1 else plural or singular + 's'}"


def about_count(number: int) -> str:
    """A count to two significant digits: `850,000`."""
    return count(round(number, 2 - len(str(number))) if number >= 100 else number)


def rate(per_second: float | None) -> str:
    """Things a second, to three significant digits: `262`, `23,500`, `48.7 M`."""
    if per_second is None or not math.isfinite(per_second):
        return MISSING
    if abs(per_second) < 9_995_000:
        return _digits(per_second)
    return _scale(per_second, ((1e6, "M"), (1e9, "G"), (1e12, "T")))


def ratio(value: float) -> str:
    """How many times: `0.97×`, `5.5×`, `89×`, `1,230×`; an exact one is `1×`."""
    return "1×" if value == 1 else _times(value, ROUND_HALF_EVEN) + "×"


def interval(low: float, high: float) -> str:
    """The bounds of a ratio, rounded outward: `88–90`."""
    return f"{_times(low, ROUND_FLOOR)}–{_times(high, ROUND_CEILING)}"


def speedup(value: float, low: float | None, high: float | None) -> str:
    """A ratio and, where it is known, its interval: `130× (128–132)`."""
    point = _times(value, ROUND_HALF_EVEN) + "×"
    return point if low is None or high is None else f"{point} ({interval(low, high)})"


def delta(value: float | None) -> str:
    """A difference of predictions: `7.3e-08`, `0.0e+00`."""
    if value is None or math.isnan(value):
        return MISSING
    return "inf" if value >= _BOUNDLESS else f"{value:.1e}"


def about(value: float) -> str:
    """A difference to one digit, for a sentence: `7e-08`."""
    return f"{value:.0e}"


def percent(share: float) -> str:
    """A share (0 to 1): `88 %`; `<1 %` and `>99 %` rather than a rounded 0 or 100."""
    if not math.isfinite(share):
        return MISSING
    text = f"{share * 100:.0f} %"
    if text == "0 %" and share > 0:
        return "<1 %"
    return ">99 %" if text == "100 %" and share < 1 else text


def share(value: float | None) -> str:
    """A share to four digits, as quality is given: `.9777`, `1`, `–`; nothing is 1 that is less."""
    if value is None:
        return MISSING
    return "1" if value == 1 else f"{min(value, 0.9999):.4f}".removeprefix("0")


def percentile(share: float) -> str:
    """A percentile's name, from its per cent: `p50`, `p99.9`."""
    return f"p{share:.10g}"


def needs(samples: int | None) -> str:
    """A percentile that the sample is too small for: `n/a (needs 473)`."""
    return NOT_AVAILABLE if samples is None else f"{NOT_AVAILABLE} (needs {count(samples)})"


def number(value: object) -> str:
    """A setting, as it was given: `5`, `0.5`, `1,024`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return count(value) if isinstance(value, int) else f"{value:,.6g}"


def _scale(value: float, units: tuple[tuple[float, str], ...], digits: int = 3) -> str:
    """So many significant digits in the largest unit that is not larger than the rounded value."""
    rounded = _significant(value, digits)
    scale, unit = max(((scale, unit) for scale, unit in units if scale <= abs(rounded)), default=units[0])
    return f"{_digits(float(rounded / Decimal(scale)), digits)} {unit}"


def _significant(value: float, digits: int = 3) -> Decimal:
    exact = Decimal(value)
    return exact if not exact else exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1))


def _digits(value: float, digits: int = 3) -> str:
    """So many significant digits with thousands' separators, and no exponent."""
    rounded = _significant(value, digits)
    places = max(0, digits - 1 - rounded.adjusted()) if rounded else 0
    return f"{rounded:,.{places}f}" if places < digits + 9 and abs(rounded) < _LONG else f"{rounded:.{digits - 1}e}"


def _times(value: float, rounding: str) -> str:
    if not math.isfinite(value):
        return MISSING
    exact = Decimal(repr(float(value)))
    rounded = exact.quantize(Decimal(1).scaleb(-_places(exact)), rounding)
    return f"{rounded:,.{max(0, _places(rounded))}f}" if abs(rounded) < _LONG else f"{rounded:.2e}"


def _places(value: Decimal) -> int:
    """Decimals of a ratio: two digits below 10, whole numbers up to 1,000, three digits beyond."""
    magnitude = abs(value)
    if magnitude >= 1000:
        return 2 - magnitude.adjusted()
    steps = ((Decimal(10), 0), (Decimal(2), 1), (Decimal("0.1"), 2), (Decimal("0.01"), 3))
    return next((places for least, places in steps if magnitude >= least), 4)


def tolerance(value: float) -> str:
    """A tolerance to three digits, rounded up so that it still passes: `0.379`, `7.31e-08`, `0`."""
    if value == 0:
        return "0"
    exact = Decimal(repr(float(value)))
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 2), ROUND_CEILING)
    return f"{rounded:f}" if exact.adjusted() >= -4 and rounded.adjusted() < 6 else f"{float(rounded):.2e}"


def limit(value: float) -> str:
    """A tolerance that was given, as one writes it: `1e-4`, `0.01`, `2.5e-6`, `0`."""
    if value == 0 or 1e-3 <= value < 1e6:
        return f"{value:g}"
    mantissa, _, exponent = f"{value:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def prediction(value: float | None) -> str:
    """A prediction, to six digits; `no number` where there is none."""
    if value is None:
        return "no number"
    return f"{math.copysign(math.inf, value):g}" if abs(value) >= _BOUNDLESS else f"{value:.6g}"


def correlation(value: float | None) -> str:
    """A rank correlation, never rounded to 1: `0.9987`, `1`."""
    if value is None:
        return MISSING
    return "1" if value == 1 else f"{Decimal(repr(value)).quantize(Decimal('0.0001'), ROUND_FLOOR):f}"


def bar(share: float, width: int) -> str:
    """A bar of at most `width` blocks; anything above nothing shows."""
    eighths = max(1, round(share * width * 8)) if share > 0 else 0
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]
