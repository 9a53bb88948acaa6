"""The steps that led to a step, walked back through the digests of their inputs.

A link holds only where the earlier step still stands and its records are, byte for byte, those that were read. Where it
does not hold, the walk ends and says why.
"""

from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.step import RECORDS, StepDirectory, is_step


@dataclass(frozen=True, slots=True)
class Chain:
    """A step and all that led to it."""

    steps: tuple[StepDirectory, ...]
    """Oldest first; the last is the step that was asked about."""
    gap: str = ""
    """Why the walk ended before a file that no step of ours wrote; empty where it did not."""

    @property
    def first(self) -> StepDirectory:
        """The oldest step that could be reached."""
        return self.steps[0]

    @property
    def last(self) -> StepDirectory:
        """The step that was asked about."""
        return self.steps[-1]

    @property
    def origins(self) -> tuple[FileDigest, ...]:
        """The files the oldest step read."""
        return self.first.manifest.inputs


def walk(step: StepDirectory) -> Chain:
    """Follow a step's input back to the file or model that everything came from, verifying every step on the way."""
    steps, gap = [step], ""
    seen = {step.path.resolve()}
    while (link := _link(steps[0])) is not None:
        digest, directory = link
        try:
            earlier = _verified(directory, digest)
        except InputError as error:
            gap = str(error)
            break
        if directory in seen:
            gap = f"{directory.name} names itself as its input"
            break
        seen.add(directory)
        steps.insert(0, earlier)
    return Chain(tuple(steps), gap)


def _link(step: StepDirectory) -> tuple[FileDigest, Path] | None:
    """Return the input that is a step's records and where that step stood; None where the input is a foreign file."""
    for digest, path in zip(step.manifest.inputs, step.input_paths(), strict=True):
        if path.name == RECORDS and (is_step(path.parent) or not path.exists()):
            return digest, path.parent
    return None


def _verified(directory: Path, digest: FileDigest) -> StepDirectory:
    """Open the earlier step; the messages name it without its place, because reports are published."""
    name = directory.name
    if not is_step(directory):
        raise InputError(f"{name}, which was read, no longer stands where it stood")
    try:
        step = StepDirectory.open(directory)
    except InputError as error:
        raise InputError(f"{name} has been changed since it was written") from error
    if step.records_file.sha256 != digest.sha256:
        raise InputError(f"{name} has been made again since it was read")
    return step
