"""Numbers as sources write them: exact to the last digit, or refused with a sentence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.connectors.shared.numbers import Marks, read_number
from rmo.domain.exact import kept, quotient, rounded

ENGLISH = Marks(thousands=",")
GERMAN = Marks(decimal=",", thousands=".")
FRENCH = Marks(decimal=",", thousands=" ")


@pytest.mark.parametrize(
    ("cell", "marks", "number"),
    [
        pytest.param("12", Marks(), "12", id="whole"),
        pytest.param(" -0.10 ", Marks(), "-0.10", id="digits as written"),
        pytest.param("+.5", Marks(), "0.5", id="no zero before the point"),
        pytest.param("1.5e3", Marks(), "1500", id="exponent"),
        pytest.param(
            "12345678901234567890.123456789012",
            Marks(),
            "12345678901234567890.123456789012",
            id="beyond float",
        ),
        pytest.param("1,234,567.8", ENGLISH, "1234567.8", id="english thousands"),
        pytest.param("1.234,5", GERMAN, "1234.5", id="german"),
        pytest.param("1\u202f234,5", FRENCH, "1234.5", id="french narrow space"),
        pytest.param("999", ENGLISH, "999", id="thousands mark not needed"),
        pytest.param(0.1 + 0.2, Marks(), "0.3", id="what Excel shows"),
        pytest.param(16688.0, Marks(), "16688", id="Excel's whole number"),
        pytest.param(7, Marks(), "7", id="int"),
        pytest.param(Decimal("1849701962800.0"), Marks(), "1849701962800.0", id="decimal"),
    ],
)
def test_a_number_is_read_exactly(cell, marks, number):
    assert read_number(cell, marks) == Decimal(number)


@pytest.mark.parametrize("cell", [None, "", "  ", "n/a", "*"])
def test_blank_and_what_stands_for_it_is_no_number_and_never_zero(cell):
    assert read_number(cell, Marks(missing=("n/a", "*"))) is None


@pytest.mark.parametrize(
    ("cell", "marks", "message"),
    [
        pytest.param(
            "abc",
            Marks(),
            "'abc' is not a number; if it stands for no value, list it under `missing`",
            id="word",
        ),
        pytest.param("NaN", Marks(), "'NaN' is not a number", id="NaN"),
        pytest.param("Infinity", Marks(), "'Infinity' is not a number", id="infinity"),
        pytest.param(
            "1,234",
            Marks(),
            'if its comma marks thousands, say `thousands_mark: ","`',
            id="thousands not told",
        ),
        pytest.param(
            "12,5", Marks(), 'if its comma is the decimal mark, say `decimal_mark: ","`', id="comma not told"
        ),
        pytest.param("1,23,456", ENGLISH, "is not a number", id="thousands not in threes"),
        pytest.param("12.5", GERMAN, "is not a number", id="point where a comma belongs"),
        pytest.param("1_000", Marks(), "is not a number", id="underscore"),
        pytest.param("٣", Marks(), "is not a number", id="other digits"),
        pytest.param("95%", Marks(), "'95%' is not a number", id="percent sign"),
        pytest.param(True, Marks(), "'True' is not a number", id="truth"),
        pytest.param(["1"], Marks(), "is not a number", id="list"),
        pytest.param(float("nan"), Marks(), "is not a number", id="float NaN"),
        pytest.param(Decimal("NaN"), Marks(), "is not a number", id="decimal NaN"),
        pytest.param(10**40, Marks(), "more than 38 digits", id="huge int"),
        pytest.param("x" * 500, Marks(), "…", id="long text is shortened"),
    ],
)
def test_what_is_no_number_is_refused_with_what_to_do(cell, marks, message):
    with pytest.raises(ValueError) as caught:
        read_number(cell, marks)

    assert message in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        pytest.param("1.50", "1.5", id="trailing zero"),
        pytest.param("1E+3", "1000", id="exponent"),
        pytest.param("-0", "0", id="minus zero"),
        pytest.param("0E-30", "0", id="zero with places"),
        pytest.param(
            "12345678901234567890123456.123456789012",
            "12345678901234567890123456.123456789012",
            id="38 digits",
        ),
        pytest.param("9" * 38, "9" * 38, id="38 whole digits"),
        pytest.param("0.000000000001", "0.000000000001", id="12 places"),
        pytest.param("1.0000000000000000", "1", id="only zeros beyond 12 places"),
    ],
)
def test_a_number_is_kept_in_one_form(number, canonical):
    assert f"{kept(Decimal(number)):f}" == canonical


@pytest.mark.parametrize(
    ("number", "message"),
    [
        pytest.param("0.0000000000001", "13 places, more than the 12", id="13 places"),
        pytest.param("1" * 39, "a number of 39 digits is more than the 38", id="39 digits"),
        pytest.param("1" * 30 + ".123456789", "more than the 38 digits", id="39 digits in all"),
        pytest.param("1E+999999", "is more than the 38", id="huge exponent"),
        pytest.param("46.476000000000006", "say `round_to` in the source", id="a float's tail"),
    ],
)
def test_a_number_that_cannot_be_kept_is_refused(number, message):
    with pytest.raises(ValueError, match=message):
        kept(Decimal(number))


def test_rounding_is_half_to_even():
    assert [rounded(Decimal(text), 1) for text in ("0.25", "0.35", "-0.25")] == [
        Decimal("0.2"), Decimal("0.4"), Decimal("-0.2"),
    ]  # fmt: skip


def test_a_ratio_has_twelve_places():
    assert quotient(Decimal(2), Decimal(3), Decimal(100)) == Decimal("66.666666666667")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**25), max_value=10**25))
def test_keeping_changes_no_digit(number):
    assert kept(number) == number
    assert kept(kept(number)) == kept(number)
    assert read_number(f"{number:f}") == number


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text):
    try:
        number = read_number(text)
    except ValueError as error:
        assert "is not a number" in str(error)
    else:
        assert number is None or number.is_finite()
