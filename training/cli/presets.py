"""`dolly-train presets [NAME]`."""

import click

from training.config import PRESETS
from training.show.presets import list_text, preset_json, preset_text


@click.command(short_help="Print the recipes, value by value.")
@click.argument("name", type=click.Choice(tuple(PRESETS)), required=False, default=None, metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON lines.")
def presets(name: str | None, *, as_json: bool) -> None:
    """Print the recipes that `dolly-train --preset` knows; of NAME every value, its source and what differs.

    What differs only because of the base, the data or the hardware of a run is printed by the run.
    """
    chosen = [PRESETS[name]] if name else list(PRESETS.values())
    if as_json:
        click.echo("\n".join(map(preset_json, chosen)))
    else:
        click.echo(preset_text(chosen[0]) if name else list_text(chosen))
