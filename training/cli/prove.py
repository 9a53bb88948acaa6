"""`dolly-train prove RAW CURATED`."""

from pathlib import Path
from typing import Any

import click

from training.cli.fit import SETTINGS, setting
from training.cli.options import CHAIN, DATA, WATCHING, with_options
from training.config import PRESETS, settle

PROVE_PRESET = "default"
DECIDED = ("held_out_rows", "merge")
"""Settings that mean nothing here: the test set is given, and no model is kept."""
CONTROLS = ("random", "length-matched", "longest")


class Percents(click.ParamType[tuple[int, ...]]):
    """Whole numbers with commas between them."""

    name = "X,X,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Read the numbers."""
        try:
            return value if isinstance(value, tuple) else tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not whole numbers with commas between them, such as 0,10,30", param, ctx)


@click.command(short_help="Find out whether curation bought anything.")
@click.argument("data", nargs=-1, required=True, type=CHAIN, metavar="RAW CURATED | CLEAN")
@click.option("--base", required=True, metavar="MODEL", help="The model that every arm starts from.")
@click.option("--test", required=True, type=DATA, metavar="FILE", help="Records people wrote; no arm's.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder of the comparison.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(3), help="Runs of every arm.")
@click.option(
    "--control", "controls", multiple=True, type=click.Choice(CONTROLS), help="This control alone; may be repeated."
)
@click.option("--test-rows", default=0, show_default=True, help="Test records to draw by the seed; 0: all.")
@click.option(
    "--smallest-effect",
    default=0.0,
    show_default=True,
    help="Nats per token that matter; 0: the smallest that seeds and prompts can show.",
)
@click.option("--pilot", default=0, show_default=True, help="Seeds run first to see how much they vary; 0: a prior.")
@click.option("--strict", is_flag=True, help="Refuse a test set that overlaps an arm, instead of leaving prompts out.")
@click.option("--ladder", is_flag=True, help="Also every step between RAW and CURATED, one against the one before.")
@click.option(
    "--attribute",
    multiple=True,
    metavar="CODE",
    help="Also CURATED without this rule; all: those that did 1 % or more.",
)
@click.option("--noise", type=Percents(), default=(), help="Plant defects at these percents of CLEAN, and curate.")
@click.option("--curate", multiple=True, metavar="COMMAND", help="Curates {in} into {out}; may be repeated.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Runs at once, one a device.")
@click.option(
    "--preset", type=click.Choice(tuple(PRESETS)), default=PROVE_PRESET, show_default=True, help="The recipe."
)
@with_options(*(setting(name, PROVE_PRESET) for name in SETTINGS if name not in DECIDED))
@click.option("--dry-run", is_flag=True, help="Say what it will take and can show; no protocol is fixed.")
@with_options(*WATCHING)
def prove(
    data: tuple[Path, ...],
    base: str,
    test: Path,
    output: Path,
    seeds: int,
    controls: tuple[str, ...],
    test_rows: int,
    smallest_effect: float,
    pilot: int,
    *,
    strict: bool,
    ladder: bool,
    attribute: tuple[str, ...],
    noise: tuple[int, ...],
    curate: tuple[str, ...],
    jobs: int,
    preset: str,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train MODEL on RAW, on CURATED and on controls, and say whether CURATED is better.

    Every arm has the same steps and response tokens. Before the first run everything that decides the verdict is
    written to OUTPUT/protocol.json; the verdict is gain, no detectable gain, harm or underpowered, by its rule.

    With --noise defects are planted into CLEAN, curated by --curate, and the share of the loss that comes back is
    measured. A command that was interrupted goes on where it was: finished runs are not done again.
    """
    if len(data) != (1 if noise else 2):
        raise click.UsageError("RAW and CURATED are needed, or CLEAN alone with --noise")
    changes = {name: value for name, value in settings.items() if value is not None}
    config = settle(preset, changes)
    from training.prove.design import ProveRequest
    from training.prove.prove import PAGE, look_ahead
    from training.prove.prove import prove as run
    from training.show import prove as show
    from training.show.run import Watch

    request = ProveRequest(
        raw=data[0],
        curated=None if noise else data[1],
        test=test,
        base=base,
        out=output,
        config=config,
        preset=preset,
        seeds=seeds,
        controls=controls or CONTROLS,
        test_rows=test_rows,
        smallest_effect=smallest_effect,
        pilot=pilot,
        strict=strict,
        ladder=ladder,
        attribute=attribute,
        noise=noise,
        curate=curate,
        jobs=jobs,
    )
    aside = Watch.on(as_json=as_json, plain=plain)
    if dry_run:
        seen = look_ahead(request, aside)
        click.echo(show.outlook_json(*seen) if as_json else show.outlook_text(*seen))
        return
    say = show.begun_json if as_json else show.begun_text
    result = run(request, aside, lambda *begun: click.echo(say(*begun)))
    click.echo(show.proved_json(result, output / PAGE) if as_json else show.proved_text(result, output / PAGE))
