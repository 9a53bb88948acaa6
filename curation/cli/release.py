"""`dolly-data release`: a folder that other tools load, with card, report and proof."""

from pathlib import Path

import click

from curation.cli.base import echo_event, progress_for, step_options


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--title", default="", help="The data set's name; default: the name of the folder.")
@click.option("--version", default="0.1.0", show_default=True, help="Three numbers: major, minor, patch.")
@click.option("--license", "licence", default="", help="The Hub's id, such as cc-by-sa-4.0, or a licence's name.")
@step_options
def release(
    directory: Path, title: str, version: str, licence: str, output: Path, force: bool, plain: bool, as_json: bool
) -> None:
    """Release the kept records of the step DIR as a folder that datasets.load_dataset and dolly-train read.

    It holds the rows as Parquet, a card computed from the run, the report, checksums and a manifest that names every
    byte. Two releases of one step have the same bytes.
    """
    from curation.pipeline import open_input
    from curation.release.build import Release
    from curation.release.build import release as build

    settings = Release(title=title, version=version, license=licence)
    manifest, reused = build(
        open_input(directory), output, settings, force=force, aside=progress_for(as_json=as_json, plain=plain)
    )
    event = {
        "event": "release",
        "path": str(output),
        "reused": reused,
        "fingerprint": manifest.fingerprint,
        "config": dict(manifest.config),
        "rows": manifest.counts.rows,
    }
    text = f"release: {manifest.counts.rows:,} records, {len(manifest.outputs) + 1} files"
    echo_event(event, f"{text}\n{'reused' if reused else 'wrote'} {output}", as_json=as_json)
