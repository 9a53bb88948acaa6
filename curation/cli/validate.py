"""`dolly-data validate`: rows of any file become records."""

from pathlib import Path
from typing import Any

import click

from curation.cli.base import engine_options, print_step, progress_for, step_options


@click.command()
@click.argument("source")
@click.option("--format", "form", default="auto", show_default=True, help="Read every row in this format.")
@click.option("--max-row-mib", default=16.0, show_default=True, help="Largest row that is read, in MiB.")
@engine_options
@step_options
def validate(
    source: str,
    form: str,
    max_row_mib: float,
    output: Path,
    force: bool,
    plain: bool,
    as_json: bool,
    engine: Any,
) -> None:
    """Read SOURCE (a file, a folder, an address such as s3://…, a Hub id) into a step directory.

    Whole rows become records; every other row is kept in rejected.jsonl with its line, field, what was found and what
    was expected. Formats: alpaca, dolly, messages, sharegpt, prompt-completion, self-instruct; found from the data.
    """
    from curation.pipeline import run_source
    from curation.sources import Validate

    work = Validate(source=source, format=form, max_row_mib=max_row_mib)
    ran = run_source(work, output, force=force, aside=progress_for(as_json=as_json, plain=plain), engine=engine)
    for found in ran.step.rows("formats"):
        form = f"in format {found['format']}" if found["format"] else "in no format that could be read"
        click.echo(
            f"{found['source']}: {found['rows']:,} {'row' if found['rows'] == 1 else 'rows'} {form}", err=as_json
        )
    print_step(ran, as_json=as_json)
