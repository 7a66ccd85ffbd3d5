"""Numbers become text with honest rounding."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.reporters.text import numbers

UNITS = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def value(text: str) -> float:
    """The number in a text, in ns or bytes."""
    number, _, unit = text.partition(" ")
    return float(number.rstrip("×").replace(",", "")) * UNITS.get(unit, 1.0)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (812, "812 ns"),
        (999, "999 ns"),
        (999.6, "1.00 µs"),
        (1_000, "1.00 µs"),
        (42_100, "42.1 µs"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (3_760_000, "3.76 ms"),
        (1_900_000_000, "1.90 s"),
        (2_000_000_000_000, "2,000 s"),
        (-3_000, "-3.00 µs"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_duration(ns: float | None, text: str) -> None:
    assert numbers.duration(ns) == text


@given(st.integers(1000, 10**14))
def test_a_duration_has_three_significant_digits(ns: int) -> None:
    text = numbers.duration(ns)

    assert value(text) == pytest.approx(ns, rel=0.00501)
    # There is no unit above the second, so what rounds to 1,000 s and more has more digits.
    assert ns >= 999_500_000_000 or len(re.sub(r"\D", "", text)) == 3


@pytest.mark.parametrize(
    ("ns", "limit_ns", "text"),
    [
        (12_340_000, 2e7, "12.3 ms"),
        (20_000_400, 2e7, "20.0004 ms"),
        (19_999_600, 2e7, "19.9996 ms"),
        (20_000_000, 2e7, "20.0 ms"),
        (999_999_999, 1e9, "999.999999 ms"),
        (812, 1e3, "812 ns"),
        (999, 1e3, "999 ns"),
    ],
)
def test_a_duration_beside_a_limit_shows_its_side(ns: int, limit_ns: float, text: str) -> None:
    assert numbers.duration_beside(ns, limit_ns) == text


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.sampled_from([numbers.duration, numbers.coarse]))
def test_a_longer_time_never_reads_shorter(one: int, other: int, form: Callable[[float], str]) -> None:
    low, high = sorted((one, other))

    assert value(form(low)) <= value(form(high))


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (400, "400 ns"),
        (999_600, "1 ms"),
        (48_000_000, "48 ms"),
        (96_000_000, "0.1 s"),
        (600_000_000, "0.6 s"),
        (1_940_000_000, "1.9 s"),
        (9_960_000_000, "10 s"),
        (12_300_000_000, "12 s"),
        (None, "–"),
    ],
)
def test_coarse(ns: int | None, text: str) -> None:
    assert numbers.coarse(ns) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (31_234, "31.2 kB"),
        (99_949, "99.9 kB"),
        (99_950, "0.10 MB"),
        (310_000, "0.31 MB"),
        (999_499, "1.00 MB"),
        (1_118_000, "1.12 MB"),
        (141_800_000, "142 MB"),
        (1_300_000_000, "1.30 GB"),
        (None, "–"),
    ],
)
def test_size(size: int | None, text: str) -> None:
    assert numbers.size(size) == text


@given(st.integers(0, 10**16), st.integers(0, 10**16), st.sampled_from([numbers.size, numbers.memory]))
def test_a_larger_size_never_reads_smaller(one: int, other: int, form: Callable[[int], str]) -> None:
    low, high = sorted((one, other))

    assert value(form(low)) <= value(form(high))


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (4_000_000, "4.0 MB"),
        (88_300_000, "88 MB"),
        (1_300_400_000, "1,300 MB"),
        (12_300_000_000, "12.3 GB"),
        (None, "–"),
    ],
)
def test_memory(size: int | None, text: str) -> None:
    assert numbers.memory(size) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (0.0, "0"),
        (0.5, "0.500"),
        (262.4, "262"),
        (23_512.0, "23,500"),
        (9_994_999.0, "9,990,000"),
        (9_996_000.0, "10.0 M"),
        (48_700_000.0, "48.7 M"),
        (float("inf"), "–"),
        (None, "–"),
    ],
)
def test_rate(per_second: float | None, text: str) -> None:
    assert numbers.rate(per_second) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1, "1×"),
        (0.97, "0.97×"),
        (1.004, "1.00×"),
        (1.996, "2.0×"),
        (5.52, "5.5×"),
        (9.96, "10×"),
        (89.2, "89×"),
        (130.2, "130×"),
        (1234.0, "1,230×"),
        (0.0123, "0.012×"),
        (12_345_678.0, "12,300,000×"),
        (1.234e300, "1.23e+300×"),
    ],
)
def test_ratio(ratio: float, text: str) -> None:
    assert numbers.ratio(ratio) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((89.2, 88.3, 89.9), "89× (88–90)"),
        ((1.0, 1.0, 1.0), "1.00× (1.00–1.00)"),
        ((0.97, 0.97, 0.9701), "0.97× (0.97–0.98)"),
        ((9.96, 9.91, 9.97), "10× (9.9–10)"),
        ((1234.0, 1231.0, 1999.0), "1,230× (1,230–2,000)"),
        ((130.2, None, None), "130×"),
        ((130.2, 128.0, None), "130×"),
    ],
)
def test_speedup(values: tuple[float, float | None, float | None], text: str) -> None:
    assert numbers.speedup(*values) == text


positive = st.floats(1e-3, 1e9)


@given(st.tuples(positive, positive, positive))
def test_an_interval_is_rounded_outward_and_holds_its_point(values: tuple[float, float, float]) -> None:
    low, point, high = sorted(values)
    ratio, bounds = numbers.speedup(point, low, high).split(" ")
    shown_low, shown_high = map(value, bounds.strip("()").split("–"))

    assert shown_low <= low
    assert high <= shown_high
    assert shown_low <= value(ratio) <= shown_high


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_a_larger_ratio_never_reads_smaller(one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert value(numbers.ratio(low)) <= value(numbers.ratio(high))


@given(st.floats(0, 1))
def test_a_share_is_all_or_nothing_only_when_it_is(share: float) -> None:
    assert (numbers.percent(share) == "100 %") == (share == 1)
    assert (numbers.percent(share) == "0 %") == (share == 0)


@pytest.mark.parametrize(("share", "text"), [(0.88, "88 %"), (0.001, "<1 %"), (0.999, ">99 %"), (float("nan"), "–")])
def test_percent(share: float, text: str) -> None:
    assert numbers.percent(share) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (numbers.delta(7.3e-08), "7.3e-08"),
        (numbers.delta(0.0), "0.0e+00"),
        (numbers.delta(None), "–"),
        (numbers.about(7.3e-08), "7e-08"),
        (numbers.percentile(50.0), "p50"),
        (numbers.percentile(99.99), "p99.99"),
        (numbers.needs(4742), "n/a (needs 4,742)"),
        (numbers.needs(None), "n/a"),
        (numbers.plural(1, "thread"), "1 thread"),
        (numbers.plural(1024, "row"), "1,024 rows"),
    ],
)
def test_small_formats(text: str, expected: str) -> None:
    assert text == expected


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(-(2**70), 2**70))
def test_no_number_is_too_odd_to_be_shown(number: float, whole: int) -> None:
    texts = [
        numbers.duration(number),
        numbers.duration(whole),
        numbers.coarse(number),
        numbers.size(whole),
        numbers.memory(whole),
        numbers.rate(number),
        numbers.ratio(number),
        numbers.speedup(abs(number), abs(number), abs(number)),
        numbers.delta(number),
        numbers.about(number),
    ]

    assert all(texts)
    assert numbers.percent(number)
    assert max(map(len, texts)) <= 40
