"""Right answers: the normal form forgives writing, not content."""

import pytest

from training.answers.exact import match, normal


@pytest.mark.parametrize(
    ("text", "accepted", "exact", "contained"),
    [
        ("Paris.", ["Paris"], True, True),
        ("the  ATLANTIC", ["Atlantic"], True, True),
        ("It is Paris, of course.", ["Paris"], False, True),
        ("Parisian", ["Paris"], False, False),
        ("1,240", ["1240"], True, True),
        ("14", ["140"], False, False),
        ("3.5", ["35"], False, False),
        ("-5", ["5"], False, False),
        ("2031-03-07", ["2031-03-07"], True, True),
        ("**yes**", ["no", "yes"], True, True),
        ("", ["no"], False, False),
        ("£61", ["£61"], True, True),
        ("Harrow & Pike", ["Harrow & Pike"], True, True),
    ],
)
def test_answers_are_held_against_the_accepted_ones(
    text: str, accepted: list[str], *, exact: bool, contained: bool
) -> None:
    """In normal form, as whole words."""
    assert match(text, accepted) == (exact, contained)


def test_the_normal_form_is_its_own() -> None:
    """A second pass changes nothing."""
    once = normal("The  Cat’s “1,240.5” km—no, the-end.")  # noqa: RUF001  # typographic marks

    assert normal(once) == once
