"""Options of a run that decide how it is watched, and nothing of what comes out."""

from pathlib import Path
from typing import Any

import click

from training.watch_config import WatchConfig

_DEFAULTS = WatchConfig()
WATCH = (
    click.option(
        "--evaluation-share",
        type=click.FloatRange(0, 1),
        default=_DEFAULTS.evaluation_share,
        show_default=True,
        help="Share of the time that evaluations during training may take; 0: only before and after.",
    ),
    click.option(
        "--sample-tokens",
        type=click.IntRange(0),
        default=_DEFAULTS.sample_tokens,
        show_default=True,
        help="Tokens of an answer to the fixed prompts; 0: none is asked.",
    ),
    click.option(
        "--divergence-ratio",
        type=click.FloatRange(0),
        default=_DEFAULTS.divergence_ratio,
        show_default=True,
        help="Stop where the loss is this many times its median for 8 steps; 0: never.",
    ),
    click.option("--tensorboard", type=click.Path(path_type=Path), default=None, help="Write event files below here."),
    click.option("--trackio", default="", metavar="PROJECT", help="Log to a project of trackio on this machine."),
)
NAMES = ("evaluation_share", "sample_tokens", "divergence_ratio", "tensorboard", "trackio")


def take_watching(options: dict[str, Any]) -> WatchConfig:
    """Take these options out of a command's."""
    return WatchConfig(**{name: options.pop(name) for name in NAMES})
