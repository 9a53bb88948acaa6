"""`dolly-train DIR`, which is `dolly-train fit DIR`."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from schemas.prompt import TEMPLATES
from training.cli.machines import MACHINES, take_machines, together
from training.cli.options import DATA, WATCHING, with_options
from training.cli.watch import WATCH, take_watching
from training.config import PRESETS, OptimiserName, Packing, Parallel, Precision, Recompute, Schedule, settle

DEFAULT_PRESET = "dolly-v1"
SETTINGS = {
    "template": (click.Choice(tuple(TEMPLATES)), "Prompt template."),
    "epochs": (int, "Passes over the records."),
    "steps": (int, "Optimiser steps after which to stop, whatever --epochs says; 0: no such limit."),
    "rows_per_step": (int, "Records per optimiser step."),
    "max_tokens": (int, "Tokens a record may have; longer ones are rejected and listed, never cut."),
    "lr": (float, "Peak learning rate."),
    "schedule": (click.Choice(get_args(Schedule)), "Course of the learning rate after its warm-up."),
    "warmup_steps": (int, "Steps over which the learning rate rises."),
    "warmup_ratio": (float, "The same as a share of all steps; the larger of the two counts."),
    "beta1": (float, "AdamW's decay of the mean gradient."),
    "beta2": (float, "AdamW's decay of the mean squared gradient."),
    "eps": (float, "AdamW's epsilon."),
    "weight_decay": (float, "AdamW's weight decay."),
    "clip_norm": (float, "Largest gradient norm; 0: not clipped."),
    "held_out_rows": (int, "Records kept from training to measure the loss on, at most 5 %."),
    "seed": (int, "Of the order and the split."),
    "dtype": (click.Choice(get_args(Precision)), "Of the model's weights; auto: bf16 where the hardware has it."),
    "optimiser": (click.Choice(get_args(OptimiserName)), "How AdamW holds its state: 16, 10 or 8 bytes a parameter."),
    "recompute": (click.Choice(get_args(Recompute)), "Compute activations again instead of keeping them."),
    "micro_tokens": (int, "Padded tokens computed at once; 0: what suits the hardware."),
    "packing": (
        click.Choice(get_args(Packing)),
        "Several records in a row, apart; auto: if the model passes the test.",
    ),
    "parallel": (
        click.Choice(get_args(Parallel)),
        "Each of several devices has the whole model, or a part of every weight; auto: whole, where it fits.",
    ),
    "lora_rank": (int, "Train low-rank adapters of this rank and the keys instead of all weights; 0: all weights."),
    "lora_alpha": (float, "What an adapter adds is multiplied by this over its rank."),
    "lora_dropout": (float, "Share of an adapter's inputs that is dropped."),
    "lora_targets": (str, "Layers that get adapters: all-linear, or ends of names with commas between."),
    "base_bits": (int, "Hold the frozen weights under adapters in 4 bits (extra `qlora`); 0: as --dtype says."),
    "merge": (bool, "Add adapters to the weights; or write them alone, in peft's format."),
}
"""Field of TrainConfig → its type and help; what is left out is the preset's."""


def setting(name: str, preset: str = DEFAULT_PRESET) -> Callable[[Any], Any]:
    """Return the option of a setting; its help says what `preset` has."""
    kind, text = SETTINGS[name]
    value, word = getattr(PRESETS[preset].config, name), name.replace("_", "-")
    words = f"--{word}/--no-{word}" if kind is bool else f"--{word}"
    return click.option(words, type=kind, default=None, help=f"{text}  [{preset}: {value}]")


@click.command(name="fit", short_help="Train on a step directory or a release.")
@click.argument("data", type=DATA, metavar="DIR")
@click.option("--base", required=True, metavar="MODEL", help="The model to start from.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The checkpoint to write.")
@click.option(
    "--preset", type=click.Choice(tuple(PRESETS)), default=DEFAULT_PRESET, show_default=True, help="The recipe."
)
@with_options(*map(setting, SETTINGS))
@click.option(
    "--allow-ungated", is_flag=True, help="Train on a release whose review was not passed; it is written down."
)
@click.option("--pin", default="", metavar="SHA256", help="The sha256 that DIR/manifest.json must have.")
@click.option(
    "--take-up", is_flag=True, help="Go on from the saved state of a run with another rate, schedule or precision."
)
@click.option("--force", is_flag=True, help="Train from the beginning even if the same checkpoint stands there.")
@click.option("--dry-run", is_flag=True, help="Say what it will take, here and on named hardware; write nothing.")
@click.option(
    "--save-minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Minutes between two savings of the state, to go on from; 0: only when interrupted.",
)
@click.option("--shard-size", default="4GB", show_default=True, metavar="SIZE", help="Largest file of the weights.")
@click.option(
    "--reload-check/--no-reload-check",
    default=True,
    show_default=True,
    help="Read the checkpoint again before it is published, and compare its answers.",
)
@with_options(*MACHINES, *WATCH, *WATCHING)
def fit(
    data: Path,
    base: str,
    output: Path,
    preset: str,
    *,
    allow_ungated: bool,
    pin: str,
    force: bool,
    dry_run: bool,
    save_minutes: float,
    take_up: bool,
    shard_size: str,
    reload_check: bool,
    plain: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train on the records of DIR, a folder or an address, and write a checkpoint that transformers loads.

    Of a release every byte, the rows and the review's outcome are verified. Everything that can be wrong is found
    before the model is loaded. The loss is on the response and the key that ends
    it. What is not set here is as in the published recipe (--preset); the run prints where it differs from that.

    Ctrl-C and SIGTERM save the state in OUTPUT.resume; the same command goes on from there, also after a kill or a
    power cut, and ends in the same weights: on a processor to the last bit, on an accelerator up to rounding.
    """
    watching, machines = take_watching(settings), take_machines(settings)
    changes = {name: value for name, value in settings.items() if value is not None}
    config = settle(preset, changes)
    from training.fit import fit as train
    from training.fit import follow
    from training.planning.plan import Request
    from training.show import run as show

    request = Request(
        data=data,
        base=base,
        out=output,
        config=config,
        preset=preset,
        devices=machines.total if dry_run else 1,
        force=force,
        allow_ungated=allow_ungated,
        pin=pin,
        save_minutes=save_minutes,
        take_up=take_up,
        watching=watching,
        shard_size=shard_size,
        reload_check=reload_check,
    )
    aside = show.Watch.on(as_json=as_json, plain=plain)
    if dry_run:
        from training.planning.forecast import rehearse
        from training.show.forecast import forecast_json, forecast_text

        plan, seen = rehearse(request, aside)
        click.echo(forecast_json(plan, seen) if as_json else forecast_text(plan, seen))
        return
    with together(machines) as ranks:
        if ranks is None:
            return
        if not ranks.first:
            follow(request, ranks)
            return
        colour = show.in_colours(plain=plain)
        told = show.plan_json if as_json else partial(show.plan_text, colour=colour)
        fitted = train(replace(request, devices=ranks.size), aside, lambda plan: click.echo(told(plan)), ranks)
    click.echo(show.fitted_json(fitted) if as_json else show.fitted_text(fitted))
