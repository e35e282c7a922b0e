"""Kubernetes resource quantities (`1500m`, `1.5Gi`, `2e3`), read exactly.

A quantity is held as a whole number of nano-units, the finest step Kubernetes keeps, so that the sum of several
containers' requests is rounded once, at the end, as the API machinery does (apimachinery
`pkg/api/resource/quantity.go`).
"""

import re
from functools import lru_cache

MAX_INT64 = 2**63 - 1

NANO = 10**9
"""Nano-units in one unit."""

_MILLI_IN_NANO = 10**6
_FORM = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]?))")
_DECIMAL_EXPONENTS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_EXPONENTS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LARGEST_EXPONENT = 40
"""Exponents beyond this are far above what 64 bits hold; without a bound `1e999999999` would build a number of a
billion digits.
"""


_MOST_DIGITS = 400
"""A longer number is refused: the API server stores none, and reading one takes time that grows with the square of
its length.
"""


class QuantityInvalid(ValueError):  # noqa: N818 - it says what the text is, as FieldsInvalid does
    """The text is not a quantity."""

    def __init__(self, text: object) -> None:
        super().__init__(
            f"{text!r:.80} is not a quantity; write a number with an optional suffix, such as 500m, 1.5Gi or 2e3"
        )


@lru_cache(maxsize=4096)
def parse_quantity(text: str | int | float) -> int:
    """Return the quantity in nano-units, rounded away from zero to a whole one, as Kubernetes rounds.

    Plain JSON numbers are accepted as the API server accepts them. Raises `QuantityInvalid`.
    """
    match = _FORM.fullmatch(str(text))
    if match is None:
        raise QuantityInvalid(text)
    sign, whole, fraction, exponent_text, suffix = match.groups()
    fraction = fraction or ""
    if not whole and not fraction:
        raise QuantityInvalid(text)
    if len(whole) + len(fraction) > _MOST_DIGITS:
        raise QuantityInvalid(text)
    digits = int(whole + fraction)
    scale_of_ten = 9 - len(fraction)
    binary = _BINARY_EXPONENTS.get(suffix or "", 0)
    if exponent_text:
        scale_of_ten += max(-_LARGEST_EXPONENT, min(_LARGEST_EXPONENT, int(exponent_text[1:])))
    elif not binary:
        scale_of_ten += _DECIMAL_EXPONENTS[suffix]
    amount = digits << binary
    nano: int = amount * 10**scale_of_ten if scale_of_ten >= 0 else -(-amount // 10**-scale_of_ten)
    return -nano if sign == "-" else nano


def value(nano: int) -> int:
    """Return whole units, rounded up, at most 2^63 - 1 (`Quantity.Value`)."""
    return min(-(-nano // NANO), MAX_INT64)


def milli_value(nano: int) -> int:
    """Return thousandths, rounded up (`Quantity.MilliValue`).

    Kubernetes' own wraps around above 2^63 - 1; here the value stays at that bound, so that an absurd request cannot
    look small.
    """
    return min(-(-nano // _MILLI_IN_NANO), MAX_INT64)
