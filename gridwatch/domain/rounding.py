"""Exact rounding of ratios of integers."""

from __future__ import annotations


def half_even(numerator: int, denominator: int) -> int:
    """The whole number nearest to a ratio, of two equally near ones the even one; ``denominator`` > 0."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient & 1):
        return quotient + 1
    return quotient
