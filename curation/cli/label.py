"""`dolly-data calibrate label`: one pair after the other, one key each."""

from pathlib import Path

import click

from curation.cli.base import echo_event

KEYS = "s same · d distinct · n not now · u undo · q quit"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def label(file: Path, as_json: bool) -> None:
    """Label the pairs in FILE by keys: s where a training set needs only one of the two, d where it needs both.

    Pairs come in an order that says nothing of how alike they are, and every label is in FILE before the next pair
    shows. Stop whenever you like: labelled pairs are not shown again. In a browser: dolly-data calibrate review FILE.
    """
    from curation.calibrate.keys import LABEL_KEYS, QUIT, SKIP, UNDO
    from curation.calibrate.sheet import Sheet, shown

    sheet = Sheet.read(file)
    while (at := sheet.at) is not None:
        for line in (*shown(sheet.rows[at]), f"{sheet.labelled + 1:,} of {len(sheet.rows):,}   {KEYS}"):
            click.echo(line, err=as_json)
        key = click.getchar().lower()
        if key == QUIT:
            break
        if key == UNDO:
            sheet.undo()
        elif key == SKIP:
            sheet.skip(at)
        elif key in LABEL_KEYS:
            sheet.label(at, LABEL_KEYS[key])
    event = {"event": "labels", "path": str(file), "labelled": sheet.labelled, "pairs": len(sheet.rows)}
    echo_event(event, f"{sheet.labelled:,} of {len(sheet.rows):,} pairs have a label in {file}", as_json=as_json)
