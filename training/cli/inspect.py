"""`dolly-train inspect CHECKPOINT`."""

from pathlib import Path

import click

from training.cli.options import DATA, WATCHING, with_options


@click.command(short_help="Say which records a model found strange, never learned, or saw contradicted.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help="[default: CHECKPOINT.inspect]")
@click.option("--data", type=DATA, default=None, help="Where its data stands, if it has moved.")
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="Records of each kind in the hunt.")
@click.option(
    "--alike",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    help="Cosine from which two prompts ask the same.",
)
@click.option("--micro-tokens", default=0, show_default=True, help="Padded tokens computed at once; 0: what suits.")
@click.option("--force", is_flag=True, help="Measure again even if the same inspection stands there.")
@with_options(*WATCHING)
def inspect(
    checkpoint: Path,
    output: Path | None,
    data: Path | None,
    most: int,
    alike: float,
    micro_tokens: int,
    *,
    force: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Measure every record of CHECKPOINT's data before and after training, and write down which are worth a look.

    The order is read by dolly-data review DIR --hunt OUTPUT/hunt.jsonl.
    """
    from training.inspection.inspection import Inspect
    from training.inspection.inspection import inspect as look
    from training.show import run as show

    out = output or checkpoint.parent / f"{checkpoint.name}.inspect"
    how = Inspect(most=most, alike=alike, micro_tokens=micro_tokens)
    aside = show.Watch.on(as_json=as_json, plain=plain)
    found = look(checkpoint, out, how, data=data, force=force, aside=aside)
    click.echo(show.inspected_json(found) if as_json else show.inspected_text(found))
