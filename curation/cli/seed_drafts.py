"""`dolly-data seeds suggest` and `approve`: a model drafts seeds, a person decides which of them are any."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.cli.base import echo_event, progress_for

if TYPE_CHECKING:
    from curation.generate.seed_drafts import DraftsFile, Verdict
    from curation.generate.suggest import Suggested
    from schemas.record import InstructionRecord

FILE = click.Path(path_type=Path, dir_okay=False)
SHOWN_THIN = 5
"""Thin cells that are named."""


@click.command()
@click.argument("seeds", metavar="[FILE]", default="")
@click.option("-o", "--output", type=FILE, required=True, help="File of drafts to write.")
@click.option("-n", "--n", "n", default=24, show_default=True, help="Drafts to make.")
@click.option("--least", default=2, show_default=True, help="Seeds under which a cell is thin.")
@click.option(
    "--model",
    default="smollm2-135m",
    show_default=True,
    help="An embedded model, a path, a Hub id; with --base-url, the endpoint's name for it.",
)
@click.option("--base-url", default="", help="An OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY.")
@click.option("--seed", default=1, show_default=True, help="Decides which examples each request shows.")
@click.option("--concurrency", default=8, show_default=True, help="Requests under way at once.")
@click.option("--output-form", default="auto", show_default=True, help="Of lists: schema, json, tool, text or list.")
@click.option("--budget", default="", help="What may be spent: 5usd, 2Mtok, 30min, or several: 5usd,30min.")
@click.option("--journal", default="", help="Folder of the journal; default: OUTPUT.journal.")
@click.option("--force", is_flag=True, help="Write over a file that stands there, and over what was decided in it.")
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def suggest(output: Path, *, force: bool, plain: bool, as_json: bool, **settings: Any) -> None:
    """Draft seeds for what a seed FILE (default: the tasks that ship) has few of or none.

    A cell is a category, a form (question, order, situation) and a length (short, medium, long). The drafts are
    nobody's seeds: generate refuses the file until a person has approved of every draft in it, with dolly-data seeds
    approve.
    """
    from curation.generate.seed_drafts import row_of
    from curation.generate.seed_import import refuse_existing, write_rows
    from curation.generate.suggest import Suggest

    refuse_existing(output, force=force)
    found = Suggest(**settings).beside(output)(progress_for(as_json=as_json, plain=plain))
    write_rows(map(row_of, found.drafts), output, force=force)
    event = {
        "event": "seed drafts",
        "path": str(output),
        "n": len(found.drafts),
        "thin": [{**cell._asdict(), "seeds": has} for cell, has in found.thin],
        "passed": dict(found.passed.most_common()),
    }
    echo_event(event, _suggested_text(found, output), as_json=as_json)


@click.command()
@click.argument("drafts", type=FILE)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reject", is_flag=True, help="Reject the drafts that are named, instead.")
@click.option("--reviewer", default="me", show_default=True, help="The name your decisions are signed with.")
@click.option("-o", "--output", type=FILE, help="Also write a seed file: the seeds of --seeds and what is approved.")
@click.option("--seeds", default="", help="With -o: the seeds that the drafts are added to; default: those that ship.")
@click.option("--force", is_flag=True, help="Write over the file at -o.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def approve(drafts: Path, ids: Sequence[str], reviewer: str, output: Path | None, seeds: str, **flags: bool) -> None:
    """Decide about DRAFTS of seeds: those with an ID, or, without one, each that is still open, one after the other.

    Who decided and when is written into the file. A decision is about the text as it stood: edit a draft in the file
    first, then approve it.
    """
    from curation.generate.seed_drafts import DraftsFile, write_with
    from curation.generate.seed_import import refuse_existing
    from schemas.errors import InputError

    if output:
        refuse_existing(output, force=flags["force"])
    file = DraftsFile.read(drafts)
    verdict: Verdict = "rejected" if flags["reject"] else "approved"
    asked = ((draft, verdict) for draft in file.named(ids)) if ids else _asked(file)
    for draft, said in asked:
        try:
            file.decide(draft, said, reviewer)
        except InputError as error:
            if ids:
                raise
            click.echo(error, err=True)  # others work on the file, too; what they did stands
    file = DraftsFile.read(drafts)
    if output:
        write_with(file, seeds, output)
    event = {
        "event": "seed decisions",
        "path": str(drafts),
        "approved": len(file.approved()),
        "open": len(file.open()),
        "n": len(file.drafts),
        "wrote": str(output) if output else None,
    }
    echo_event(event, _decided_text(event), as_json=flags["as_json"])


def _asked(file: "DraftsFile") -> Iterator[tuple["InstructionRecord", "Verdict"]]:
    """Yield what the user says of each open draft, until there is no more or enough."""
    verdicts: Mapping[str, Verdict] = {"y": "approved", "n": "rejected"}
    for number, draft in enumerate(waiting := file.open(), 1):
        click.echo(f"{number} of {len(waiting)}  {_draft_text(draft)}", err=True)
        said = click.prompt("Approve", type=click.Choice(["y", "n", "skip", "quit"]), err=True)
        if said == "quit":
            return
        if said in verdicts:
            yield draft, verdicts[said]


def _draft_text(draft: "InstructionRecord") -> str:
    from curation.visible import on_one_line, visible

    cell = " · ".join(map(str, draft.extra["seed_draft"]["cell"].values()))
    parts = [on_one_line(f"{draft.id}  {cell}")]
    parts += [
        f"{name}: {visible(text)}" for name in ("instruction", "context", "response") if (text := getattr(draft, name))
    ]
    return "\n".join(parts)


def _suggested_text(found: "Suggested", output: Path) -> str:
    from curation.visible import on_one_line

    thin = ", ".join(f"{cell} {has}" for cell, has in found.thin[:SHOWN_THIN])
    more = f", and {len(found.thin) - SHOWN_THIN:,} more" if found.thin[SHOWN_THIN:] else ""
    passed = ", ".join(f"{number:,} {code}" for code, number in found.passed.most_common())
    return "\n".join(
        (
            on_one_line(f"thin: {thin or 'nothing'}{more}"),
            f"passed over: {passed or 'nothing'}",
            f"wrote {len(found.drafts):,} drafts to {output}; next: dolly-data seeds approve {output}",
        )
    )


def _decided_text(event: Mapping[str, Any]) -> str:
    counts = f"{event['approved']:,} of {event['n']:,} drafts approved, {event['open']:,} open"
    return "\n".join([counts, *([f"wrote {event['wrote']}"] if event["wrote"] else [])])
