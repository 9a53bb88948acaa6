"""How numbers and differences are said."""

import pytest

from training.compare.intervals import Estimate
from training.compare.measures import MEASURES
from training.compare.preferences import Score, prefer
from training.compare.wording import in_words, preferred, shown, span


@pytest.mark.parametrize(
    ("measure", "found", "words"),
    [
        ("stopped", Estimate(0.62, 0.42, 0.83, 24), "62 points higher (42 to 83): better"),
        ("repeated", Estimate(0.39, 0.21, 0.55, 24), "39 points higher (21 to 55): worse"),
        ("nats_per_byte", Estimate(-0.046, -0.057, -0.036, 100), "0.046 lower (0.036 to 0.057): better"),
        ("words", Estimate(10.2, 2.1, 17.4, 24), "10 higher (2 to 17)"),
        ("strict", Estimate(-0.1, -0.38, 0.04, 24), "no difference shown (38 points lower to 4 points higher)"),
        ("exact", Estimate(0.0, 0.0, 0.0, 24), "no difference shown (the same on every prompt)"),
        ("stopped", Estimate(1.0, 1.0, 1.0, 5), "too few to tell (5)"),
        ("copied", None, "not measured for both"),
    ],
)
def test_a_difference_is_said_in_words(measure: str, found: Estimate | None, words: str) -> None:
    """How much, how surely, and whether it is for the better; or that none is shown."""
    assert in_words(measure, found) == words


def test_numbers_are_said_with_their_intervals() -> None:
    """Percent once, at the end."""
    found = Estimate(0.949, 0.9, 0.981, 40)

    assert (shown(MEASURES["stopped"], 0.949), span(MEASURES["stopped"], found)) == ("95%", "90 to 98%")


def test_a_preference_is_said_in_a_sentence() -> None:
    """With what was counted, whether it shows, and what of it may be length."""
    said = preferred("b", "a", prefer([Score(1.0, 3)] * 20 + [Score(0.0, 3)] * 4, "said"), "prompts")

    assert said.startswith("b was preferred to a in 83% of 24 prompts (64 to 93%; 20 won, 0 even, 4 lost)")
    assert "a preference is shown. The longer answer won 83%" in said
    assert "At equal length" in said
    assert "too few to tell" in preferred("b", "a", prefer([Score(1.0, 0)], "few"), "prompts")
    assert preferred("b", "a", None, "prompts") == "nothing can be said of b and a."
