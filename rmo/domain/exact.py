"""Exact decimals: what a reading may be, in its one canonical form, and the little arithmetic done on it."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

MAX_DIGITS, MAX_PLACES = 38, 12
EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)  # wide enough that sums of readings never round


def rounded(value: Decimal, places: int) -> Decimal:
    """Round to so many places, half to even; a number far too large to be kept comes back as it is."""
    if value.adjusted() > MAX_DIGITS:
        return value
    return value.quantize(Decimal(1).scaleb(-places), context=EXACT)


def kept(value: Decimal) -> Decimal:
    """Return a number in its one canonical form, without exponent and trailing zeros, exact to its last digit.

    Raises:
        ValueError: It has more digits or places than a reading may have; the message says so.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that can be kept")
    if not value:
        return Decimal(0)
    if value.adjusted() >= MAX_DIGITS:
        raise ValueError(
            f"a number of {value.adjusted() + 1} digits is more than the {MAX_DIGITS} that are kept"
        )
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    places = -(int(exponent) + len(digits) - len(text))
    if places > MAX_PLACES:
        raise ValueError(
            f"{value} has {places} places, more than the {MAX_PLACES} that are kept; "
            "say `round_to` in the source to round it"
        )
    if len(text) + max(-places, 0) > MAX_DIGITS:
        raise ValueError(f"{value} has more than the {MAX_DIGITS} digits that are kept")
    whole = int(text + "0" * max(-places, 0))
    return Decimal(-whole if sign else whole).scaleb(-max(places, 0), context=EXACT)


def quotient(numerator: Decimal, denominator: Decimal, per: Decimal = Decimal(1)) -> Decimal:
    """Return numerator / denominator × per, rounded to the places that are kept."""
    return rounded(EXACT.divide(EXACT.multiply(numerator, per), denominator), MAX_PLACES)
