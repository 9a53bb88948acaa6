"""A run that has gone astray is stopped, one that merely has a hard batch is not; what was good is kept."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import InputError
from tests.training.checkpoint.test_resume import CONFIG, examples, fresh, keeper, newest
from training.checkpoint.resume import resume_beside
from training.config import TrainConfig, settle
from training.fit import fit
from training.guard import PATIENCE, DivergedError, Guard
from training.log import StepRow
from training.planning.plan import Request
from training.step.loop import train
from training.watch_config import WatchConfig

SANE = [2.0, 1.9, 2.1, 1.8]


def after(losses: list[float], ratio: float = 2.0) -> Guard:
    """Return a guard that has seen these losses, one a step."""
    guard = Guard(ratio=ratio)
    for step, loss in enumerate(losses, 1):
        guard.check(step, loss, 1.0)
    return guard


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (2.0, math.nan), (2.0, math.inf)])
def test_what_is_no_number_stops_at_once(loss: float, norm: float) -> None:
    """Whatever the ratio."""
    with pytest.raises(DivergedError, match=f"step 5: loss {loss}, gradient norm {norm}"):
        after(SANE, ratio=0).check(5, loss, norm)


def test_a_loss_that_stays_too_high_stops_after_some_steps() -> None:
    """Saying how high, over what, and for how long; the last good step is known."""
    guard = after([*SANE, *[5.0] * (PATIENCE - 1)])

    with pytest.raises(DivergedError, match=r"the loss is 5\.000 and was over 3\.900, 2 times its median, for 8 steps"):
        guard.check(12, 5.0, 1.0)
    assert guard.good_until == 4


def test_a_hard_batch_is_no_divergence() -> None:
    """One good step between them and the count begins anew."""
    guard = after([*SANE, *[5.0] * (PATIENCE - 1), 2.0, *[5.0] * (PATIENCE - 1)])

    assert guard.suspicious
    assert guard.good_until == len(SANE) + PATIENCE


def test_the_loss_of_what_is_known_by_heart_may_be_many_times_its_median() -> None:
    """0.3 is nothing, though 0.01 was usual."""
    assert not after([0.01] * 20 + [0.3] * 20).suspicious


def test_a_ratio_of_0_lets_any_number_pass() -> None:
    """As asked."""
    assert after([*SANE, *[500.0] * 50], ratio=0).good_until == 54


def test_a_run_that_goes_on_is_held_against_its_former_losses() -> None:
    """As one that was never interrupted."""
    whole, again = after([*SANE, 5.0, 5.0]), Guard(ratio=2.0)
    rows = rows_of([*SANE, 5.0, 5.0])
    again.take_up(rows)

    assert (again.good_until, again.suspicious, again.limit) == (whole.good_until, whole.suspicious, whole.limit)


def rows_of(losses: list[float]) -> list[StepRow]:
    """Return the log of steps with these losses."""
    counts = {"rows": 1, "response_tokens": 1, "tokens": 1, "padded_tokens": 1, "padding_share": 0.0}
    speeds = {"lr": 1.0, "grad_norm": 1.0, "seconds": 1.0, "tokens_per_second": 1.0}
    return [StepRow(step=step, loss=loss, **counts, **speeds) for step, loss in enumerate(losses, 1)]  # type: ignore[arg-type]  # both kinds of number


def test_a_run_with_far_too_large_a_rate_stops_and_keeps_the_last_good_state(tmp_path: Path) -> None:
    """Real divergence: the rate rises to 1000; from the state that is kept a sane one goes on."""
    rising = TrainConfig(rows_per_step=2, epochs=100, lr=1000.0, warmup_steps=400_000, steps=400)
    sane = replace(rising, lr=1e-3, warmup_steps=0, steps=30)

    with pytest.raises(DivergedError, match=r"stopped at step \d+: .*The last good state, after step \d+, is kept in"):
        train(fresh(), examples(), rising, pad_id=2, keeper=keeper(tmp_path), guard=Guard(ratio=1.5))

    step, model = newest(tmp_path), fresh()
    again = train(model, examples(), replace(sane, steps=step + 10), pad_id=2, keeper=keeper(tmp_path, every_s=0))
    assert step > 0
    assert again.steps == step + 10
    assert again.last_loss < 1.5 * again.first_loss


def test_without_a_saved_state_it_says_so(tmp_path: Path) -> None:
    """And what helps."""
    config = TrainConfig(rows_per_step=2, epochs=100, lr=1000.0)

    with pytest.raises(DivergedError, match=r"No good state had been saved by then: a smaller --lr"):
        train(fresh(), examples(), config, pad_id=2, keeper=keeper(tmp_path, every_s=0), guard=Guard(ratio=2.0))


def test_a_state_is_bad_until_a_good_step_followed(tmp_path: Path) -> None:
    """Its own loss was measured before its update."""
    kept = keeper(tmp_path)
    train(fresh(), examples(), CONFIG, pad_id=2, keeper=kept)  # leaves those after steps 14 and 15

    assert [kept.forget_bad(16), kept.forget_bad(15), kept.forget_bad(1)] == [15, 14, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_diverged_run_goes_on_with_a_smaller_rate(tmp_path: Path, tiny: Path, colours: Path) -> None:
    """From its last good state, if that is asked for; the record says which steps had other settings."""
    wild = settle(
        "default", {"epochs": 400, "lr": 1000.0, "warmup_steps": 400_000, "dtype": "fp32", "rows_per_step": 2}
    )
    sane = replace(wild, lr=1e-3, warmup_steps=0, schedule="constant", epochs=1)
    first = Request(data=colours, base=str(tiny), out=tmp_path / "out", config=wild, preset="default",
                    save_minutes=1e-9, watching=WatchConfig(divergence_ratio=1.2))  # fmt: skip
    with pytest.raises(DivergedError, match="--take-up"):
        fit(first)
    step = newest(resume_beside(first.out))
    second = replace(first, config=replace(sane, epochs=2 + step // 4))
    with pytest.raises(InputError, match="--take-up"):
        fit(second)

    run = fit(replace(second, take_up=True)).run

    assert run.trained.steps == 4 * (2 + step // 4)
    assert run.trained.last_loss < run.trained.first_loss
    assert run.differences[-1].setting == f"steps 1 to {step}"
    assert not resume_beside(first.out).exists()
