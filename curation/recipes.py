"""Walks a recipe: each step reads what the one before it left, and leaves its own directory in one run folder.

runs/
1-generate/  2-filter/  3-dedupe/   step directories
4-review.jsonl                      a sample for people
5-release/                          what is trained on
6-report.html                       the page about all of it
7-train/                            the checkpoint
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from curation.engine import HERE, Engine
from curation.pipeline import open_input, run_source, run_stage
from schemas.codec import read_config
from schemas.errors import DollyError, InputError
from schemas.outcome import Aside, Stage
from schemas.recipe import Recipe, RecipeStep
from schemas.record import Row
from schemas.step import StepDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How far a recipe has come."""

    folder: Path
    aside: Aside
    force: bool = False
    engine: Engine = HERE
    at: Path | None = None
    """The last step directory: what the next stage reads."""
    release: Path | None = None
    model: Path | None = None
    base: str = ""
    """The model that was tuned, to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One step that was walked."""

    kind: str
    path: Path
    reused: bool = False
    step: StepDirectory | None = None
    """The step directory, where the step left one."""
    said: str = ""
    """What there is to say of a step that left none."""


Kind: TypeAlias = Callable[[Walk, RecipeStep, Path], tuple[Walk, Done]]
"""A kind of step: takes the walk so far, the step's settings and the path it may write; returns both further on."""


def walk_recipe(
    recipe: Recipe, folder: Path, *, aside: Aside, force: bool = False, engine: Engine = HERE
) -> Iterator[Done]:
    """Yield each step of the recipe as it is done.

    Raises:
        InputError: an unknown kind or setting, before anything is run where that can be known.
        DollyError: a step failed; the finished ones are kept, and reused when the recipe is run again.
    """
    for step in recipe.steps:
        if step.kind not in KINDS:
            raise InputError(place=step.place, expected=f"one of {', '.join(KINDS)}", found=step.kind)
    walk = Walk(folder=folder, aside=aside, force=force, engine=engine)
    for step, path in zip(recipe.steps, places(recipe, folder), strict=True):
        walk, done = KINDS[step.kind](walk, step, path)
        yield done


def places(recipe: Recipe, folder: Path) -> list[Path]:
    """Return where each step of a recipe leaves what it makes; what is no directory gets an ending."""
    return [folder / f"{number}-{step.kind}" for number, step in enumerate(recipe.steps, 1)]


def _read(shape: Any, settings: Row, step: RecipeStep) -> Any:
    """Make the dataclass `shape` of a step's settings; a number or a day where text is meant is that text.

    YAML reads `keep: 5000` and `date: 2026-11-22` as neither.
    """
    texts = {one.name for one in fields(shape) if one.type is str}
    meant = {name: _as_written(value) if name in texts else value for name, value in settings.items()}
    return read_config(shape, meant, f"{step.place}: {step.kind}")


def _as_written(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number or type(value) is date else value


def _source(shape: Callable[[], Any]) -> Kind:
    def run(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
        source = _read(shape(), step.settings, step)
        ran = run_source(source, path, force=walk.force, aside=walk.aside, engine=walk.engine)
        return replace(walk, at=path), Done(kind=step.kind, path=path, reused=ran.reused, step=ran.step)

    return run


def _stage(shape: Callable[[], Any]) -> Kind:
    def run(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
        stage = _read(shape(), step.settings, step)
        ran = run_stage(stage, _before(walk, step), path, force=walk.force, aside=walk.aside, engine=walk.engine)
        return replace(walk, at=path), Done(kind=step.kind, path=path, reused=ran.reused, step=ran.step)

    return run


def stage_of(step: RecipeStep) -> Stage:
    """Return the stage that a step of a recipe names, with its settings.

    Raises:
        InputError: not one of STAGES, or a setting that it does not have.
    """
    if step.kind not in STAGES:
        raise InputError(place=step.place, expected=f"one of {', '.join(STAGES)}", found=step.kind)
    stage: Stage = _read(STAGES[step.kind](), step.settings, step)
    return stage


def _before(walk: Walk, step: RecipeStep) -> Path:
    if walk.at is None:
        raise InputError(place=step.place, expected="a source before it: generate or validate", found=step.kind)
    return walk.at


def _review(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
    """Apply decisions where the recipe names them; else draw a sample for people, once."""
    if "decisions" in step.settings:
        return _stage(_load("curation.review.stage:Review"))(walk, step, path)
    from curation.review.sample import Draw, sample_lines, write_sample  # noqa: PLC0415  # only here

    settings = {("n" if name == "sample" else name): value for name, value in step.settings.items()}
    draw = _read(Draw, settings, step)
    sample = path.with_suffix(".jsonl")
    fresh = not sample.exists()
    if fresh:
        write_sample(sample, sample_lines(open_input(_before(walk, step)), draw))
    said = "a sample for people to decide about" if fresh else "left as it is: it may hold decisions"
    return walk, Done(kind="review", path=sample, reused=not fresh, said=said)


def _select(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
    """Select, and draw the controls beside it: the walk goes on with the selection."""
    from curation.selection import select  # noqa: PLC0415  # only here

    settings = dict(step.settings)
    seed = settings.pop("seed", 1)
    stage = _read(_load("curation.select.stage:Select")(), settings, step)
    found = select(stage, _before(walk, step), path, seed=seed, force=walk.force, aside=walk.aside, engine=walk.engine)
    return replace(walk, at=path), Done(kind="select", path=path, reused=found.ran.reused, step=found.ran.step)


def _release(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
    from curation.release.build import Release, release  # noqa: PLC0415  # only here

    settings = _read(Release, step.settings, step)
    before = open_input(_before(walk, step))
    manifest, reused = release(before, path, settings, force=walk.force, aside=walk.aside, engine=walk.engine)
    said = f"{manifest.counts.kept:,} records for datasets.load_dataset and dolly-train"
    return replace(walk, release=path), Done(kind="release", path=path, reused=reused, said=said)


def _report(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
    from curation.report.write import write_report  # noqa: PLC0415  # only here
    from curation.review.planning import AcceptanceFiles  # noqa: PLC0415  # only here

    page = path.with_suffix(".html")
    evidence = _read(AcceptanceFiles, step.settings, step)
    write_report(open_input(_before(walk, step)), page, evidence=evidence)
    return walk, Done(kind="report", path=page, said="the page about all of it")


def _train(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
    data = walk.release or _before(walk, step)
    _train_command(walk, "fit", str(data), "-o", str(path), settings=step.settings)
    base = str(step.settings.get("base", ""))
    return replace(walk, model=path, base=base), Done(kind="train", path=path, said="the tuned model")


def _compare(walk: Walk, step: RecipeStep, path: Path) -> tuple[Walk, Done]:
    if walk.model is None:
        raise InputError(place=step.place, expected="train before it", found="compare")
    page = path.with_suffix(".html")
    _train_command(walk, "compare", walk.base, str(walk.model), "-o", str(page), settings=step.settings)
    return walk, Done(kind="compare", path=page, said="answers before and after")


def _train_command(walk: Walk, *words: str, settings: Row) -> None:
    """Run dolly-train, which is a program of its own: this package does not know it otherwise."""
    options = [part for name, value in settings.items() for part in _option(name, value)]
    force = ["--force"] * (walk.force and words[0] == "fit")
    command = [str(Path(sys.executable).with_name("dolly-train")), *words, *options, *force]
    code = subprocess.run(command, check=False).returncode  # noqa: S603  # our own program, words from the recipe
    if code:
        raise DollyError(f"dolly-train {words[0]} ended with exit code {code}")


OFF = {"greedy": "--sample", "merge": "--no-merge", "reload_check": "--no-reload-check"}
"""How dolly-train's switches that are on by themselves are turned off; the others are off unless they are named."""


def _option(name: str, value: object) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return [flag]
    if value is False:
        return [OFF[name]] if name in OFF else []
    return [flag, value if isinstance(value, str) else json.dumps(value)]


def _load(place: str) -> Callable[[], Any]:
    """Return a function that imports a class when its step is run."""

    def load() -> Any:
        module, name = place.split(":")
        return getattr(__import__(module, fromlist=[name]), name)

    return load


STAGES: dict[str, Callable[[], Any]] = {
    "filter": _load("curation.filters.stage:Filter"),
    "survey": _load("curation.filters.survey:Survey"),
    "decontaminate": _load("curation.contamination.stage:Decontaminate"),
    "dedupe": _load("curation.dedupe.stage:Dedupe"),
    "score": _load("curation.score.stage:Scoring"),
}
"""The kinds that judge records by themselves: what an audit can run."""

KINDS: dict[str, Kind] = {
    "generate": _source(_load("curation.generate.source:Generate")),
    "validate": _source(_load("curation.sources:Validate")),
    **{kind: _stage(shape) for kind, shape in STAGES.items()},
    "select": _select,
    "review": _review,
    "release": _release,
    "report": _report,
    "train": _train,
    "compare": _compare,
}
"""What a recipe may name."""
