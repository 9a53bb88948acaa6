"""dolly-train: a command parses, calls one library function, prints. Heavy packages are imported inside commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from schemas.errors import DollyError
from schemas.prompt import TEMPLATES
from training.config import PRESETS, Precision, Schedule, settle

INTERRUPTED = 130
DEFAULT = "fit"
"""The command that is meant where none is named."""
DEFAULT_PRESET = "dolly-v1"

Command = TypeVar("Command", bound=Callable[..., Any])


class Failed(click.ClickException):
    """A DollyError on its way to the terminal."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class and reads it here


class TrainGroup(click.Group):
    """A group with a default command, and the one place where an error becomes a message."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before arguments that do not name one."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            self._refuse_unknown(ctx, args[0])
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run; a DollyError becomes `Error: …` on stderr and its own exit code."""
        try:
            return super().invoke(ctx)
        except DollyError as error:
            raise Failed(str(error), error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            raise Failed("interrupted; nothing half-written is left", INTERRUPTED) from interrupt

    def _refuse_unknown(self, ctx: click.Context, word: str) -> None:
        """Tell a mistyped command from a folder to train on."""
        if not word.startswith("-") and "/" not in word and not Path(word).exists():
            ctx.fail(f"no command and no folder {word!r}; the commands are {', '.join(self.commands)}")


@click.group(
    cls=TrainGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Tune a causal language model on exactly what was released.

    `dolly-train DIR --base MODEL -o OUT` trains (fit); DIR is a step directory or a release of dolly-data.
    Where MODEL is asked for: a path, an alias of an embedded model (smollm2-135m), or a Hub id.
    """


WATCHING = (
    click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar."),
    click.option("--json", "as_json", is_flag=True, help="Print events and results as JSON lines."),
)
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
    "micro_tokens": (int, "Padded tokens computed at once; 0: what suits the hardware."),
}
"""Field of TrainConfig → its type and help; what is left out is the preset's."""


def with_options(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Add options to a command, first to last as they stand in its help."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _setting(name: str) -> Callable[[Any], Any]:
    kind, text = SETTINGS[name]
    value = getattr(PRESETS[DEFAULT_PRESET].config, name)
    return click.option(
        f"--{name.replace('_', '-')}", type=kind, default=None, help=f"{text}  [{DEFAULT_PRESET}: {value}]"
    )


@main.command(name="fit", short_help="Train on a step directory or a release.")
@click.argument("data", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--base", required=True, metavar="MODEL", help="The model to start from.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The checkpoint to write.")
@click.option(
    "--preset", type=click.Choice(tuple(PRESETS)), default=DEFAULT_PRESET, show_default=True, help="The recipe."
)
@with_options(*map(_setting, SETTINGS))
@click.option(
    "--allow-ungated", is_flag=True, help="Train on a release whose review was not passed; it is written down."
)
@click.option("--pin", default="", metavar="SHA256", help="The sha256 that DIR/manifest.json must have.")
@click.option("--force", is_flag=True, help="Train from the beginning even if the same checkpoint stands there.")
@click.option("--dry-run", is_flag=True, help="Say what it will take, here and on named hardware; write nothing.")
@click.option(
    "--save-minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Minutes between two savings of the state, to go on from; 0: only when interrupted.",
)
@with_options(*WATCHING)
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
    plain: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train on the records of DIR and write a checkpoint that transformers loads.

    Of a release every byte, the rows and the review's outcome are verified. Everything that can be wrong is found
    before the model is loaded. The loss is on the response and the key that ends
    it. What is not set here is as in the published recipe (--preset); the run prints where it differs from that.

    Ctrl-C and SIGTERM save the state in OUTPUT.resume; the same command goes on from there, also after a kill or a
    power cut, and ends in the same weights.
    """
    changes = {name: value for name, value in settings.items() if value is not None}
    config = settle(preset, changes)
    from training import show
    from training.fit import fit as train
    from training.plan import Request

    request = Request(
        data=data,
        base=base,
        out=output,
        config=config,
        preset=preset,
        force=force,
        allow_ungated=allow_ungated,
        pin=pin,
        save_minutes=save_minutes,
    )
    aside = show.Watch.on(as_json=as_json, plain=plain)
    if dry_run:
        from training.forecast import rehearse

        plan, seen = rehearse(request, aside)
        click.echo(show.forecast_json(plan, seen) if as_json else show.forecast_text(plan, seen))
        return
    fitted = train(request, aside, lambda plan: click.echo(show.plan_json(plan) if as_json else show.plan_text(plan)))
    click.echo(show.fitted_json(fitted) if as_json else show.fitted_text(fitted))


SAMPLING = (
    click.option(
        "--max-new-tokens", type=click.IntRange(1), default=256, show_default=True, help="Tokens of an answer."
    ),
    click.option("--seed", type=int, default=42, show_default=True, help="Of the draws."),
)
TEMPLATE = click.option(
    "--template", type=click.Choice(tuple(TEMPLATES)), default=None, help="Prompt for a model that brings none."
)


@main.command(short_help="Print a model's answer.")
@click.argument("model")
@click.argument("instruction")
@click.option("--context", default="", help="What the instruction is about.")
@TEMPLATE
@click.option("--greedy", is_flag=True, help="The likeliest token each time, instead of drawing as Dolly did.")
@with_options(*SAMPLING, *WATCHING)
def respond(
    model: str,
    instruction: str,
    context: str,
    template: str | None,
    *,
    greedy: bool,
    max_new_tokens: int,
    seed: int,
    plain: bool,
    as_json: bool,
) -> None:
    """Print MODEL's answer to INSTRUCTION.

    A checkpoint of dolly-train is asked as it was trained; another model is asked with --template.
    """
    from training import show
    from training.respond import Prompt, Sampling, answer, open_responder

    aside = show.Watch.on(as_json=as_json, plain=plain)
    sampling = Sampling(max_new_tokens=max_new_tokens, greedy=greedy, seed=seed)
    responder = open_responder(model, template or "", aside)
    (said,) = answer(responder, [Prompt(instruction, context)], sampling, aside)
    click.echo(show.answer_json(said) if as_json else show.answer_text(said))


@main.command(short_help="Put answers of several models side by side.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--prompts", default="announcement", show_default=True, help="A JSONL file, or a set that comes along.")
@click.option("--held-out", type=click.Path(path_type=Path), default=None, help="Records to measure the loss on.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The page to write; JSON beside it."
)
@TEMPLATE
@click.option("--greedy/--sample", default=True, show_default=True, help="The likeliest token each time, or drawn.")
@with_options(*SAMPLING, *WATCHING)
def compare(
    models: tuple[str, ...],
    prompts: str,
    held_out: Path | None,
    output: Path,
    template: str | None,
    *,
    greedy: bool,
    max_new_tokens: int,
    seed: int,
    plain: bool,
    as_json: bool,
) -> None:
    """Ask every MODEL the same prompts and write their answers side by side into one HTML page.

    Models that were not tuned here get the text of the same prompt (--template).
    """
    from training import show
    from training.compare import compare as ask
    from training.page import write_page
    from training.questions import find_prompts
    from training.respond import Sampling

    sampling = Sampling(max_new_tokens=max_new_tokens, greedy=greedy, seed=seed)
    compared = ask(
        models,
        find_prompts(prompts),
        sampling=sampling,
        held_out=held_out,
        template=template or "",
        aside=show.Watch.on(as_json=as_json, plain=plain),
    )
    write_page(compared, output)
    click.echo(show.comparison_json(compared, output) if as_json else show.comparison_text(compared, output))
