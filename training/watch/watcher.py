"""Watches a run: evaluates it now and then, measures its speed, and writes down what it sees."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schemas.codec import adapter
from schemas.outcome import Aside
from training.checkpoint.resume import Keeper
from training.log import EVALUATIONS, SAMPLES, Evaluation, Sample, StepRow, Watched
from training.planning.footprint import sizes
from training.planning.plan import Plan
from training.records.encoding import Example
from training.report.run_page import PAGE, Seen, run_html
from training.watch.boards import on_boards
from training.watch.evaluation import Examiner, by_category, examiner, is_due
from training.watch.gauge import Gauge, peak_of
from training.watch.live import Live


class _AbandonedError(Exception):
    """A signal came while the model was looked at."""


@dataclass(slots=True, kw_only=True)
class RunWatcher:
    """Looks at one run; see training.log.Watcher."""

    examine: Examiner
    gauge: Gauge
    live: Live
    share: float
    """Of the time, that evaluations during training may take."""
    name: str
    """What the run is called on its page."""
    stopping: Callable[[], bool]
    """Whether a signal has come."""
    seen: Seen = field(default_factory=Seen)
    _made: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def before(self) -> None:
        """Look at the base, unless that was done before the run was interrupted."""
        self._made = self.live.begin()
        self._recall(lambda step: step == 0)
        if not self.seen.evaluations:
            self._look(0, _Phase(self.live, self.stopping))

    def take_up(self, rows: Sequence[StepRow]) -> None:
        """Know again what was seen of the steps that were taken."""
        self.seen.rows = list(rows)
        self.live.cut(len(rows))
        self._recall(lambda step: 0 < step <= len(rows))

    def gauged(self, row: StepRow, examples: Sequence[Example]) -> StepRow:
        """Return a step's row with its share of the device's peak."""
        return self.gauge.gauged(row, examples)

    def after_step(self, rows: Sequence[StepRow], total: int) -> None:
        """Look at the model if that is paid for; never after the last step, which `after` looks at."""
        self.seen.rows = list(rows)
        if self.stopping() or not self._is_due(rows, total):
            return
        self._look(len(rows), _Phase(self.live, self.stopping, ("training", len(rows), total)))

    def after(self) -> Watched:
        """Look at the tuned model."""
        self._look(len(self.seen.rows), _Phase(self.live, lambda: False))
        looks = self.seen.evaluations
        return Watched(
            peak=self.gauge.peak,
            evaluations=len(looks),
            seconds=round(sum(one.seconds for one in looks), 2),
            first=next((one for one in looks if one.step == 0), None),
            last=looks[-1],
        )

    def page(self) -> str:
        """Return all that was seen as a page."""
        return run_html(self.name, self.seen)

    def _is_due(self, rows: Sequence[StepRow], total: int) -> bool:
        last = self.seen.evaluations[-1] if self.seen.evaluations else None
        if last is None or len(rows) >= total:
            return False
        trained = sum(row.seconds for row in rows[last.step :])
        left = sum(row.seconds for row in rows) / len(rows) * (total - len(rows))
        return is_due(self.share, last.seconds, trained, left)

    def _look(self, step: int, aside: Aside) -> None:
        try:
            evaluation, samples = self.examine(step, aside)
        except _AbandonedError:
            return
        for one in samples:  # first, so that an evaluation on disk has its samples there too
            self.live.leave(SAMPLES, asdict(one))
        self.live.leave(EVALUATIONS, asdict(evaluation))
        self.seen.evaluations.append(evaluation)
        self.seen.samples += samples
        (self.live.folder / PAGE).write_text(self.page(), encoding="utf-8")

    def _recall(self, wanted: Callable[[int], bool]) -> None:
        """Pass on what was seen in an earlier life of the run; on disk it stands already."""
        looks = [row for row in self._made[EVALUATIONS] if wanted(row["step"])]
        samples = [row for row in self._made[SAMPLES] if wanted(row["step"])]
        for name, rows in ((SAMPLES, samples), (EVALUATIONS, looks)):
            for row in rows:
                self.live.aside.leave(name, row)
        self.seen.evaluations += adapter(list[Evaluation]).validate_python(looks)
        self.seen.samples += adapter(list[Sample]).validate_python(samples)


@contextmanager
def watching(plan: Plan, model: Any, aside: Aside, keeper: Keeper) -> Iterator[RunWatcher]:
    """Watch a run as its request says, for as long as the context lasts."""
    wanted, out = plan.request.watching, plan.request.out
    with on_boards(wanted, out.name, aside) as shown:
        yield RunWatcher(
            examine=examiner(
                model,
                plan.encoder,
                by_category(plan.held_out, plan.data.records),
                tokens=plan.config.micro_tokens,
                sample_tokens=wanted.sample_tokens,
            ),
            gauge=Gauge(sizes=sizes(model), peak=peak_of(plan.device, plan.dtype)),
            live=Live(folder=keeper.folder, run=keeper.run, aside=shown),
            share=wanted.evaluation_share,
            name=f"{Path(plan.base.place.name).name} → {out.name}",
            stopping=lambda: keeper.told,
        )


@dataclass(frozen=True, slots=True)
class _Phase:
    """Passes on how far a look is; during training as a note of the step it comes after. A signal ends it."""

    aside: Aside
    stopping: Callable[[], bool]
    within: tuple[str, int, int] | None = None

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        self.aside.leave(name, row)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        if self.stopping():
            raise _AbandonedError
        if self.within is None:
            self.aside.progress(what, done, total, note)
        else:
            self.aside.progress(*self.within, f"{what} {done}/{total}")
