"""The command line: instant help, one place for errors, exit codes, docs for every command."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from curation.cli import COMMANDS, main
from curation.cli.base import CommandTable
from schemas import errors

HEAVY = ("torch", "transformers", "datasets", "openai", "sentence_transformers", "numpy", "pyarrow")


def imported_by(code: str) -> set[str]:
    """Return the heavy packages that a fresh interpreter has imported after running `code`."""
    ask = f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))


def test_help_imports_nothing_heavy() -> None:
    """`dolly-data --help` answers at once."""
    assert imported_by("from curation.cli import main; main(['--help'])") == set()


def test_the_floor_imports_nothing_heavy() -> None:
    """What loads models imports torch and transformers when it loads one, not before."""
    assert imported_by("import schemas.weights, schemas.losses, schemas.prompt, schemas.models") == set()


def test_the_test_of_heavy_imports_can_fail() -> None:
    """The same probe finds an import that is there."""
    assert imported_by("import numpy") == {"numpy"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    """Each has help with a first sentence, and each option its own line of help."""
    found = main.get_command(click.Context(main), command)

    assert found is not None
    assert found.help
    assert all(option.help for option in found.params if isinstance(option, click.Option))


def failing(error: Exception) -> CommandTable:
    """Return a group whose only command raises."""

    @click.command()
    def fails() -> None:
        raise error

    table = CommandTable(name="t", table={})
    table.get_command = lambda *_: fails  # type: ignore[method-assign]  # a table of one
    return table


KINDS = [
    (errors.InputError("a wrong row"), 1),
    (errors.YieldError("dried up"), 3),
    (errors.BudgetError("spent"), 4),
    (errors.EndpointError("nobody there"), 5),
    (errors.GateError("not passed"), 6),
]


@pytest.mark.parametrize(("error", "code"), KINDS, ids=[type(error).__name__ for error, _ in KINDS])
def test_an_error_becomes_one_line_and_its_own_exit_code(
    error: errors.DollyError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback for what is the request's or the data's fault."""
    with pytest.raises(SystemExit) as caught:
        failing(error).main(["fails"])

    assert caught.value.code == code
    assert capsys.readouterr().err == f"Error: {error}\n"


def test_an_interrupt_exits_130(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C says that finished work is kept."""
    with pytest.raises(SystemExit) as caught:
        failing(KeyboardInterrupt()).main(["fails"])  # type: ignore[arg-type]  # not an Exception, raised all the same

    assert caught.value.code == 130
    assert "finished work is kept" in capsys.readouterr().err


def test_a_bug_is_left_to_crash() -> None:
    """What is nobody's fault but ours keeps its traceback."""
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError()).main(["fails"])


def test_wrong_usage_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown option is told as click tells it."""
    with pytest.raises(SystemExit) as caught:
        main.main(["validate", "--nonsense"])

    assert caught.value.code == 2
    assert "No such option" in capsys.readouterr().err


def test_validate_says_the_format_and_the_counts(tmp_path: Path) -> None:
    """What was found is said aloud; why a row was rejected stands in plain words."""
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"instruction": "a", "output": "b"}\n{"instruction": "a", "output": ""}\n')

    result = CliRunner().invoke(main, ["validate", str(rows), "-o", str(tmp_path / "1")])

    assert "a.jsonl: 2 rows in format alpaca" in result.stdout
    assert "validate: 2 rows, 1 kept, 1 rejected" in result.stdout
    assert "response_empty" in result.stdout


def test_json_prints_one_event_a_line(tmp_path: Path) -> None:
    """Programs read the counts as JSON."""
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"instruction": "a", "output": "b"}\n')

    result = CliRunner().invoke(main, ["validate", str(rows), "-o", str(tmp_path / "1"), "--json"])

    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[-1]["counts"]["kept"] == 1
