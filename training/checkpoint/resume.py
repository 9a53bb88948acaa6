"""A run that was stopped goes on where it stopped, and ends in the same weights: on a processor to the last bit.

Its state stands beside the checkpoint, because the checkpoint does not exist before its run has ended.
`training.checkpoint.saved` says what it looks like, `training.checkpoint.saving` how it gets there.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from schemas.codec import adapter, dumps
from schemas.errors import DollyError, InputError, StoppedError
from schemas.outcome import SILENT, Aside
from training.checkpoint.saved import STATE, Draft, facts_of, forget_drafts, newest, part_of, states, step_of
from training.checkpoint.saving import Saving, has_room
from training.checkpoint.state import State, fill, own_tensors
from training.guard import DivergedError, Guard
from training.log import NOTES, StepRow
from training.ranks.distributed import ALONE, Ranks

CHOSEN = ("optimiser", "dtype", "parallel")
"""Settings that decide what a state is made of; where they are left open, they are as the saved state has them."""
FIRST_SOONER = 16
"""The first state is saved after this part of the usual time, and each next one after twice as long: what goes wrong
goes wrong early."""
NO_ROOM = "there is no memory for a copy of the state: training waited until it was written"


def resume_beside(out: Path) -> Path:
    """Return where the state of an unfinished checkpoint stands."""
    return out.parent / f"{out.name}.resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """A run with other settings whose state this one went on from."""

    run: str
    """Its fingerprint."""
    step: int
    """After which step."""


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps the state of one run on disk."""

    folder: Path
    run: str
    """The fingerprint of data, base and settings: another run's state is not taken up."""
    every_s: float
    """Seconds between two saves; 0: only at the end of an interrupted run."""
    course: str = ""
    """The fingerprint of what decides which record comes at which step."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """The settings of `CHOSEN` as this run has them."""
    take_up: bool = False
    """Go on from the state of a run with the same course and other settings."""
    taken_up: TakenUp | None = None
    """Whose state it was; None: this run's own, or none."""
    ranks: Ranks = ALONE
    """Who trains together; they save at the same step, on a file system that all of them see."""
    told: bool = False
    """A signal has come."""
    saving: Saving = field(default_factory=Saving)
    _last: float = field(default_factory=time.monotonic)
    _saves: int = 0

    def saved_choices(self, asked: Mapping[str, Any]) -> dict[str, str]:
        """Return what the saved state has where the settings that were asked for are open (`auto`).

        Raises:
            InputError: it belongs to another run, or to one whose optimiser or precision is not the one asked for.
        """
        facts = self._facts()
        if facts is None:
            return {}
        self._make_sure_of_size(facts)
        saved: Mapping[str, str] = facts.get("chosen", {})
        for name, value in saved.items():
            if asked[name] not in ("auto", value) and not self._may_change(name, value):
                expected = f"{value}, as when the state was saved, or --force, which discards it"
                raise InputError(place=self.folder, field=name, expected=expected, found=str(asked[name]))
        self._make_sure_of_run(facts)
        return {name: value for name, value in saved.items() if asked[name] == "auto"}

    def restore(self, state: State) -> None:
        """Put the last saved state into `state`, in place; nothing where none was saved.

        Raises:
            InputError: it belongs to another run.
        """
        if self.ranks.first:
            forget_drafts(self.folder)
        found = newest(self.folder)
        self._make_sure_all_see(step_of(found))
        if found is None:
            return
        so_far = facts_of(found)
        self.taken_up = self._taken_up(so_far)
        common = {} if self.ranks.first or self.ranks.sharded else load_file(found / STATE)
        fill(state, common | load_file(found / part_of(self.ranks.number)))
        state.rows.extend(adapter(list[StepRow]).validate_python(so_far["rows"]))

    def after_step(self, state: State, guard: Guard, aside: Aside = SILENT) -> None:
        """Save if it is time to and all is well, or if a signal has come.

        Raises:
            DollyError: a state could not be written.
            StoppedError: a signal had come; the state is on disk.
        """
        is_time = self._is_time() and not guard.suspicious
        time_to, told, writing = self.ranks.any(is_time, self.told, self.saving.is_going_on())
        if not writing:
            self.saving.publish()
        if told or time_to:
            self.saving.settle()
        if self._saves:
            self._forget_superseded(guard.good_until)
        if told or time_to:
            self.save(state, aside, going_on=not told)
        if told:
            self.saving.settle()
            raise StoppedError(f"interrupted after step {len(state.rows)}; the same command goes on from there")

    def save(self, state: State, aside: Aside = SILENT, *, going_on: bool = True) -> None:
        """Save the state as it is now; the one before stays until the step after this one went well.

        If training is `going_on` and there is memory for it, a copy is written meanwhile.

        Raises:
            DollyError: no space on the disk; the state before is still there.
        """
        step, tensors = len(state.rows), own_tensors(state, self.ranks)
        copy = going_on and has_room(tensors, self.ranks)
        if going_on and not copy:
            aside.leave(NOTES, {"step": step, "note": NO_ROOM})
        draft = Draft(folder=self.folder, step=step, ranks=self.ranks)
        self.saving.begin(draft, tensors, partial(self._log, tuple(state.rows)), copy=copy)
        self._last, self._saves = time.monotonic(), self._saves + 1

    def _log(self, rows: Sequence[StepRow]) -> bytes:
        return dumps({**self._whose(), "rows": [asdict(row) for row in rows]})

    def _whose(self) -> dict[str, Any]:
        before = asdict(self.taken_up) if self.taken_up else None
        who = {"ranks": self.ranks.size, "sharded": self.ranks.sharded, "chosen": dict(self.chosen)}
        return {"run": self.run, "course": self.course, "taken_up": before, **who}

    def has_anothers(self) -> bool:
        """Say whether the newest state is another run's."""
        facts = self._facts()
        return facts is not None and facts["run"] != self.run

    def forget(self) -> None:
        """Remove everything: the run has ended, or is to begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget_bad(self, good_until: int) -> int:
        """Remove states that no good step followed; return after which step the newest left was saved, 0: none."""
        with suppress(DollyError):  # that a state is missing is no news beside what ends the run
            self.saving.settle()
        for one in states(self.folder):
            if self.ranks.first and step_of(one) >= good_until:
                shutil.rmtree(one)
        return step_of(newest(self.folder))

    def _make_sure_all_see(self, step: int) -> None:
        """Make sure that all ranks go on from the same state."""
        seen = [int(one) for (one,) in self.ranks.gather(step)]
        if len(set(seen)) > 1:
            expected = "the same saved state on every machine, on a file system that all of them see"
            raise InputError(place=self.folder, expected=expected, found=f"by rank: after step {seen}")

    def _taken_up(self, so_far: Mapping[str, Any]) -> TakenUp | None:
        self._make_sure_of_size(so_far)
        if so_far.get("sharded", False) != self.ranks.sharded:
            kinds = {True: "sharded", False: "replicas"}
            expected = f"--parallel {kinds[not self.ranks.sharded]}, as when the state was saved, or --force"
            raise InputError(place=self.folder, expected=expected, found=kinds[self.ranks.sharded])
        self._make_sure_of_run(so_far)
        if so_far["run"] == self.run:
            return TakenUp(**so_far["taken_up"]) if so_far.get("taken_up") else None
        return TakenUp(run=so_far["run"], step=len(so_far["rows"]))

    def _make_sure_of_size(self, so_far: Mapping[str, Any]) -> None:
        if (before := so_far.get("ranks", 1)) != self.ranks.size:
            expected = f"--devices {before} in all, as when the state was saved, or --force, which discards it"
            raise InputError(place=self.folder, expected=expected, found=str(self.ranks.size))

    def _make_sure_of_run(self, so_far: Mapping[str, Any]) -> None:
        """Make sure that a state is this run's, or of one that it may go on from."""
        if so_far["run"] == self.run or (self.take_up and so_far.get("course") == self.course):
            return
        if self.take_up:
            expected = "the state of a run with the same data, base, order and prompt"
        else:
            expected = "the state of a run with the same data, base and settings, or --take-up"
        raise InputError(place=self.folder, expected=expected, found="another's; --force discards it")

    def _is_time(self) -> bool:
        wait_s = self.every_s * min(1 << self._saves, FIRST_SOONER) / FIRST_SOONER
        return bool(wait_s) and time.monotonic() - self._last >= wait_s

    def _forget_superseded(self, good_until: int) -> None:
        """Remove all states before the newest that a good step followed."""
        if not self.ranks.first:
            return
        good = [one for one in states(self.folder) if step_of(one) < good_until]
        for one in good[:-1]:
            shutil.rmtree(one)

    def _facts(self) -> Mapping[str, Any] | None:
        """Return what the newest state says of itself; its tensors are not looked at."""
        for one in reversed(states(self.folder)):
            with suppress(OSError, ValueError):
                return facts_of(one)
        return None

    def _may_change(self, name: str, saved: str) -> bool:
        """Say whether a setting may be another from here on: weights in bf16 go on in fp32, not the other way."""
        return self.take_up and name == "dtype" and saved == "bf16"


@contextmanager
def keeping_what_was_good(keeper: Keeper | None, guard: Guard) -> Iterator[None]:
    """See to it that nothing is being written when a run ends, however it does, short of a second Ctrl-C.

    Where the guard ends it, the newest state on disk is a good one; the error says how to go on.
    """
    try:
        yield
        if keeper:
            keeper.saving.settle()
    except DivergedError as error:
        step = keeper.forget_bad(guard.good_until) if keeper else 0
        raise DivergedError(f"{error}. {_way_on(keeper, step)}") from error
    except Exception:
        if keeper:
            keeper.saving.give_up()
        raise


def _way_on(keeper: Keeper | None, step: int) -> str:
    helps = "a smaller --lr, a longer --warmup-ratio or --dtype fp32 usually help"
    if keeper is None or not step:
        return f"No good state had been saved by then: {helps}."
    return (
        f"The last good state, after step {step}, is kept in {keeper.folder}: {helps}, together with --take-up, which "
        "goes on from it, or --force, which begins anew."
    )
