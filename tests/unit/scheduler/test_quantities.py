"""Quantities are read as the API machinery reads them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.scheduler.quantities import MAX_INT64, QuantityInvalid, milli_value, parse_quantity, value


@pytest.mark.parametrize(
    ("text", "milli", "whole"),
    [
        ("0", 0, 0),
        ("1", 1000, 1),
        ("1500m", 1500, 2),
        ("1.5Gi", 1610612736000, 1610612736),
        ("2e3", 2_000_000, 2000),
        ("2E3", 2_000_000, 2000),
        ("1E", 10**21, 10**18),
        ("12e-1", 1200, 2),
        ("0.5", 500, 1),
        (".5", 500, 1),
        ("5.", 5000, 5),
        ("+3", 3000, 3),
        ("-2", -2000, -2),
        ("100n", 1, 1),
        ("1u", 1, 1),
        ("0.1n", 1, 1),
        ("1k", 1_000_000, 1000),
        ("1Ki", 1_024_000, 1024),
        ("1Ti", 2**40 * 1000, 2**40),
        ("0.1Ki", 102_400, 103),
        (7, 7000, 7),
        (0.25, 250, 1),
    ],
)
def test_every_suffix_gives_thousandths_and_whole_units_rounded_up(text: str | float, milli: int, whole: int) -> None:
    nano = parse_quantity(text)
    assert (milli_value(nano), value(nano)) == (min(milli, MAX_INT64), whole)


@pytest.mark.parametrize(
    "text", ["", "m", ".", "1 Gi", "1GiB", "0x10", "1e", "e3", "--1", "1.2.3", "1Mi1", "NaN", "9" * 500]
)
def test_text_that_is_no_quantity_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(QuantityInvalid, match="write a number"):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["1e30", "1e999999999", "100E", "9999999999999Ei"])
def test_huge_quantities_stop_at_64_bits(text: str) -> None:
    nano = parse_quantity(text)
    assert value(nano) == MAX_INT64
    assert milli_value(nano) == MAX_INT64


@given(st.integers(0, 10**15), st.sampled_from([("m", Fraction(1, 1000)), ("", Fraction(1)), ("Ki", Fraction(1024))]))
def test_values_are_the_exact_number_rounded_up(number: int, suffix: tuple[str, Fraction]) -> None:
    text, factor = suffix
    exact = number * factor
    assert value(parse_quantity(f"{number}{text}")) == min(-(-exact.numerator // exact.denominator), MAX_INT64)
