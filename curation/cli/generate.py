"""`dolly-data generate`: pairs from a model."""

from pathlib import Path

import click

from curation.cli.base import print_step, progress_for, step_options


@click.command()
@click.option("-n", "--n", "n", default=200, show_default=True, help="Records to accept.")
@click.option("--model", default="smollm2-135m", show_default=True, help="An embedded model, a path, or an endpoint's.")
@click.option("--base-url", default="", help="An OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY.")
@click.option("--seeds", default="", help="A file of seed tasks; default: the 184 that ship.")
@click.option("--seed", default=1, show_default=True, help="Names the run; everything that is drawn follows from it.")
@click.option("--novelty", default=0.7, show_default=True, help="ROUGE-L with an earlier instruction that is too much.")
@click.option("--min-yield", default=0.1, show_default=True, help="Share kept under which three rounds end the run.")
@click.option("--round-requests", default=8, show_default=True, help="Requests for tasks in a round.")
@click.option("--journal", default="", help="Folder of the journal; default: OUTPUT.journal.")
@click.option("--concurrency", default=8, show_default=True, help="Requests under way at once.")
@step_options
def generate(output: Path, force: bool, plain: bool, as_json: bool, **settings: object) -> None:
    """Make instruction/response pairs in the manner of Self-Instruct.

    Every answer is kept in a journal beside the step directory: a run that was killed, or is run again with a larger
    -n, sends nothing that was answered.
    """
    from curation.generate.source import Generate, said_of
    from curation.pipeline import run_source
    from schemas.codec import read_config

    source = read_config(Generate, settings, "generate").beside(output)
    ran = run_source(source, output, force=force, aside=progress_for(as_json=as_json, plain=plain))
    click.echo(said_of(ran.step), err=as_json)
    print_step(ran, as_json=as_json)
