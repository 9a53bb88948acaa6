"""`dolly-data generate`: records out of a model."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.cli.base import echo_event, print_step, screen_for, step_options
from curation.cli.covered import coverage_text, shares_text, terms_text

if TYPE_CHECKING:
    from curation.generate.budgeted import Spent
    from curation.generate.journal import LastRun
    from curation.generate.source import Generate


@click.command()
@click.option("-n", "--n", "n", default=200, show_default=True, help="Records to keep.")
@click.option(
    "--model",
    default="smollm2-135m",
    show_default=True,
    help="An embedded model, a path, a Hub id; with --base-url, the endpoint's name for it.",
)
@click.option(
    "--base-url",
    default=(),
    multiple=True,
    help="An OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY. Repeatable: OPENAI_API_KEY_2, …",
)
@click.option(
    "--weight", type=int, default=(), multiple=True, help="Share of the requests of each --base-url, in their order."
)
@click.option("--answer-model", default="", help="Another model, for the responses.")
@click.option(
    "--answer-base-url", default="", help="The endpoint that has it; its key is read from OPENAI_ANSWER_API_KEY."
)
@click.option("--seeds", default="", help="A file of seed tasks; default: those that ship.")
@click.option(
    "--strategy",
    default="self-instruct",
    show_default=True,
    help="self-instruct, alpaca, evol, topic, persona, docs, magpie, answer, or a mix: self-instruct:60,evol:40.",
)
@click.option(
    "--shares",
    default="fixed",
    show_default=True,
    help="Of the strategies in a mix: fixed, or auto: by new records for the money, round by round.",
)
@click.option("--quota", default="", help="Share of the records by category: brainstorming:10%,open_qa:30%.")
@click.option("--topics", default="", help="For topic: a file of topics, one a line; default: those that ship.")
@click.option("--personas", default="", help="For persona: a file of people, one a line; default: those that ship.")
@click.option(
    "--docs", default=(), multiple=True, help="For docs: a file or folder (txt, md, jsonl, html); repeatable."
)
@click.option("--records", default="", help="For answer: the step directory whose instructions are answered anew.")
@click.option("--raw-prompt", default="", help="For magpie: chatml, llama-3, … or the text before a user's words.")
@click.option("--steer/--no-steer", default=True, show_default=True, help="Ask for what is short among the records.")
@click.option("--seed", default=1, show_default=True, help="Decides which examples each request shows.")
@click.option("--temperature", default=0.9, show_default=True, help="Of requests for instructions.")
@click.option("--answer-temperature", default=0.5, show_default=True, help="Of requests for contexts and responses.")
@click.option("--agree", default=1, show_default=True, help="Answers to a checkable task, of which most must agree.")
@click.option("--frequency-penalty", default=0.3, show_default=True, help="Against loops in answers, 0 to 2.")
@click.option("--max-tokens", default=192, show_default=True, help="Longest context or response; longer is rejected.")
@click.option("--per-request", default=4, show_default=True, help="Instructions asked for at once.")
@click.option("--examples", default=0, show_default=True, help="Finished seeds shown where a response is asked for.")
@click.option("--round-size", default=24, show_default=True, help="Requests for instructions in a round.")
@click.option("--novelty", default=0.7, show_default=True, help="ROUGE-L with an earlier instruction that is too much.")
@click.option(
    "--novelty-scope",
    default="instruction",
    show_default=True,
    help="What is compared: instruction, or both with context.",
)
@click.option("--language", default="", help="Of the records: en, de, … or any; default: that of the seeds.")
@click.option("--min-yield", default=0.1, show_default=True, help="Share kept under which three rounds end the run.")
@click.option("--concurrency", default=8, show_default=True, help="Requests under way at once.")
@click.option("--timeout-s", default=300.0, show_default=True, help="Seconds that one request may take.")
@click.option("--mode", default="online", show_default=True, help="online, or batch: in jobs at half the price.")
@click.option("--output-form", default="auto", show_default=True, help="Of lists: schema, json, tool, text or list.")
@click.option("--attempts", default=5, show_default=True, help="At requests that fail; waiting for a limit is none.")
@click.option("--patience-s", default=600.0, show_default=True, help="Seconds without any answer that end a run.")
@click.option("--budget", default="", help="What may be spent: 5usd, 2Mtok, 30min, or several: 5usd,30min.")
@click.option(
    "--price-in", type=float, default=None, help="US dollars per million tokens of prompts; default: the price file's."
)
@click.option("--price-out", type=float, default=None, help="US dollars per million tokens of answers.")
@click.option("--push-every", default=0, help="Send all records so far to --push-to whenever there are so many more.")
@click.option("--push-to", default="", help="A folder, an address (s3://…), or hf://datasets/ORG/NAME.")
@click.option("--reparse", is_flag=True, help="Read the journal's answers anew and send nothing.")
@click.option("--journal", default="", help="Folder of the journal; default: OUTPUT.journal.")
@click.option("--shard", default="", help="Send this part of the requests, as 2/3; other machines send the others.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what it would take, and send nothing.")
@click.option(
    "--probe", type=click.IntRange(1), help="Send so many requests, which are kept, and say what it would take."
)
@step_options
def generate(
    output: Path, force: bool, plain: bool, as_json: bool, dry: bool, probe: int | None, **settings: object
) -> None:
    """Make instruction/response pairs from seed tasks, documents or earlier records.

    Every answer is kept in a journal beside the step directory: a run that was killed, or is run again with a larger
    -n or with --force, sends nothing again that was answered.
    """
    from curation.generate.budgeted import read_spent
    from curation.generate.journal import last_run
    from curation.generate.snapshots import pushed_text
    from curation.generate.source import Generate
    from curation.pipeline import run_source
    from schemas.codec import read_config

    source = read_config(Generate, settings, "generate").beside(output)
    if probe and source.part:
        raise click.UsageError("--probe asks for the first requests, whoever's they are: leave out --shard.")
    if dry or probe:
        print_estimate(source, None if dry else probe, as_json=as_json)
        return
    aside = screen_for(as_json=as_json, plain=plain)
    try:
        ran = run_source(source, output, force=force, aside=aside)
    finally:
        aside.close()
    if not ran.reused:
        print_run(last_run(Path(source.journal)), read_spent(Path(source.journal)), as_json=as_json)
    if source.push_every:
        click.echo(pushed_text(Path(source.journal)), err=as_json)
    print_step(ran, as_json=as_json)
    click.echo(coverage_text(ran.step.rows("coverage")), err=as_json)
    if shares := shares_text(ran.step.rows("shares")):
        click.echo(shares, err=as_json)
    if warning := terms_text(Counter(record.provenance.terms for record in ran.step.records())):
        click.echo(warning, err=True)


def print_estimate(source: "Generate", requests: int | None, *, as_json: bool) -> None:
    """Print what a run would take, after so many requests; None: after none."""
    from curation.generate.probe import probe
    from curation.generate.rehearse import dry_run

    estimate = probe(source, requests) if requests else dry_run(source)
    echo_event(estimate.plain(), str(estimate), as_json=as_json)


def print_run(run: "LastRun", spent: "Spent", *, as_json: bool) -> None:
    """Print what was sent and what it cost; for programs on stderr, because stdout is the step's."""
    from dataclasses import asdict

    from schemas.codec import dumps

    if as_json:
        click.echo(dumps({"event": "run", **asdict(run), "spent": asdict(spent)}).decode(), err=True)
    else:
        click.echo(f"{run}; {spent}")
