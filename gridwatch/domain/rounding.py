"""Rounds quotients of integers exactly: no figure passes through a float before it is rounded."""

from __future__ import annotations


def half_even(numerator: int, denominator: int) -> int:
    """``numerator / denominator``, rounded to the nearest integer; halfway between two, to the even one.

    ``denominator`` is above zero.
    """
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient
