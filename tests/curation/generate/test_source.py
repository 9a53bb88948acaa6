"""`dolly-data generate` as a whole: a step directory out of an endpoint, through the library and the command line."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from curation.cli.covered import terms_text
from curation.generate.material import PERSONAS, read_personas, read_topics
from curation.generate.rounds import Goal, Rounds
from curation.generate.seeds import read_seeds, seeds_by_category
from curation.generate.source import Generate
from curation.generate.waiting import waited_for
from curation.pipeline import run_source
from curation.recipes import walk_recipe
from schemas.errors import InputError
from schemas.outcome import SILENT, Rejection
from schemas.recipe import parse_recipe
from schemas.step import StepDirectory
from tests.curation.generate.scripted import THINGS, Reply, Scripted, Told, numbers_of, seed_file, told_server
from tests.curation.generate.test_rounds import plan_of

LISTS = ("--round-size", "4", "--output-form", "list")


def source(told: Told, seeds: Path, **settings: object) -> Generate:
    """Return a source that asks the server."""
    given: dict[str, object] = {
        "n": 12,
        "model": "m",
        "base_url": told.address,
        "round_size": 4,
        "output_form": "list",
        **settings,
    }
    return Generate(seeds=str(seeds), **given)  # type: ignore[arg-type]  # settings by name


def invoke(told: Told, folder: Path, *options: str) -> Result:
    """Run the command."""
    common = ("--base-url", told.address, "--model", "m", "--seeds", str(seed_file(folder)), *LISTS)
    return CliRunner().invoke(main, ["generate", "-n", "12", "-o", str(folder / "1"), *common, *options])


def test_a_step_holds_records_rejections_and_where_they_came_from(tmp_path: Path) -> None:
    """Every record names model, request and examples; its neighbour and requests are left beside it."""
    with told_server() as told:
        step = run_source(source(told, seed_file(tmp_path)), tmp_path / "1").step
    records = list(step.records())
    journal = (tmp_path / "1.journal" / "answers.jsonl").read_text()

    assert len(records) == 12
    assert step.manifest.stage == "generate"
    assert step.manifest.counts.rejected > 0
    assert [row["id"] for row in step.rows("novelty")] == [record.id for record in records]
    assert [row["id"] for row in step.rows("requests")] == [record.id for record in records]
    for record in records:
        assert record.provenance.source == "generate"
        assert record.provenance.model == "scripted"
        assert record.provenance.request in journal
        assert len(record.provenance.seeds) >= 6


def test_a_finished_step_is_reused_and_the_journal_makes_it_again(tmp_path: Path) -> None:
    """The same settings: the step. The step gone: the same bytes, nothing sent."""
    with told_server() as told:
        made = source(told, seed_file(tmp_path))
        first = run_source(made, tmp_path / "1")
        again = run_source(made, tmp_path / "1")
        sent = len(told.seen)
        records = (tmp_path / "1" / "records.jsonl").read_bytes()
        forced = run_source(made, tmp_path / "1", force=True)

    assert (first.reused, again.reused, forced.reused) == (False, True, False)
    assert (tmp_path / "1" / "records.jsonl").read_bytes() == records
    assert len(told.seen) == sent


def test_the_fingerprint_is_of_the_request_and_not_of_the_way(tmp_path: Path) -> None:
    """Address, threads, timeouts and places are no part of it; the seeds' bytes and every setting of a request are."""
    seeds = seed_file(tmp_path)
    with told_server() as told:
        one = run_source(source(told, seeds, concurrency=1), tmp_path / "1")
    with told_server() as other:
        two = run_source(source(other, seeds, concurrency=5, timeout_s=9, min_yield=0.0), tmp_path / "2")
        hotter = run_source(source(other, seeds, temperature=0.3), tmp_path / "3")

    assert one.step.manifest.fingerprint == two.step.manifest.fingerprint != hotter.step.manifest.fingerprint
    assert one.step.manifest.inputs[0].sha256 == two.step.manifest.inputs[0].sha256
    for name in ("records.jsonl", "rejected.jsonl"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_recipe_keeps_its_journal_beside_its_step(tmp_path: Path) -> None:
    """It outlives the step, and a larger number goes on from it."""
    seeds = str(seed_file(tmp_path))
    with told_server() as told:
        for n in (5, 9):
            settings = {"n": n, "model": "m", "base_url": told.address, "seeds": seeds, "round_size": 4}
            settings["output_form"] = "list"
            recipe = parse_recipe({"name": "t", "steps": [{"generate": settings}]}, "r.yaml")
            (done,) = walk_recipe(recipe, tmp_path / "run", aside=SILENT)

    asked = [json.dumps(one) for one in told.ledger]
    assert done.step is not None
    assert done.step.manifest.counts.kept == 9
    assert (tmp_path / "run" / "1-generate.journal" / "answers.jsonl").exists()
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"n": 0}, "generate: n: expected 1 or more, found 0"),
        ({"concurrency": 0}, "generate: concurrency: expected 1 or more, found 0"),
        ({"strategy": "evol:0"}, "generate: strategy: expected NAME:SHARE"),
        ({"answer_base_url": "http://localhost/v1"}, "generate: answer_model: expected another model, found none"),
        ({"strategy": "magic"}, "generate: strategy: expected one of self-instruct, .*, found magic"),
    ],
)
def test_a_setting_that_cannot_be_meant(settings: dict[str, object], says: str) -> None:
    """It is named, with what is expected."""
    with pytest.raises(InputError, match=says):
        Generate(**settings)  # type: ignore[arg-type]  # settings by name


def test_seeds_that_are_not_there(tmp_path: Path) -> None:
    """The file is named, before anything is opened."""
    with pytest.raises(InputError, match=r"none.jsonl: expected a file of seed tasks, found nothing"):
        run_source(Generate(seeds=str(tmp_path / "none.jsonl")), tmp_path / "1")


def test_two_models_at_two_endpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One writes instructions, the other responses; neither endpoint is shown the other's key."""
    monkeypatch.setenv("OPENAI_API_KEY", "first-key")
    monkeypatch.setenv("OPENAI_ANSWER_API_KEY", "second-key")
    with told_server() as one, told_server() as other:
        made = source(one, seed_file(tmp_path), answer_model="strong", answer_base_url=other.address)
        run_source(made, tmp_path / "1")

    assert {sent["model"] for sent in one.ledger} == {"m"}
    assert {sent["model"] for sent in other.ledger} == {"strong"}
    assert {key for _, key in one.seen} == {"Bearer first-key"}
    assert {key for _, key in other.seen} == {"Bearer second-key"}


def test_records_are_answered_anew(tmp_path: Path) -> None:
    """The step before is an input, so that a record's way leads back through it; its old self is named."""
    seeds = seed_file(tmp_path)
    with told_server() as told:
        old = run_source(source(told, seeds), tmp_path / "1").step
        settings = {"strategy": "answer", "records": str(tmp_path / "1"), "model": "strong", "n": 100}
        new = run_source(source(told, seeds, **settings), tmp_path / "2").step
    before = {record.id: record for record in old.records()}

    assert new.manifest.inputs[1].sha256 == old.records_file.sha256
    assert new.manifest.counts.rows == 12
    for record in new.records():
        was = before[record.provenance.previous[-1]]
        assert (record.instruction, record.context) == (was.instruction, was.context)
        assert record.provenance.strategy == "answer"


def test_the_digest_of_every_file_is_part_of_the_request(tmp_path: Path) -> None:
    """Topics and documents are inputs as seeds are."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The mill at Aven ground nine sacks of rye in a day. " * 9)
    (tmp_path / "topics.txt").write_text("# mine\ntea\n\ntea\ntides\n")
    made = Generate(
        seeds=str(seed_file(tmp_path)),
        strategy="topic:40,persona:20,docs:40",
        topics=str(tmp_path / "topics.txt"),
        docs=(str(tmp_path / "docs"),),
    )

    assert [Path(one.path).name for one in made.inputs()] == ["seeds.jsonl", "topics.txt", "personas.txt", "a.txt"]
    assert set(read_topics(tmp_path / "topics.txt", 1)) == {"tea", "tides"}


def test_people_are_drawn_from_a_file(tmp_path: Path) -> None:
    """Those that ship, each once; the seed decides the order; a file without people is an error."""
    (tmp_path / "none.txt").write_text("# nobody\n")

    one, other = read_personas(PERSONAS, 1), read_personas(PERSONAS, 2)

    assert len(one) == len(set(one)) == 80
    assert one != other
    assert set(one) == set(other)
    with pytest.raises(InputError, match=r"none\.txt: expected personas, one a line, found none"):
        read_personas(tmp_path / "none.txt", 1)


def test_what_is_compared_can_be_the_context_too(tmp_path: Path) -> None:
    """Then one instruction may be asked of several texts."""

    def same(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
        last = messages[-1]["content"]
        if " new " in last:
            return "1. What was decided in the following text?", "stop"
        if "Write only the text" in last:
            number = numbers_of(str(messages) + sample)
            return " ".join(THINGS[next(number) % len(THINGS)] for _ in range(20)), "stop"
        return "It was decided to wait.", "stop"

    kept = []
    for scope in ("instruction", "both"):
        seeds = seeds_by_category(read_seeds(seed_file(tmp_path)))
        goal = Goal(n=8, novelty=0.7, min_yield=0.0, concurrency=4, scope=scope)
        outcomes = waited_for(Rounds(plan_of(), Scripted(same), seeds, goal).outcomes())
        kept.append(sum(not isinstance(one, Rejection) for one in islice(outcomes, 30)))
        outcomes.close()

    assert kept[0] <= 2
    assert kept[1] == 8


def test_the_command_says_what_the_records_cover(tmp_path: Path) -> None:
    """Beside the seeds; with --json, where it does not disturb the events."""
    with told_server() as told:
        said = invoke(told, tmp_path)

    assert "ten commonest first words: " in said.stdout
    assert "form: imperative 100% (seeds " in said.stdout


def test_a_mix_of_terms_is_a_warning() -> None:
    """Models under different terms bind a data set together; one class is no news."""
    assert terms_text(Counter({"open": 3, "no-compete": 1})).startswith(
        "Warning: the models' terms of use differ (open 3"
    )
    assert terms_text(Counter({"open": 3})) == ""


def test_the_command_says_what_it_sent_and_what_it_kept(tmp_path: Path) -> None:
    """And the second time that everything came out of the journal."""
    with told_server() as told:
        first = invoke(told, tmp_path)
        again = invoke(told, tmp_path, "--force")

    assert first.exit_code == 0
    assert "reused 0 answers, sent " in first.stdout
    assert "12 kept" in first.stdout
    assert "instruction_placeholder" in first.stdout
    assert ", sent 0" in again.stdout


def test_json_is_one_event_a_line(tmp_path: Path) -> None:
    """What is said to people goes elsewhere."""
    with told_server() as told:
        result = invoke(told, tmp_path, "--json")

    assert json.loads(result.stdout)["counts"]["kept"] == 12


def test_a_wrong_key_exits_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the provider's words, and nothing half-made is left."""
    with told_server(*[Reply(status=401, body='{"error": {"message": "Incorrect API key"}}')] * 30) as told:
        words = f"generate -o {tmp_path / '1'} --base-url {told.address} --seeds {seed_file(tmp_path)}".split()
        with pytest.raises(SystemExit) as caught:
            main.main(words)

    assert caught.value.code == 5
    assert "Incorrect API key" in capsys.readouterr().err
    assert not (tmp_path / "1").exists()


def test_a_run_that_dries_up_exits_3_and_can_be_finished_smaller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal keeps what there was."""
    with told_server() as told:
        common = f"--base-url {told.address} --model m --seeds {seed_file(tmp_path)} --round-size 2 --novelty 0.5"
        common += " --output-form list"
        words = f"generate -o {tmp_path / '1'} {common} --min-yield 0.9".split()
        with pytest.raises(SystemExit) as caught:
            main.main([*words, "-n", "500"])
        said = capsys.readouterr().err
        sent = len(told.seen)
        kept = said.partition("(-n ")[2].split()[0]
        main.main([*words, "-n", kept], standalone_mode=False)

    assert caught.value.code == 3
    assert "generation dried up" in said
    assert len(told.seen) == sent
    assert StepDirectory.open(tmp_path / "1").manifest.counts.kept == int(kept) > 0
