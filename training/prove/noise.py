"""The causal test: defects are planted into clean data, and a curation gives back what they cost, or does not.

Training knows nothing of curation, so curation is run as the commands that a user would type.
"""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from schemas.errors import DollyError, InputError
from schemas.manifest import FileDigest
from schemas.outcome import Outcome
from schemas.record import InstructionRecord
from schemas.step import StepDirectory, is_step, step_input, write_step
from training.prove.arms import Arm, draw_random, fixed
from training.prove.defects import PLANTS, Planting, caught
from training.prove.design import Contrast, Design, Encode, Gap
from training.records.data import TrainingData
from training.records.encoding import Example

CLEAN = "clean"
DEFAULT_CURATION = (
    f"{sys.executable} -m curation.cli filter {{in}} -o {{out}} --plain",
    f"{sys.executable} -m curation.cli dedupe {{in}} -o {{out}} --plain",
)
"""dolly-data's rules and its dedupe, as they come."""
TAIL = 400
"""Characters of a failed command's last words that are shown."""


def noise_design(
    data: TrainingData, percents: Sequence[int], commands: Sequence[str], folder: Path, encode: Encode
) -> Design:
    """Plant, curate, and return the arms: clean, and for each share planted, curated, and cut by as many at random.

    Raises:
        InputError: a share that is none, or a command that left no step directory.
        DollyError: a command failed.
    """
    shares = sorted({one for one in percents if one > 0})
    if not shares or min(percents) < 0 or max(percents) > 90:  # noqa: PLR2004  # a tenth must stay sound
        found = ",".join(map(str, percents))
        raise InputError(field="noise", expected="percents from 0 to 90, one above 0", found=found)
    arms: dict[str, Arm] = {CLEAN: fixed(encode(data.records))}
    seen, facts, inputs = list(data.records), {}, {CLEAN: data.files[0]}
    for percent in sorted(set(percents)):
        planted, curated = _planted(data, percent, folder), None
        curated = _curate(planted, commands, folder / f"noise-{percent}")
        facts[str(percent)] = _caught(planted, curated)
        inputs |= {f"planted-{percent}": step_input(planted), f"curated-{percent}": step_input(curated)}
        seen += [*planted.records(), *curated.records()]
        arms |= _arms(percent, encode(tuple(planted.records())), encode(tuple(curated.records())))
    return Design(
        arms=arms,
        contrasts=tuple(_contrasts(shares, with_zero=0 in percents)),
        seen=tuple({one.id: one for one in seen}.values()),
        inputs={name: _nameless(one) for name, one in inputs.items()},
        gaps=tuple(_gap(percent) for percent in shares),
        facts={"caught": facts},
    )


def _nameless(digest: FileDigest) -> FileDigest:
    return FileDigest(path="", bytes=digest.bytes, sha256=digest.sha256, rows=digest.rows)


def _gap(percent: int) -> Gap:
    return Gap(percent=percent, clean=CLEAN, planted=f"planted-{percent}", curated=f"curated-{percent}")


def _arms(percent: int, planted: list[Example], curated: list[Example]) -> Iterator[tuple[str, Arm]]:
    if percent:
        yield f"planted-{percent}", fixed(planted)
        yield f"random-{percent}", partial(draw_random, planted, len(curated))
    yield f"curated-{percent}", fixed(curated)


def _contrasts(shares: Sequence[int], *, with_zero: bool) -> Iterator[Contrast]:
    """Yield the contrasts, those of the largest share first: the first decides."""
    for percent in reversed(shares):
        gap, kind = _gap(percent), "primary" if percent == shares[-1] else "secondary"
        question = f"With {percent} % planted, is curated better than planted?"
        yield Contrast(arm=gap.curated, against=gap.planted, kind=kind, question=question)  # type: ignore[arg-type]  # a Kind
        by_chance = "Is it better than as many records dropped by chance?"
        yield Contrast(arm=gap.curated, against=f"random-{percent}", kind="secondary", question=by_chance)
        cost = f"What do {percent} % defects cost?"
        yield Contrast(arm=gap.planted, against=CLEAN, kind="secondary", question=cost)
    if with_zero:
        harm = "What does curation do to clean data?"
        yield Contrast(arm="curated-0", against=CLEAN, kind="secondary", question=harm)


def _planted(data: TrainingData, percent: int, folder: Path) -> StepDirectory:
    work = Planting(percent=percent, clean=data.files[0].sha256)

    def outcomes(aside: object) -> Iterator[Outcome]:
        yield from work(data.records, aside)  # type: ignore[arg-type]  # the writer's own aside

    return write_step(folder / f"noise-{percent}" / "planted", work, outcomes)[0]


def _curate(planted: StepDirectory, commands: Sequence[str], folder: Path) -> StepDirectory:
    """Run the commands one after the other, each on what the one before left."""
    here = planted.path
    for number, command in enumerate(commands or DEFAULT_CURATION, 1):
        out = folder / f"curated-{number}"
        words = [word.replace("{in}", str(here)).replace("{out}", str(out)) for word in shlex.split(command)]
        _run(words)
        if not is_step(out):
            raise InputError(place=command, expected=f"a step directory at {out}", found="none")
        here = out
    return StepDirectory.open(here)


def _run(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  # the user's own command
    except OSError as error:
        raise DollyError(f"{words[0]}: {error.strerror or error}") from error
    if done.returncode:
        raise DollyError(f"{shlex.join(words)}: exit {done.returncode}: {done.stderr.strip()[-TAIL:]}")


def _caught(planted: StepDirectory, curated: StepDirectory) -> dict[str, object]:
    plants = [{name: str(value) for name, value in row.items()} for row in planted.rows(PLANTS)]
    busy = {one["id"] for one in plants} | {one["host"] for one in plants}
    sound: list[InstructionRecord] = [record for record in planted.records() if record.id not in busy]
    return dict(caught(plants, [one.id for one in sound], tuple(curated.records())))
