"""Whole comparisons with tiny models: a strong effect is a gain, equal data are none, a kill costs nothing."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.errors import InputError
from schemas.outcome import reject
from schemas.record import InstructionRecord, Reason
from schemas.step import step_input, write_step
from tests.support import ROOT, Given, pair, step_of
from training.cli import main
from training.cli.prove import CONTROLS as OFFERED
from training.config import settle
from training.prove.arms import CONTROLS
from training.prove.design import ProveRequest
from training.prove.prove import prove
from training.prove.runs import device_of

WORDS = ("the", "garden", "weather", "letter", "friend", "colours", "capital", "red", "green", "blue", "paris")
SETTINGS = {"steps": 14, "rows_per_step": 8, "lr": 5e-3, "dtype": "fp32"}
WORDY = [word for name, value in SETTINGS.items() for word in (f"--{name.replace('_', '-')}", str(value))]
COUNTED = ("name", "records", "rows", "epochs", "tokens")
"""What of an arm does not depend on rounding."""
FINISHED_FIRST = 2
"""Runs that are finished before the kill."""


def asked(random: Random, number: int) -> str:
    """Return a prompt that resembles no other."""
    return " ".join(random.choice(WORDS) for _ in range(6)) + f" {number}"


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw: half of it answers with noise; curated: the other half; a test set that wants the good answer."""
    folder, random = tmp_path_factory.mktemp("prove"), Random(1)
    good = [pair(asked(random, number), "Red, green and blue.") for number in range(60)]
    bad = [pair(asked(random, 100 + number), " ".join(random.choices(WORDS, k=9))) for number in range(60)]
    mixed = random.sample(good + bad, 120)
    raw = step_of(folder / "raw", mixed)
    noise, first = Reason(code="noise"), bad[:30]
    half = [reject(one, noise) if one in first else one for one in mixed]
    between, _ = write_step(folder / "half", Given(rows=1), lambda _: half, inputs=[step_input(raw)])
    rest = [reject(one, noise) if one in bad else one for one in mixed if one not in first]
    write_step(folder / "curated", Given(rows=2), lambda _: rest, inputs=[step_input(between)])
    tests: list[InstructionRecord] = [pair(asked(random, 500 + one), "Red, green and blue.") for one in range(40)]
    rows = [{"instruction": one.instruction, "response": one.response} for one in [*tests, good[0]]]
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def request(data: Path, tiny: Path, out: Path, **more: Any) -> ProveRequest:
    """Return a small request: raw against curated and no controls."""
    usual: dict[str, Any] = {"raw": data / "raw", "curated": data / "curated", "controls": ()}
    config = settle("default", SETTINGS)
    return ProveRequest(
        **{**usual, **more}, test=data / "test.jsonl", base=str(tiny), out=out, config=config, preset="default"
    )


def command(data: Path, tiny: Path, out: Path, *more: str) -> list[str]:
    """Return the words of the same request on the command line."""
    where = [str(data / "raw"), str(data / "curated"), "--base", str(tiny), "--test", str(data / "test.jsonl")]
    return ["prove", *where, "-o", str(out), "--control", "random", *WORDY, "--plain", *more]


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, list(words))


@pytest.fixture(scope="session")
def proved(tmp_path_factory: pytest.TempPathFactory, data: Path, tiny: Path) -> Path:
    """A finished comparison of raw, curated and random."""
    out = tmp_path_factory.mktemp("proved") / "out"
    done = run(*command(data, tiny, out))
    assert done.exit_code == 0, done.output
    return out


def result_of(out: Path) -> dict[str, Any]:
    """Return the result without what is only recorded."""
    found: dict[str, Any] = json.loads((out / "result.json").read_bytes())
    return {name: value for name, value in found.items() if name != "recorded"}


def test_a_strong_effect_is_a_gain(tmp_path: Path, data: Path, tiny: Path) -> None:
    """Half of raw is noise; longer training leaves no doubt."""
    config = settle("default", {**SETTINGS, "steps": 30, "lr": 1e-2})
    result = prove(replace(request(data, tiny, tmp_path / "out", seeds=4), config=config))

    assert result.verdict == "gain"
    assert result.primary.high < 0
    curated = next(one for one in result.arms if one.name == "curated")
    assert curated.reach is not None
    assert curated.reach.share is not None
    assert curated.reach.share < 1


def test_equal_data_are_no_detectable_gain(tmp_path: Path, data: Path, tiny: Path) -> None:
    """The same records under two names train the same model."""
    result = prove(request(data, tiny, tmp_path / "out", curated=data / "raw"))

    assert result.verdict == "no detectable gain"
    assert result.primary.difference == 0.0


def test_arms_have_the_same_budget(proved: Path) -> None:
    """Steps and response tokens, within a record; the curve begins where the base is."""
    arms = result_of(proved)["arms"]
    tokens = [used for one in arms for used in one["tokens"]]

    assert [one["name"] for one in arms] == ["raw", "curated", "random"]
    assert max(tokens) - min(tokens) <= 30
    assert len({one["curve"][0]["loss"] for one in arms}) == 1
    assert all(one["curve"][0]["tokens"] == 0 for one in arms)


def test_seeds_differ_and_are_shown(proved: Path) -> None:
    """Each seed has its own order, draw and rows."""
    for arm in result_of(proved)["arms"]:
        assert len(set(arm["by_seed"])) == 3


def test_the_protocol_came_first(proved: Path) -> None:
    """It is older than every run, and its digest is the result's."""
    written = (proved / "protocol.json").stat().st_mtime_ns
    runs = [path.stat().st_mtime_ns for path in proved.glob("runs/[!.]*/manifest.json")]

    assert len(runs) == 9
    assert written < min(runs)
    digest = hashlib.sha256((proved / "protocol.json").read_bytes()).hexdigest()
    assert result_of(proved)["protocol_sha256"] == digest


def test_a_prompt_that_an_arm_has_seen_is_left_out(proved: Path, tmp_path: Path, data: Path, tiny: Path) -> None:
    """It is listed; --strict refuses."""
    removed = [json.loads(line) for line in (proved / "test-removed.jsonl").read_bytes().splitlines()]

    assert [one["rule"] for one in removed] == ["prompt_same"]
    assert len((proved / "test.jsonl").read_bytes().splitlines()) == 40
    with pytest.raises(InputError, match="an arm has seen"):
        prove(request(data, tiny, tmp_path / "out", strict=True))


def test_another_protocol_needs_another_folder(tmp_path: Path, data: Path, tiny: Path) -> None:
    """The attempt is refused, and listed in the result."""
    out = tmp_path / "out"
    prove(request(data, tiny, out))
    with pytest.raises(InputError, match="smallest_effect"):
        prove(request(data, tiny, out, smallest_effect=0.5))
    again = prove(request(data, tiny, out))

    assert [one["differs_in"] for one in again.attempts] == [["expected_power", "smallest_effect"]]


def test_killed_and_run_again_is_the_same(tmp_path: Path, proved: Path, data: Path, tiny: Path) -> None:
    """Finished runs are not done again, and the result is that of an unbroken comparison, apart from times."""
    out = tmp_path / "out"
    words = [sys.executable, "-m", "training", *command(data, tiny, out)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(finished := sorted(out.glob("runs/[!.]*/manifest.json"))) < FINISHED_FIRST:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    before = [path.stat().st_mtime_ns for path in finished]
    done = run(*command(data, tiny, out))

    assert done.exit_code == 0, done.output
    assert [path.stat().st_mtime_ns for path in finished] == before
    assert result_of(out) == result_of(proved)


def test_runs_in_processes_of_their_own_are_the_same(tmp_path: Path, proved: Path, data: Path, tiny: Path) -> None:
    """Two at a time; each has half of the threads, so sums are rounded in another order."""
    out = tmp_path / "out"
    done = run(*command(data, tiny, out, "--jobs", "2"))

    assert done.exit_code == 0, done.output
    pairs = list(zip(result_of(out)["arms"], result_of(proved)["arms"], strict=True))
    assert all(one["by_seed"] == pytest.approx(other["by_seed"], abs=1e-3) for one, other in pairs)
    assert all({key: one[key] for key in COUNTED} == {key: other[key] for key in COUNTED} for one, other in pairs)


def test_runs_are_packed_where_the_model_can_be(tmp_path: Path, proved: Path, data: Path, tiny: Path) -> None:
    """It saves padding and what prompts begin with, and changes the losses by rounding alone."""
    out = tmp_path / "out"
    done = run(*command(data, tiny, out, "--packing", "off"))
    packed, padded = (
        json.loads((one / "runs" / "raw-42" / "run.json").read_bytes())["packed"] for one in (proved, out)
    )
    pairs = zip(result_of(out)["arms"], result_of(proved)["arms"], strict=True)

    assert done.exit_code == 0, done.output
    assert (packed, padded) == (True, False)
    assert all(one["by_seed"] == pytest.approx(other["by_seed"], abs=1e-3) for one, other in pairs)


def test_a_pilot_measures_the_spread(tmp_path: Path, data: Path, tiny: Path) -> None:
    """With seeds of its own, on arms that know nothing of curation."""
    result = prove(request(data, tiny, tmp_path / "out", pilot=2, controls=("random",)))
    runs = {path.name for path in (tmp_path / "out" / "pilot").iterdir() if not path.name.startswith(".")}

    assert runs == {"raw-1042", "raw-1043", "random-1042", "random-1043"}
    assert result.protocol.spread.source.startswith("pilot")
    assert result.protocol.spread.seed_sd > 0


def test_ladder_and_attribution_are_exploratory_arms(tmp_path: Path, data: Path, tiny: Path) -> None:
    """Undoing the only rule gives raw's records back, and the loss with them."""
    result = prove(request(data, tiny, tmp_path / "out", ladder=True, attribute=("all",)))
    by_name = {(one.arm, one.against): one for one in result.contrasts}

    assert by_name["curated", "raw"].kind == "primary"
    assert by_name["up to half", "raw"].kind == by_name["curated", "up to half"].kind == "exploratory"
    assert by_name["curated", "without noise"].kind == "exploratory"
    assert result.facts["undone"] == [{"code": "noise", "rejected": 60, "repaired": 0}]
    assert next(one for one in result.arms if one.name == "without noise").records == 120


def test_planted_defects_are_curated_by_a_command(tmp_path: Path, data: Path, tiny: Path) -> None:
    """Real rules, run as a user would; what they found is counted."""
    curate = f"{sys.executable} -m curation.cli filter {{in}} -o {{out}} --plain"
    result = prove(request(data, tiny, tmp_path / "out", curated=None, noise=(40,), curate=(curate,)))
    found = result.facts["caught"]["40"]

    assert [one.name for one in result.arms] == ["clean", "planted-40", "random-40", "curated-40"]
    assert result.primary.arm == "curated-40"
    assert sum(row["planted"] for name, row in found.items() if name != "sound") == 48
    assert 0 < found["refusal"]["rejected"] <= found["refusal"]["planted"]
    assert found["sound"]["rejected"] < found["sound"]["records"] / 2
    assert result.recovered[0].percent == 40


def test_a_curation_that_fails_is_an_error(tmp_path: Path, data: Path, tiny: Path) -> None:
    """With the command's own last words."""
    done = run(
        "prove", str(data / "raw"), "--noise", "10", "--curate", f"{sys.executable} -c 1/0", "--base", str(tiny),
        "--test", str(data / "test.jsonl"), "-o", str(tmp_path / "out"),
    )  # fmt: skip

    assert done.exit_code == 1
    assert "ZeroDivisionError" in done.output


def test_a_dry_run_fixes_nothing(tmp_path: Path, data: Path, tiny: Path) -> None:
    """It says how many runs, how long, and what more seeds would show."""
    done = run(*command(data, tiny, tmp_path / "out", "--dry-run", "--json"))
    row = json.loads(done.output.splitlines()[-1])

    assert row["runs"] == 9
    assert row["minutes"] > 0
    assert [seeds for seeds, _ in row["smallest"]] == [3, 5, 8]
    assert not (tmp_path / "out").exists()


def test_the_page_stands_alone(proved: Path) -> None:
    """The verdict first; nothing is loaded from anywhere; every arm and the digest of the protocol are there."""
    page = (proved / "index.html").read_text(encoding="utf-8")
    result = result_of(proved)

    assert page.index(result["sentence"][:20]) < page.index("<svg")
    assert result["protocol_sha256"] in page
    assert "http" not in page.replace("http-equiv", "")
    assert all(one["name"] in page for one in result["arms"])


def test_hostile_names_are_only_text(proved: Path, tmp_path: Path, data: Path, tiny: Path) -> None:
    """A test file may be called anything."""
    file = tmp_path / "<img src=x onerror=alert(1)>.jsonl"
    file.write_bytes((data / "test.jsonl").read_bytes())
    prove(replace(request(data, tiny, tmp_path / "out"), test=file))

    assert "<img" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_the_command_offers_every_control() -> None:
    """The names are written down twice, because --help must not load what draws them."""
    assert tuple(CONTROLS) == OFFERED


@pytest.mark.parametrize("words", [["one"], ["one", "two", "--noise", "10"], ["one", "two", "--noise", "x"]])
def test_a_request_that_cannot_be_meant_is_refused(words: list[str]) -> None:
    """Two folders, or one with --noise."""
    assert run("prove", *words, "--base", "b", "--test", "t", "-o", "o").exit_code == 2


@pytest.mark.parametrize("option", ["--smallest-effect", "--pilot", "--test-rows"])
def test_what_cannot_be_negative_is_refused_before_a_protocol_stands(tmp_path: Path, option: str) -> None:
    """A gain is below 0, its smallest size is not; a protocol with -0.02 could never say "no detectable gain"."""
    ran = run("prove", "one", "two", "--base", "b", "--test", "t", "-o", str(tmp_path / "o"), option, "-1")

    assert ran.exit_code == 1
    assert "expected 0 or more" in ran.output
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, ["0", "1", "0"]), ("4,5", ["4", "5", "4"]), ("GPU-8f6a, GPU-11c2", ["GPU-8f6a", "GPU-11c2", "GPU-8f6a"])],
)
def test_each_of_several_jobs_takes_one_of_the_accelerators_it_was_given(
    monkeypatch: pytest.MonkeyPatch, given: str | None, expected: list[str]
) -> None:
    """Of a machine that is shared by a mask, none that is another's."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)

    assert [device_of(number, 2) for number in range(3)] == expected
