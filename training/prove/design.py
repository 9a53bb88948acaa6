"""Which arms a comparison has, which are set against which, and which of these decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.record import InstructionRecord
from training.config import TrainConfig
from training.prove.arms import CONTROLS, CURATED, RAW, Arm
from training.records.encoding import Example

Kind = Literal["primary", "secondary", "exploratory"]
Encode: TypeAlias = Callable[[Sequence[InstructionRecord]], list[Example]]
"""Records → those of them that can be trained on, as tokens."""

FEWEST_SEEDS = 3
"""Seeds below which nothing can be said of how much they vary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveRequest:
    """What is to be proved, on what."""

    raw: Path
    """A step directory or a release: the data before curation; with `noise`, clean data."""
    curated: Path | None
    """The data after it; None with `noise`."""
    test: Path
    """Records that people wrote and no arm has seen."""
    base: str
    """A path, an alias or a Hub id."""
    out: Path
    config: TrainConfig
    preset: str
    """The name of the preset that `config` came from."""
    seeds: int = FEWEST_SEEDS
    """Runs of every arm; each has an order, a draw, new rows and a dropout of its own."""
    controls: tuple[str, ...] = tuple(CONTROLS)
    """Arms besides raw and curated, of `CONTROLS`."""
    test_rows: int = 0
    """Test records that are used, drawn by the seed; 0: all."""
    smallest_effect: float = 0.0
    """Difference in nats per response token that matters; 0: the smallest that the seeds and prompts can show."""
    pilot: int = 0
    """Seeds of raw and random that are run first to see how much they vary; 0: a prior is taken."""
    strict: bool = False
    """Refuse a test set that overlaps an arm, instead of leaving the overlapping prompts out."""
    ladder: bool = False
    """Add the steps between raw and curated as arms."""
    attribute: tuple[str, ...] = ()
    """Reason codes whose work is undone, an arm each; `all`: every code that changed at least 1 % of raw."""
    noise: tuple[int, ...] = ()
    """Percent of `raw` that are replaced by planted defects; none: raw against curated."""
    curate: tuple[str, ...] = ()
    """Commands that curate planted data, with {in} and {out}; none: dolly-data filter and dedupe."""
    jobs: int = 1
    """Runs at once, each in a process of its own; on accelerators one a device."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.seeds < FEWEST_SEEDS:
            raise InputError(field="seeds", expected=f"at least {FEWEST_SEEDS}", found=str(self.seeds))
        for name in ("smallest_effect", "pilot", "test_rows"):
            if getattr(self, name) < 0:
                raise InputError(field=name, expected="0 or more", found=str(getattr(self, name)))
        if self.pilot == 1:
            raise InputError(field="pilot", expected="at least 2 seeds, or 0", found="1")
        if bool(self.noise) == bool(self.curated):
            raise InputError(expected="RAW and CURATED, or CLEAN alone with --noise", found="both or neither")
        if unknown := set(self.controls) - set(CONTROLS):
            raise InputError(field="controls", expected=f"of {', '.join(CONTROLS)}", found=", ".join(sorted(unknown)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One arm against another; below 0 the first has the lower loss."""

    arm: str
    against: str
    kind: Kind
    """The primary one alone decides; secondary ones are adjusted for their number; exploratory ones decide nothing."""
    question: str

    @property
    def name(self) -> str:
        """What it is called in results."""
        return f"{self.arm} - {self.against}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A loss that planted defects cost, and that curation may win back."""

    percent: int
    clean: str
    planted: str
    curated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The arms and what is asked of them."""

    arms: Mapping[str, Arm]
    contrasts: tuple[Contrast, ...]
    """The first is the primary one."""
    seen: tuple[InstructionRecord, ...]
    """Every record that any arm may be trained on."""
    inputs: Mapping[str, FileDigest]
    """The data by name: which bytes they are."""
    gaps: tuple[Gap, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else came out while the arms were made: defects caught, records that a rule gave back."""


def usual_contrasts(controls: Sequence[str]) -> tuple[Contrast, ...]:
    """Return curated against raw, which decides, and against every control."""
    primary = Contrast(arm=CURATED, against=RAW, kind="primary", question="Is curated better than raw?")
    others = (
        Contrast(arm=CURATED, against=name, kind="secondary", question=f"Is it better than {_CONTROL_WORDS[name]}?")
        for name in controls
    )
    return (primary, *others)


_CONTROL_WORDS: Mapping[str, str] = {
    "random": "as many records of raw by chance",
    "length-matched": "records of the same lengths by chance",
    "longest": "the longest records of raw",
}
