"""A calculator for arithmetic as people write it: `4 + 5(6 - 3)`, `$1,200 x 3`, `20% of 80` without the words.

Exact, in fractions. It evaluates nothing that it does not understand whole, runs no code, and has limits: what is too
long or too large has no value.
"""

import re
from fractions import Fraction

LONGEST = 200
"""Characters of the longest expression."""
DEEPEST = 20
"""Brackets within brackets."""
LARGEST_POWER = 64
"""Largest exponent."""
LARGEST = Fraction(10) ** 40
"""Largest value on the way."""

NUMBER = r"(?:[$\u20ac\u00a3] ?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?"
"""A number as it stands in a text: `1,200.50`, `$5`, `20%`."""
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{NUMBER}|\.\d+)|(?P<power>\*\*|\^)|(?P<sign>[-+\u2212\u2013*/x\u00d7\u00f7\u00b7()\[\]]))",
    re.IGNORECASE,
)
_SAME = {
    "\u2212": "-",
    "\u2013": "-",
    "x": "*",
    "X": "*",
    "\u00d7": "*",
    "\u00b7": "*",
    "\u00f7": "/",
    "[": "(",
    "]": ")",
}


def number(text: str) -> Fraction:
    """Return the value of a number as `NUMBER` matches it; a percentage is a hundredth."""
    digits = text.strip("$\u20ac\u00a3% ").replace(",", "")
    return Fraction(digits) / (100 if text.endswith("%") else 1)


def value(expression: str) -> Fraction | None:
    """Return what an expression comes to; nothing where that is not certain."""
    if len(expression) > LONGEST or (signs := _signs(expression)) is None:
        return None
    try:
        return _Reader(signs).whole()
    except (_NotUnderstood, ZeroDivisionError):
        return None


def decimals(text: str) -> int:
    """Return how many decimals a number is written with, those of a percentage counted as it stands."""
    return len(text.rstrip("%").partition(".")[2])


class _NotUnderstood(Exception):  # noqa: N818  # it never leaves this module
    """The signs are no arithmetic."""


def _signs(expression: str) -> list[Fraction | str] | None:
    """Return numbers and signs; nothing where something else stands among them."""
    found: list[Fraction | str] = []
    at, end = 0, len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None:
            return None
        at = match.end()
        if match["number"]:
            found.append(number(match["number"]))
        else:
            found.append("^" if match["power"] else _SAME.get(match["sign"], match["sign"]))
    return found


class _Reader:
    """Reads signs from left to right: sums of products of powers."""

    def __init__(self, signs: list[Fraction | str]) -> None:
        self._signs, self._at, self._depth = signs, 0, 0

    def whole(self) -> Fraction:
        """Return the value of all signs."""
        result = self._sum()
        if self._at < len(self._signs):
            raise _NotUnderstood
        return result

    def _next(self) -> Fraction | str | None:
        return self._signs[self._at] if self._at < len(self._signs) else None

    def _take(self, *signs: str) -> str:
        """Step over the next sign if it is one of these, and return it; else ''."""
        sign = self._next()
        if isinstance(sign, str) and sign in signs:
            self._at += 1
            return sign
        return ""

    def _sum(self) -> Fraction:
        result = self._product()
        while sign := self._take("+", "-"):
            more = self._product()
            result = result + more if sign == "+" else result - more
        return result

    def _product(self) -> Fraction:
        result = self._power()
        while (sign := self._take("*", "/")) or self._next() == "(":
            more = self._power()
            result = result / more if sign == "/" else result * more
            if abs(result) > LARGEST:
                raise _NotUnderstood
        return result

    def _power(self) -> Fraction:
        if self._take("-"):
            return -self._power()
        base = self._atom()
        if not self._take("^"):
            return base
        power = self._power()
        if power.denominator != 1 or abs(power) > LARGEST_POWER or abs(base) > LARGEST:
            raise _NotUnderstood
        return Fraction(base**power.numerator)

    def _atom(self) -> Fraction:
        sign = self._next()
        if isinstance(sign, Fraction):
            self._at += 1
            return sign
        if not self._take("(") or self._depth == DEEPEST:
            raise _NotUnderstood
        self._depth += 1
        result = self._sum()
        self._depth -= 1
        if not self._take(")"):
            raise _NotUnderstood
        return result
