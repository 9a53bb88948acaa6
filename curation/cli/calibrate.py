"""`dolly-data calibrate`: people label pairs, and it turns out how often dedupe is right."""

from pathlib import Path

import click

from curation.cli.base import STEP, echo_event, progress_for
from curation.cli.label import label
from curation.cli.label_screen import review


@click.group()
def calibrate() -> None:
    """Find the threshold at which dedupe is right often enough on your data."""


@calibrate.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("-n", default=20, show_default=True, type=click.IntRange(min=1), help="Pairs to draw in each bin.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same pairs.")
@click.option("--encoder", default="minilm", show_default=True, help="As in dolly-data dedupe.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
@click.option("--force", is_flag=True, help="Replace a file that may hold labels.")
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def sample(
    directory: Path, n: int, seed: int, encoder: str, output: Path, force: bool, plain: bool, as_json: bool
) -> None:
    """Draw pairs of records of the step DIR by how alike their prompts are, into a file that a person edits.

    Set "label" of each line to "same" where a training set needs only one of the two, else to "distinct"; dolly-data
    calibrate review FILE does it by keys. Lines left at null are undecided. Then: dolly-data calibrate apply FILE.
    """
    from curation.calibrate.draw import DrawPairs, pair_lines
    from curation.pipeline import open_input
    from curation.review.sample import write_sample

    draw = DrawPairs(n=n, seed=seed, encoder=encoder)
    lines = pair_lines(open_input(directory), draw, aside=progress_for(as_json=as_json, plain=plain))
    write_sample(output, lines, force=force)
    event = {"event": "pairs", "path": str(output), "drawn": len(lines), "encoder": encoder, "seed": seed}
    echo_event(event, f"drew {len(lines):,} pairs\nwrote {output}", as_json=as_json)


@calibrate.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", default=0.95, show_default=True, help="Share of rejections that are to be right.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write what was measured here, too."
)
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def apply(file: Path, target: float, output: Path | None, plain: bool, as_json: bool) -> None:
    """Say how right dedupe is at each threshold, by the labels in FILE, and which threshold reaches the target.

    Where a second person labelled them, it says how far the two agree. Pairs are planted, too: edits after which the
    same is asked for, and edits after which it is not.
    """
    from curation.calibrate.apply import calibrate as measure
    from curation.calibrate.apply import write_calibration
    from curation.calibrate.second import compared
    from curation.cli.calibration import calibration_event, calibration_text

    found = measure(file, target, aside=progress_for(as_json=as_json, plain=plain))
    if output is not None:
        write_calibration(output, found)
    both = compared(file)
    echo_event(calibration_event(found, both), calibration_text(found, both), as_json=as_json)


calibrate.add_command(label)
calibrate.add_command(review)
