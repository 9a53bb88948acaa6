"""Figures of a comparison: what is off a figure is said in it."""

import pytest

from training.prove.drawing import Scale, _above


@pytest.mark.parametrize(("loss", "said"), [(2.9, "before the first step: 2.9, above this figure"), (2.5, "")])
def test_a_base_far_above_its_arms_is_said(loss: float, said: str) -> None:
    """The axis shows what the arms differ in, so the first point may be cut off, but not in silence."""
    drawn = "".join(_above(loss, Scale(2.0, 2.6, 334, 14)))

    assert (said in drawn) if said else (drawn == "")
