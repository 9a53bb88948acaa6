"""The calculator agrees with arithmetic, and keeps still where it is not sure."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.filters.calculator import LONGEST, number, value

numbers = st.integers(0, 999).map(str)
expressions = st.recursive(
    numbers,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(" ".join) | inner.map("({})".format),
    max_leaves=8,
)


@given(expressions)
def test_it_agrees_with_python(expression: str) -> None:
    """Sums and products with brackets come to what Python says, in whatever signs they are written."""
    written = expression.replace("*", "\u00d7").replace("-", "\u2212")

    if len(expression) <= LONGEST:
        assert value(expression) == value(written) == Fraction(eval(expression))


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("4 + 5(6-3)", 19),
        ("2^3^2", 512),
        ("-2^2", -4),
        ("$1,200.50 x 2", 2401),
        ("20% * 80", 16),
        ("7 / 2", Fraction(7, 2)),
        ("(1 + 2)(3 + 4)", 21),
        ("2 ** 10", 1024),
    ],
)
def test_arithmetic_as_people_write_it(expression: str, result: Fraction) -> None:
    """Brackets without a sign, powers, amounts and per cent."""
    assert value(expression) == result


@pytest.mark.parametrize(
    "expression",
    ["", "2 +", "(2", "2)", "1 / 0", "x + 1", "2 ^ 0.5", "9 ^ 99999", "2 3", "((((" * 20 + "1", "1+" * 200 + "1"],
)
def test_what_it_does_not_understand_has_no_value(expression: str) -> None:
    """Nothing is guessed, and nothing is too large to refuse."""
    assert value(expression) is None


def test_a_number_is_read_with_its_signs() -> None:
    """Thousands, amounts, and per cent as a hundredth."""
    assert [number(text) for text in ("1,234.5", "$5", "20%")] == [Fraction(2469, 2), 5, Fraction(1, 5)]
