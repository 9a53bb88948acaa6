"""`dolly-data release`: a folder that other tools load, with card, report and proof."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from curation.cli.base import STEP, DefaultGroup, echo_event, progress_for, step_options, worker_options
from curation.cli.evidence import FILE, evidence_options


@click.group(cls=DefaultGroup, default="build")
def release() -> None:
    """Release the records of a step as a folder that datasets.load_dataset and dolly-train read.

    `dolly-data release DIR -o REL` builds one (build); `dolly-data release check DIR` asks the gate alone.
    """


@release.command(short_help="Build the release of a step.")
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("--title", default="", help="The data set's name; default: the name of the folder.")
@click.option(
    "--version", default="auto", show_default=True, help="Three numbers; auto: by what became of the records."
)
@click.option("--license", "licence", default="", help="The Hub's id, such as cc-by-sa-4.0, or a licence's name.")
@click.option("--previous", type=click.Path(file_okay=False), default="", help="The release before this one.")
@click.option("--about", type=FILE, default="", help="YAML with what only people know: motivation, maintenance, …")
@click.option("--date", default="", help="Of publication, YYYY-MM-DD; default: the day DIR was finished.")
@click.option("--waive-terms", default="", metavar="'NAME: REASON'", help="Who answers for a looser licence, and why.")
@evidence_options
@click.option("--push", "target", default="", metavar="hf://ORG/NAME", help="Upload it, verify it there, then tag it.")
@click.option("--public", is_flag=True, help="Make a repository that --push creates public.")
@click.option("--allow-ungated", is_flag=True, help="Push although no acceptance plan was passed.")
@partial(worker_options, workers="1 with --engine local, one a processor with ray")
@step_options
def build(
    directory: Path,
    output: Path,
    target: str,
    *,
    licence: str,
    public: bool,
    allow_ungated: bool,
    force: bool,
    plain: bool,
    as_json: bool,
    engine: Any,
    **settings: str,
) -> None:
    """Release the kept records of the step DIR as a folder that datasets.load_dataset and dolly-train read.

    It holds the rows as Parquet, a card computed from the run, the report, what people decided, checksums and a
    manifest that names every byte. Two releases of one step have the same bytes.
    """
    from curation.pipeline import open_input
    from curation.release.build import Release
    from curation.release.build import release as make

    aside = progress_for(as_json=as_json, plain=plain)
    work = Release(license=licence, **settings)
    manifest, reused = make(open_input(directory), output, work, force=force, aside=aside, engine=engine)
    facts = manifest.release
    assert facts is not None
    event = {
        "event": "release",
        "path": str(output),
        "reused": reused,
        "fingerprint": manifest.fingerprint,
        "config": dict(manifest.config),
        "version": facts.version,
        "rows": facts.rows,
        "digest": facts.digest,
        "gate": facts.gate.state,
    }
    text = f"release {facts.version}: {facts.rows:,} records, {len(manifest.outputs) + 2} files"
    said = f"{text}\ngate {facts.gate.state}: {facts.gate.sentence}\n{'reused' if reused else 'wrote'} {output}"
    echo_event(event, said, as_json=as_json)
    if target:
        _push(output, target, public=public, allow_ungated=allow_ungated, as_json=as_json)


def _push(folder: Path, target: str, *, public: bool, allow_ungated: bool, as_json: bool) -> None:
    from curation.release.push import push

    pushed = push(folder, target, private=not public, allow_ungated=allow_ungated)
    event = {"event": "push", "repository": pushed.repository, "revision": pushed.revision, "tag": pushed.tag}
    text = f"pushed to {pushed.repository} at {pushed.revision[:12]}, every byte verified there, tagged {pushed.tag}"
    echo_event(event, text, as_json=as_json)


@release.command(short_help="Say whether the records may be released; exit code 6 if not.")
@click.argument("directory", metavar="DIR", type=STEP)
@evidence_options
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def check(directory: Path, plan: str, decisions: str, second: str, as_json: bool) -> None:
    """Say whether an acceptance plan was passed on exactly the records of DIR, a step or a release.

    Exit code 6 where it was not. Of a release every byte is verified, and the outcome is computed again from the plan
    and the decisions that it holds.
    """
    from dataclasses import asdict

    from curation.release.gate import check_gate

    places = {"plan": plan, "decisions": decisions, "second": second}
    gate = check_gate(directory, **{name: Path(place) for name, place in places.items() if place})
    event = {"event": "gate", "path": str(directory), **asdict(gate)}
    lines = [f"gate {gate.state}: {gate.sentence}", *(f"  {one}" for one in gate.problems)]
    echo_event(event, "\n".join(lines), as_json=as_json)
    if gate.state != "passed":
        raise click.exceptions.Exit(6)
