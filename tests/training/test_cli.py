"""The command line: instant help, a default command, one place for errors, events for programs."""

import json
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests.support import pair, step_of
from training import fit as fitting
from training.answers import respond as responding
from training.answers.respond import Answer, Sampling
from training.cli import main
from training.cli.fit import DEFAULT_PRESET, SETTINGS
from training.config import TrainConfig, settle

HEAVY = ("torch", "transformers", "datasets", "numpy", "pyarrow", "tokenizers", "jinja2")
QUICK = ("--steps", "1", "--dtype", "fp32", "--plain")


def run(*words: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def imported_by(code: str) -> set[str]:
    """Return the heavy packages that a fresh interpreter has imported after running `code`."""
    ask = f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["fit", "--help"],
        ["respond", "--help"],
        ["compare", "--help"],
        ["votes", "--help"],
        ["export", "--help"],
        ["chat", "--help"],
        ["inspect", "--help"],
    ],
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    """`--help` answers at once."""
    assert imported_by(f"from training.cli import main; main({words!r})") == set()


def test_the_test_of_heavy_imports_can_fail() -> None:
    """The same probe finds an import that is there."""
    assert imported_by("import numpy") == {"numpy"}


def test_every_setting_has_an_option() -> None:
    """And each option's help says something; the defaults are those of the dataclass."""
    assert set(SETTINGS) == {one.name for one in fields(TrainConfig)}
    assert settle(DEFAULT_PRESET, {}) == TrainConfig()
    for command in main.commands.values():
        assert command.help
        assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize("name", ["cmp-0.2", "page.json", "page"])
def test_a_page_is_called_html(name: str, tmp_path: Path) -> None:
    """`cmp-0.1` and `cmp-0.2` would share what stands beside them, and `page.json` would be overwritten by its own."""
    done = run("compare", "nothing", "-o", tmp_path / name)

    assert done.exit_code == 2
    assert "expected a page whose name ends in .html" in done.output


@pytest.mark.parametrize("command", ["respond", "chat", "compare"])
def test_sampling_defaults_are_the_librarys(command: str) -> None:
    """Written once in the dataclass."""
    defaults = {option.name: option.default for option in main.commands[command].params}

    assert defaults["max_new_tokens"] == Sampling().max_new_tokens
    assert defaults["seed"] == Sampling().seed


def test_a_folder_alone_means_fit(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """`dolly-train DIR --base MODEL -o OUT`, and what it prints on the way."""
    out = tmp_path / "out"

    done = run(colours, "--base", tiny, "-o", out, *QUICK)

    assert done.exit_code == 0, done.output
    assert (out / "model.safetensors").is_file()
    assert "8 records" in done.output
    assert "preset dolly-v1, with these differences:" in done.output
    assert "EleutherAI/gpt-j-6B" in done.output
    assert f"wrote {out}" in done.output


def test_fit_may_be_named_and_options_may_come_first(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Both mean the same run, so the second reuses the first."""
    words = ("--base", tiny, "-o", tmp_path / "out", *QUICK, colours)
    run("fit", *words)

    done = run(*words)

    assert f"reused {tmp_path / 'out'}" in done.output


def test_a_few_records_for_a_large_recipe_are_remarked_on(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Dolly v1's one epoch over eight records is one step of 1e-5."""
    done = run(colours, "--base", tiny, "-o", tmp_path / "out", *QUICK)

    assert "--preset default is for small sets" in done.output


def test_rejected_records_are_shown(tmp_path: Path, tiny: Path) -> None:
    """How many, their share of the tokens, the first ids."""
    long = pair("Say it.", "word " * 300)
    data = step_of(tmp_path / "data", [pair(), long]).path

    done = run(data, "--base", tiny, "-o", tmp_path / "out", *QUICK)

    assert "1 rejected, 9" in done.output
    assert long.id in done.output
    assert "record_too_long" in done.output


def test_json_is_lines_of_events(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """On stdout the plan and the result, on stderr progress and the log."""
    done = run(colours, "--base", tiny, "-o", tmp_path / "out", *QUICK, "--json")

    said = [json.loads(line) for line in done.stdout.splitlines()]
    watched = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one["event"] for one in said] == ["plan", "fitted"]
    assert said[0]["differences"]
    assert said[1]["steps"] == 1
    assert {"log", "progress"} <= {one["event"] for one in watched}


def test_an_error_is_a_message_and_an_exit_code(tmp_path: Path, tiny: Path) -> None:
    """No traceback; the message names the place."""
    done = run(tmp_path / "nowhere", "--base", tiny, "-o", tmp_path / "out")

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert "nowhere" in done.stderr


def test_a_bug_is_left_to_crash(tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a DollyError is a message."""
    monkeypatch.setattr(fitting, "train", None)

    done = run(colours, "--base", tiny, "-o", tmp_path / "out", *QUICK)

    assert isinstance(done.exception, TypeError)


def test_a_mistyped_command_is_told_from_a_folder() -> None:
    """Usage errors end with 2."""
    done = run("comapre", "a", "b")

    assert done.exit_code == 2
    assert "no command and no folder 'comapre'" in done.stderr


def test_respond_prints_the_answer(tuned: Path) -> None:
    """And nothing else on stdout."""
    done = run("respond", tuned, "Name colour 3.", "--greedy", "--plain")

    assert (done.exit_code, done.stdout) == (0, "Red.\n")


def test_respond_shows_what_would_move_the_cursor(tuned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model says is only ever text, on a terminal too."""
    monkeypatch.setattr(responding, "answer", lambda *_: [Answer("\x1b[2JHi", stopped=False, tokens=2)])

    done = run("respond", tuned, "Hi.", "--plain")

    assert done.stdout == "⟨U+001B⟩[2JHi […]\n"


def test_compare_prints_the_numbers_and_writes_the_page(tmp_path: Path, tiny: Path, tuned: Path) -> None:
    """The announcement's prompts unless others are named."""
    page = tmp_path / "page.html"

    done = run("compare", tiny, tuned, "-o", page, "--max-new-tokens", 5, "--plain")

    assert done.exit_code == 0, done.output
    assert "ended by itself" in done.stdout
    assert f"wrote {page}" in done.stdout
    assert "Edgar Allan Poe" in page.read_text()
    assert page.with_suffix(".json").is_file()


def test_compare_asks_for_blind_votes_and_says_where_they_are(tmp_path: Path, tiny: Path, tuned: Path) -> None:
    """As JSON: the page, the ballots, the key, numbers and differences."""
    page = tmp_path / "page.html"

    done = run("compare", tiny, tuned, "-o", page, "--max-new-tokens", 5, "--blind", "--json")

    event = json.loads(done.stdout.splitlines()[-1])
    assert event["event"] == "compared"
    assert Path(event["blind"]).is_file()
    assert json.loads(Path(event["key"]).read_text())["first"] == str(tiny)
    assert event["differences"][0]["numbers"]["stopped"]["overall"]["units"] == 5
    assert "answers" not in event["results"][0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1"], "--endpoint and --model go together"),
        (["--model", "m"], "--endpoint and --model go together"),
        (["--judge", "http://127.0.0.1:9/v1"], "--judge and --judge-model go together"),
    ],
)
def test_an_endpoint_without_a_model_is_a_wrong_request(tmp_path: Path, words: list[str], message: str) -> None:
    """And the other way round."""
    done = run("compare", *words, "-o", tmp_path / "page.html")

    assert done.exit_code == 2
    assert message in done.stderr


def test_export_says_what_it_wrote_and_compared(tmp_path: Path, tuned: Path) -> None:
    """On a terminal and for programs."""
    done = run("export", tuned, "-o", tmp_path / "out", "--plain")
    again = run("export", tuned, "-o", tmp_path / "out", "--json")

    assert done.exit_code == 0, done.output
    assert "model-f16.gguf: f16" in done.stdout
    assert "greedy tokens of 4 prompts are the same" in done.stdout
    assert json.loads(again.stdout)["reused"] is True


def test_export_options_are_the_settings() -> None:
    """Written once in the dataclass."""
    from training.export.make import Export  # noqa: PLC0415  # heavy

    defaults = {option.name: option.default for option in main.commands["export"].params}
    how = Export()
    assert (defaults["to"], defaults["kind"], defaults["dtype"] or "") == (how.to, how.type, how.dtype)
    assert (defaults["shard_size"], defaults["converter"], defaults["check"]) == (
        how.shard_size,
        how.converter,
        how.check,
    )


def _heed_interrupts() -> None:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and so their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """In the middle of training, in a process of its own."""
    out = tmp_path / "out"
    words = [str(colours), "--base", str(tiny), "-o", str(out), "--epochs", "3000", "--dtype", "fp32", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "training", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509  # no other thread runs here
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b'"log"' in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()

    assert process.returncode == 130
    assert b"interrupted" in said
    assert not out.exists()
    assert not (tmp_path / ".out.writing").exists()


def test_what_a_user_should_know_is_said_and_kept(
    tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line where people read, an event where programs do, a file in the checkpoint."""
    monkeypatch.setattr("training.checkpoint.saving.memory_left", lambda: 1000)
    words = [colours, "--base", tiny, "--dtype", "fp32", "--save-minutes", "0.0001", "--rows-per-step", 2]
    words += ["--steps", 2]
    plain = run(*words, "-o", tmp_path / "one", "--plain")
    spoken = run(*words, "-o", tmp_path / "two", "--json")
    events = [json.loads(line) for line in spoken.stderr.splitlines()]

    note = "there is no memory for a copy of the state: training waited until it was written"
    assert f"after step 1: {note}\n" in plain.stderr
    assert {"event": "notes", "step": 1, "note": note} in events
    assert json.loads((tmp_path / "one" / "notes.jsonl").read_bytes()) == {"step": 1, "note": note}
