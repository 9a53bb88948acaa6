"""A run that was stopped goes on where it stopped, and ends in the same weights to the last bit.

Its state (training.checkpoint.state) stands beside the checkpoint, which does not exist before its run has ended. Here
is decided when it is saved, which of several is good, and from whose a run may go on.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import DollyError, InputError, StoppedError
from training.checkpoint.state import State, flush, is_whole, read_facts, read_into, vouch, write_own
from training.guard import DivergedError, Guard
from training.ranks.distributed import ALONE, Ranks

CHOSEN = ("optimiser", "dtype", "parallel")
"""Settings that decide what a state is made of; where they are left open, they are as the saved state has them."""
FIRST_SOONER = 16
"""The first state is saved after this part of the usual time, and each next one after twice as long: what goes wrong
goes wrong early."""


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
        found = self._newest()
        self._make_sure_all_see(_step_of(found) if found else 0)
        if found is None:
            return
        self.taken_up = self._taken_up(read_facts(found))
        read_into(state, found, self.ranks)

    def after_step(self, state: State, guard: Guard) -> None:
        """Save if it is time to and all is well, or if a signal has come.

        Raises:
            StoppedError: a signal had come; the state is on disk.
        """
        if self._saves:
            self._forget_superseded(guard.good_until)
        time_to, told = self.ranks.any(self._is_time() and not guard.suspicious, self.told)
        if told or time_to:
            self.save(state)
        if told:
            raise StoppedError(f"interrupted after step {len(state.rows)}; the same command goes on from there")

    def save(self, state: State) -> None:
        """Write the state; the one before stays until the step after this one went well.

        Raises:
            DollyError: no space on the disk; the state before is still there.
        """
        target = self.folder / f"step-{len(state.rows):06}"
        draft = self.folder / f".{target.name}.writing"
        try:
            if self.ranks.first:
                shutil.rmtree(draft, ignore_errors=True)
                draft.mkdir(parents=True)
            self.ranks.wait()
            write_own(draft, state, self.ranks)
            self.ranks.wait()
            if self.ranks.first:
                vouch(draft, self._whose(), state)
                shutil.rmtree(target, ignore_errors=True)
                draft.rename(target)
                flush(self.folder)
            self.ranks.wait()
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise DollyError(f"{self.folder}: the state was not saved: {error.strerror or error}") from error
        self._last, self._saves = time.monotonic(), self._saves + 1

    def _whose(self) -> dict[str, Any]:
        before = asdict(self.taken_up) if self.taken_up else None
        who = {"ranks": self.ranks.size, "sharded": self.ranks.sharded, "chosen": dict(self.chosen)}
        return {"run": self.run, "course": self.course, "taken_up": before, **who}

    def forget(self) -> None:
        """Remove everything: the run has ended, or is to begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget_bad(self, good_until: int) -> int:
        """Remove states that no good step followed; return after which step the newest left was saved, 0: none."""
        for one in self._finished():
            if self.ranks.first and _step_of(one) >= good_until:
                shutil.rmtree(one)
        newest = self._newest()
        return _step_of(newest) if newest else 0

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
        wait_s = self.every_s * min(1.0, 2**self._saves / FIRST_SOONER)
        return bool(wait_s) and time.monotonic() - self._last >= wait_s

    def _forget_superseded(self, good_until: int) -> None:
        """Remove all states before the newest that a good step followed."""
        if not self.ranks.first:
            return
        states = self._finished()
        good = [one for one in states if _step_of(one) < good_until]
        for one in good[:-1]:
            shutil.rmtree(one)

    def _finished(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))

    def _facts(self) -> Mapping[str, Any] | None:
        """Return what the newest state says of itself; its tensors are not looked at."""
        for one in reversed(self._finished()):
            with suppress(OSError, ValueError):
                return read_facts(one)
        return None

    def _may_change(self, name: str, saved: str) -> bool:
        """Say whether a setting may be another from here on: weights in bf16 go on in fp32, not the other way."""
        return self.take_up and name == "dtype" and saved == "bf16"

    def _newest(self) -> Path | None:
        whole = [one for one in self._finished() if is_whole(one)]
        return whole[-1] if whole else None


@contextmanager
def keeping_what_was_good(keeper: Keeper | None, guard: Guard) -> Iterator[None]:
    """Where the guard ends a run, see to it that the newest state on disk is a good one, and say how to go on."""
    try:
        yield
    except DivergedError as error:
        step = keeper.forget_bad(guard.good_until) if keeper else 0
        raise DivergedError(f"{error}. {_way_on(keeper, step)}") from error


def _way_on(keeper: Keeper | None, step: int) -> str:
    helps = "a smaller --lr, a longer --warmup-ratio or --dtype fp32 usually help"
    if keeper is None or not step:
        return f"No good state had been saved by then: {helps}."
    return (
        f"The last good state, after step {step}, is kept in {keeper.folder}: {helps}, together with --take-up, which "
        "goes on from it, or --force, which begins anew."
    )


def _step_of(state: Path) -> int:
    return int(state.name.removeprefix("step-"))
