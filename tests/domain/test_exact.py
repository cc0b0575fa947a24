"""Exact decimals: one canonical form, every digit kept, and a refusal where that cannot be."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.exact import EXACT, MAX_DIGITS, MAX_PLACES, kept, quotient, rounded

KEPT = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"), places=12
)


@given(KEPT)
def test_a_number_is_kept_exactly_and_keeping_it_again_changes_nothing(value: Decimal):
    once = kept(value)

    assert once == value
    assert str(kept(once)) == str(once)
    assert "E" not in f"{once:f}"


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        pytest.param("1.500", "1.5", id="no trailing zeros"),
        pytest.param("1500", "1500", id="zeros before the point stay"),
        pytest.param("1.5E+3", "1500", id="no exponent"),
        pytest.param("-0.0", "0", id="no negative zero"),
        pytest.param("-0.000000000001", "-0.000000000001", id="twelve places"),
        pytest.param("9" * 38, "9" * 38, id="thirty-eight digits"),
        pytest.param("-" + "9" * 26 + "." + "9" * 12, "-" + "9" * 26 + "." + "9" * 12, id="both at once"),
        pytest.param("1E+37", "1" + "0" * 37, id="as long as can be"),
    ],
)
def test_a_number_has_one_canonical_form(given_: str, text: str):
    assert f"{kept(Decimal(given_)):f}" == text


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        pytest.param("1E-13", "13 places", id="thirteen places"),
        pytest.param("1e-400", "400 places", id="almost nothing"),
        pytest.param("1" * 39, "39 digits", id="thirty-nine digits"),
        pytest.param("1E+38", "39 digits", id="one and thirty-eight zeros"),
        pytest.param("1e308", "309 digits", id="the largest of another system"),
        pytest.param("9" * 27 + "." + "9" * 12, "more than the 38 digits", id="too many on both sides"),
        pytest.param("NaN", "not a number", id="NaN"),
        pytest.param("-Infinity", "not a number", id="infinity"),
    ],
)
def test_a_number_that_cannot_be_kept_exactly_is_refused(given_: str, said: str):
    with pytest.raises(ValueError, match=said):
        kept(Decimal(given_))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_either_kept_exactly_or_refused(value: Decimal):
    try:
        once = kept(value)
    except ValueError:
        return
    assert once == value
    digits, exponent = once.as_tuple().digits, int(once.as_tuple().exponent)
    assert len(digits) <= MAX_DIGITS
    assert -exponent <= MAX_PLACES


@pytest.mark.parametrize(
    ("value", "places", "result"),
    [
        pytest.param("0.125", 2, "0.12", id="half goes to the even digit below"),
        pytest.param("0.135", 2, "0.14", id="half goes to the even digit above"),
        pytest.param("-2.5", 0, "-2", id="a negative half"),
        pytest.param("1E+60", 2, "1E+60", id="far too large comes back as it is"),
    ],
)
def test_a_number_is_rounded_half_to_even(value: str, places: int, result: str):
    assert str(rounded(Decimal(value), places)) == result


@pytest.mark.parametrize(
    ("numerator", "denominator", "per", "result"),
    [
        pytest.param("1", "3", "1", "0.333333333333", id="twelve places"),
        pytest.param("2", "3", "100", "66.666666666667", id="rounded once, after the multiplication"),
        pytest.param("0", "7", "100", "0", id="nothing of something"),
        pytest.param("-1", "8", "1", "-0.125", id="negative"),
    ],
)
def test_a_ratio_is_its_numerator_over_its_denominator(
    numerator: str, denominator: str, per: str, result: str
):
    assert quotient(Decimal(numerator), Decimal(denominator), Decimal(per)) == Decimal(result)


@given(st.lists(KEPT, min_size=2, max_size=20))
def test_sums_of_readings_never_round(values: list[Decimal]):
    forwards = backwards = Decimal(0)
    for value in values:
        forwards = EXACT.add(forwards, value)
    for value in reversed(values):
        backwards = EXACT.add(backwards, value)

    assert forwards == backwards
