"""Curves are where their numbers are, on round scales; texts in them are only ever text."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import HOSTILE
from training.report.figures import HEIGHT, Curve, figure, number, scale_of, smoothed, thinned

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(finite, min_size=1, max_size=30))
def test_a_scale_holds_all_values_between_round_numbers(values: list[float]) -> None:
    """Every value is drawn within the figure, and there are a few lines across."""
    scale = scale_of(values)

    assert all(-1e-6 <= scale.y(value) <= HEIGHT + 1e-6 for value in values)
    assert 2 <= len(scale.ticks) <= 7
    assert (scale.ticks[0], scale.ticks[-1]) == pytest.approx((scale.low, scale.high))


def test_round_numbers() -> None:
    """As a person would choose them."""
    assert scale_of([1.93, 2.71]).ticks == pytest.approx((1.8, 2.0, 2.2, 2.4, 2.6, 2.8))
    assert scale_of([0.0, 2e-4]).ticks == pytest.approx((0, 5e-5, 1e-4, 1.5e-4, 2e-4))
    assert [number(value) for value in (0.0, 2.25, 5e-5, 1.5e-4, 7500.0)] == ["0", "2.25", "5e-5", "1.5e-4", "7,500"]


@given(st.lists(finite, min_size=1, max_size=2000))
def test_many_points_are_averaged(values: list[float]) -> None:
    """No more than a screen shows, from the first step to the last, within what was there."""
    points = [(float(step), value) for step, value in enumerate(values)]

    thin = thinned(points)

    assert len(thin) <= 300
    assert (thin[0][0], thin[-1][0]) == (points[0][0], points[-1][0])
    assert (
        min(values) - 1e-6 <= min(value for _, value in thin) <= max(value for _, value in thin) <= max(values) + 1e-6
    )


def test_what_is_no_number_is_not_drawn() -> None:
    """A gradient norm may be infinite in the last row of a run."""
    assert thinned([(1.0, 2.0), (2.0, float("inf")), (3.0, float("nan"))]) == [(1.0, 2.0)]


def test_smoothing_is_the_mean_of_what_came_before() -> None:
    """Never of what came after."""
    points = [(float(step), float(step)) for step in range(100)]

    assert smoothed(points, 0.05)[:2] == [(0.0, 0.0), (1.0, 0.5)]
    assert smoothed(points, 0.05)[50] == (50.0, 48.0)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_only_text(text: str) -> None:
    """The drawing stays well-formed and has no element of the text's making."""
    curves = [Curve(text, "train", [(0, 1.0), (9, 2.0)]), Curve("b", "held", [(0, 1.5)], dotted=True)]
    visible = "".join(char for char in text if char.isprintable())
    curves[0] = curves[0]._replace(name=visible)

    root = ET.fromstring(figure("loss", visible, visible, curves, 9))

    kinds = {one.tag.split("}")[1] for one in root.iter()}
    assert kinds <= {"svg", "title", "desc", "rect", "text", "line", "polyline", "circle"}
    assert root.findall(".//{*}circle")[0].get("cx") == "0.000%"
