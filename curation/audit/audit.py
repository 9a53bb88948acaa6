"""The audit: a recipe is run over somebody's data as they are, and over copies with known defects planted in them.

AUDIT/
  records.jsonl     the plants that are still there after the recipe, as the recipe left them
  rejected.jsonl    the plants that were rejected, with the reasons they were given
  plants.jsonl      every plant: its id and its host's, the defect, what became of it, the codes, whether they are right
  rates.jsonl       for every defect how many were planted and caught, with intervals
  untouched.jsonl   what became of the records without a plant
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from curation.audit.catalogue import DEFECTS, Defect
from curation.audit.measure import Catch, catch, rates, untouched
from curation.audit.sow import Round, Sowing, planted, sow
from curation.audit.steps import STEPS
from curation.audit.trace import Fate, fates, rejected, sound
from curation.pipeline import more_inputs, run_source, run_stage
from curation.recipes import stage_of
from curation.sources import Validate
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.mirror import here
from schemas.outcome import SILENT, Aside, Outcome, Rejection, Stage
from schemas.recipe import RecipeStep
from schemas.record import InstructionRecord, Row
from schemas.step import StepDirectory, is_step, step_input, write_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Plants known defects in copies of the data, runs the steps over them, and counts what they catch."""

    data: str = field(metadata={"identity": False})
    """A step directory, or a file that `validate` reads; what counts for identity is the bytes."""
    steps: tuple[Row, ...] = STEPS
    """The recipe's curation steps: `{"filter": {settings}}`."""
    defects: tuple[str, ...] = ()
    """Names in `DEFECTS` to plant; none named: all."""
    per_defect: int = 40
    """Plants of each defect, where the data have a place for so many."""
    share: float = 0.5
    """Share (0 to 1) of the sound records that become hosts in one copy at most: the rest stays as it is."""
    rounds: int = 20
    """Copies of the data at most."""
    seed: int = 1
    """Draws the hosts, and what is planted in them."""

    def __post_init__(self) -> None:
        """Refuse what cannot be audited.

        Raises:
            InputError: a defect or a step that there is not, or a share that is none.
        """
        if unknown := [name for name in self.defects if name not in DEFECTS]:
            raise InputError(place="defects", expected=f"some of {', '.join(DEFECTS)}", found=", ".join(unknown))
        if not 0 < self.share <= 1:
            raise InputError(place="audit", field="share", expected="above 0, up to 1", found=str(self.share))
        self.stages()

    @property
    def name(self) -> str:
        """The word for this source in manifests."""
        return "audit"

    def stages(self) -> list[Stage]:
        """Return the stages that are audited."""
        return [
            stage_of(RecipeStep(kind=kind, settings=how, place="audit"))
            for one in self.steps
            for kind, how in one.items()
        ]

    def chosen(self) -> Mapping[str, Defect]:
        """Return the defects that are planted."""
        return {name: defect for name, defect in DEFECTS.items() if not self.defects or name in self.defects}

    def inputs(self) -> list[FileDigest]:
        """Return the digests of the data, and of what the stages read besides."""
        path = here(self.data)
        files = [step_input(StepDirectory.open(path))] if is_step(path) else Validate(source=self.data).inputs()
        return [*files, *(one for stage in self.stages() for one in more_inputs(stage))]

    def __call__(self, aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield one outcome per plant."""
        with tempfile.TemporaryDirectory(prefix="dolly-audit-") as folder:
            yield from _Bench(self, Path(folder), aside).outcomes()


class _Bench:
    """Where the copies stand while they are run; nothing of it stays."""

    def __init__(self, audit: Audit, folder: Path, aside: Aside) -> None:
        self._audit, self._folder, self._aside = audit, folder, aside
        self._defects = audit.chosen()
        self._data = self._open(here(audit.data))

    def outcomes(self) -> Iterator[Outcome]:
        """Yield one outcome per plant, and leave the numbers aside."""
        plain = self._run(self._data, "plain")
        rounds = sow(self._defects, list(sound(plain, self._data)), self._sowing())
        catches: list[Catch] = []
        copies = []
        for number, plants in enumerate(rounds, 1):
            self._aside.progress("copies with plants", number, len(rounds))
            steps = self._run(self._copy(plants, number), f"copy{number}")
            for caught, outcome in self._caught(plants, steps):
                catches.append(caught)
                self._aside.leave("plants", {**asdict(caught), "copy": number})
                yield _marked(outcome, caught)
            touched = {name for plant in plants for name in (plant.host.id, plant.record.id)}
            copies.append((rejected(steps), touched, self._data.manifest.counts.kept - len(plants)))
        self._leave(catches, rejected(plain), copies)

    def _leave(self, catches: list[Catch], plain: Sequence[Fate], copies: Any) -> None:
        for rate in rates(catches, self._defects):
            self._aside.leave("rates", asdict(rate))
        self._aside.leave("untouched", asdict(untouched(self._data.manifest.counts.kept, plain, copies)))

    def _caught(self, plants: Round, steps: Sequence[StepDirectory]) -> Iterator[tuple[Catch, Outcome]]:
        seen = fates(steps, {name for plant in plants for name in (plant.host.id, plant.record.id)})
        for plant in plants:
            yield catch(plant, self._defects[plant.defect], seen)

    def _open(self, path: Path) -> StepDirectory:
        if is_step(path):
            return StepDirectory.open(path)
        return run_source(Validate(source=self._audit.data), self._folder / "data", aside=self._aside).step

    def _copy(self, plants: Round, number: int) -> StepDirectory:
        """Write the data with the plants in them, as a step that the recipe can read."""
        copy = _Copy(number=number)
        return write_step(
            self._folder / f"copy{number}" / "0-data",
            copy,
            lambda _: planted(self._data.records(), plants, self._defects),
            inputs=[step_input(self._data)],
        )[0]

    def _run(self, data: StepDirectory, name: str) -> list[StepDirectory]:
        """Run the steps over the data, each into a directory of its own."""
        steps: list[StepDirectory] = []
        for number, stage in enumerate(self._audit.stages(), 1):
            before = steps[-1] if steps else data
            target = self._folder / name / f"{number}-{stage.name}"
            steps.append(run_stage(stage, before.path, target, aside=self._aside).step)
        return steps

    def _sowing(self) -> Sowing:
        audit = self._audit
        return Sowing(per_defect=audit.per_defect, share=audit.share, rounds=audit.rounds, seed=audit.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """The description of a copy with plants."""

    number: int

    @property
    def name(self) -> str:
        """The stage's name."""
        return "planted"


def _marked(outcome: Outcome, caught: Catch) -> Outcome:
    """Return the outcome with the defect's name on it, so that nobody takes a plant for data."""
    if isinstance(outcome, InstructionRecord):
        return replace(outcome, extra={**outcome.extra, "planted": caught.defect})
    assert isinstance(outcome, Rejection)
    return replace(outcome, row={**outcome.row, "extra": {**outcome.row.get("extra", {}), "planted": caught.defect}})
