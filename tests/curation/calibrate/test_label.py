"""Pairs are labelled by keys, and every label is on disk at once."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from curation.calibrate.labels import read_labels
from curation.calibrate.sheet import Sheet
from curation.cli import main
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.record import Row


def line(number: int, **more: object) -> Row:
    """Return a drawn pair."""
    a, b = ({"id": "", "instruction": f"{text} {number}", "context": "", "response": "So."} for text in ("Say", "Tell"))
    drawn = {"encoder": "hashing", "fingerprint": "f", "seed": 1}
    return {"label": None, "note": "", "cosine": 0.8, "a": a, "b": b, "bin": 0.8, "of": 9, "drawn": drawn, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of five pairs, the second of which has a label."""
    path = tmp_path / "pairs.jsonl"
    lines = [line(at, label="same" if at == 1 else None) for at in range(5)]
    path.write_bytes(b"".join(dumps(one) + b"\n" for one in lines))
    return path


def pressed(file: Path, keys: str, *more: str) -> Result:
    """Run the command while somebody presses keys."""
    return CliRunner().invoke(main, ["calibrate", "label", str(file), *more], input=keys)


def labels(file: Path) -> list[str | None]:
    """Return the labels in the order of the file."""
    return [json.loads(one)["label"] for one in file.read_bytes().splitlines()]


def test_keys_become_labels(file: Path) -> None:
    """All of the four open pairs are shown once, and the file can be applied."""
    result = pressed(file, "sdds")

    assert result.exit_code == 0, result.output
    assert "5 of 5 pairs have a label" in result.output
    assert sorted(map(str, labels(file))) == ["distinct", "distinct", "same", "same", "same"]
    assert len(read_labels(file)) == 5


def test_what_is_labelled_is_not_shown_again(file: Path) -> None:
    """A second sitting goes on where the first one stopped."""
    pressed(file, "dq")
    before = labels(file)
    result = pressed(file, "q", "--json")

    assert before.count(None) == 3
    assert labels(file) == before
    assert json.loads(result.stdout) == {"event": "labels", "path": str(file), "labelled": 2, "pairs": 5}


def test_a_label_can_be_taken_back_and_a_pair_skipped(file: Path) -> None:
    """Undo shows the pair again; a skipped one waits for another sitting; other keys do nothing."""
    pressed(file, "dusnnzn")

    assert sorted(map(str, labels(file))) == ["None", "None", "None", "same", "same"]


def test_how_alike_a_pair_is_is_not_shown(file: Path) -> None:
    """Neither in words nor by the order."""
    rows = [line(at, cosine=0.7 + at / 100) for at in range(20)]
    file.write_bytes(b"".join(dumps(one) + b"\n" for one in rows))
    sheet, order = Sheet.read(file), list[int]()
    while (at := sheet.at) is not None:
        order.append(at)
        sheet.skip(at)

    assert "0.7" not in pressed(file, "q").output
    assert sorted(order) == list(range(20))
    assert order != sorted(order)


def test_a_pair_cannot_write_to_the_terminal(file: Path) -> None:
    """Escapes are shown as signs."""
    file.write_bytes(dumps(line(1, a={"instruction": "\x1b[2Jgone", "context": "", "response": "So."})) + b"\n")

    assert "\x1b" not in pressed(file, "q").output


@pytest.mark.parametrize("content", [b"{}\n", b"nothing\n", b'{"label": null}\n'])
def test_a_line_that_is_no_pair_is_refused(file: Path, content: bytes) -> None:
    """With its place, before anything is asked."""
    file.write_bytes(file.read_bytes() + content)

    with pytest.raises(InputError, match=r"pairs\.jsonl:6"):
        Sheet.read(file)


def test_two_who_label_one_file_lose_nothing(file: Path) -> None:
    """What somebody else wrote since is taken over, also by an editor that writes the file anew."""
    mine, theirs = Sheet.read(file), Sheet.read(file)
    mine.label(0, "same")
    theirs.label(2, "distinct")
    mine.label(3, "same")
    mine.undo()

    assert labels(file) == ["same", "same", "distinct", None, None]


def test_a_file_that_became_another_is_left_alone(file: Path) -> None:
    """Labels of these pairs are not written over other ones."""
    sheet = Sheet.read(file)
    file.write_bytes(dumps(line(9)) + b"\n")
    before = file.read_bytes()

    with pytest.raises(InputError, match="other pairs"):
        sheet.label(0, "same")
    assert file.read_bytes() == before
