"""How closely a run is watched; nothing here changes the weights that come out."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from schemas.errors import InputError

EXTRA = "pip install '.[watch]' in a checkout"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """What to look at, how often, and where to show it."""

    evaluation_share: float = 0.05
    """Largest share of the time that evaluations during training take; 0: only before and after."""
    sample_tokens: int = 128
    """Tokens after which an answer to a fixed prompt is cut off; 0: no prompt is answered."""
    divergence_ratio: float = 2.0
    """Times its median that the loss may be, 8 steps in a row, before the run is stopped; 0: however high."""
    tensorboard: Path | None = None
    """Folder of TensorBoard runs, in which this one gets a folder; None: no event files."""
    trackio: str = ""
    """Project of trackio, on this machine; empty: none."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant, and what is not installed."""
        if not 0 <= self.evaluation_share <= 1:
            raise InputError(field="evaluation_share", expected="0 to 1", found=str(self.evaluation_share))
        for name in ("sample_tokens", "divergence_ratio"):
            if getattr(self, name) < 0:
                raise InputError(field=name, expected="at least 0", found=str(getattr(self, name)))
        for name in ("tensorboard", "trackio"):
            if getattr(self, name) and find_spec(name) is None:
                raise InputError(field=f"--{name}", expected=EXTRA, found=f"no package {name}")
