"""What a reviewer is to look at, with what the plan drew; a plan that is fixed or replaced meanwhile is noticed."""

from dataclasses import replace

from curation.review.plan_file import plan_beside, read_plan
from curation.review.queues import Seating
from schemas.step import StepDirectory

Stamp = tuple[int, int, int]


class Planned:
    """A seating that follows the plan beside a step."""

    def __init__(self, step: StepDirectory, seating: Seating) -> None:
        self._records_sha256, self._place = step.records_file.sha256, plan_beside(step.path)
        self._asked = self._seating = seating
        self._stamp: Stamp | None = None

    def __call__(self) -> Seating:
        """Return the seating as it is now; the same one as long as nobody wrote another plan.

        Raises:
            InputError: the plan is not as it was written.
        """
        stamp = self._now()
        if stamp != self._stamp:
            self._seating = self._asked if stamp is None else self._read()
            self._stamp = stamp
        return self._seating

    def _now(self) -> Stamp | None:
        """Return what tells one file from the next; None where there is none."""
        try:
            found = self._place.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> Seating:
        plan = read_plan(self._place)
        if plan.population.records_sha256 != self._records_sha256:
            return self._asked
        return replace(self._asked, plan=plan.sha256, drawn=plan.drawn, seed=plan.seed, n=plan.n)
