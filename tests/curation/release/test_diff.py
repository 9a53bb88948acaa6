"""What became of records between two releases, and the version and changelog that follow."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from curation.cli import main
from curation.release.build import Release, release
from curation.release.diff import Known, compare, difference, known, next_version
from schemas.directory import read_manifest
from schemas.errors import InputError
from schemas.outcome import Outcome, reject
from schemas.record import Reason, Repair, repaired
from tests.support import pair, step_of

OLD = [pair(f"Name colour {number}.", f"Blue {number}.") for number in range(6)]
LONGER = repaired(OLD[0], Repair(code="reviewer_edited", field="response", old="Blue 0.", new="Navy blue."))


def made(tmp_path: Path, name: str, outcomes: list[Outcome], **settings: str) -> Path:
    """Return a release of a step."""
    step = step_of(tmp_path / f"step-{name}", outcomes)
    release(step, tmp_path / name, Release(title="Colours", **settings))
    return tmp_path / name


def version(folder: Path) -> str:
    """Return a release's version."""
    facts = read_manifest(folder).release
    assert facts is not None
    return facts.version


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OLD, "1.0.1"),
        ([*OLD, pair("Add.")], "1.1.0"),
        (OLD[1:], "2.0.0"),
        ([LONGER, *OLD[1:]], "2.0.0"),
        ([replace(OLD[0], category="open_qa"), *OLD[1:]], "2.0.0"),
    ],
    ids=["the same", "added", "removed", "edited", "recategorised"],
)
def test_the_version_follows_from_the_records(tmp_path: Path, now: list[Outcome], expected: str) -> None:
    """Patch, minor, major, by Croissant's rule; the first is 1.0.0."""
    first = made(tmp_path, "one", [*OLD])

    second = made(tmp_path, "two", now, previous=str(first))

    assert (version(first), version(second)) == ("1.0.0", expected)


def test_an_edit_is_known_by_the_ids_a_record_remembers() -> None:
    """Or by being asked once before and once after; else a record went and another came."""
    twin = pair("Name colour 1.", "Another blue.")

    found = difference(map(known, OLD), map(known, [LONGER, twin, pair("Add."), *OLD[3:]]))

    assert found.edited == tuple(sorted([(OLD[0].id, LONGER.id), (OLD[1].id, twin.id)]))
    assert found.removed == (OLD[2].id,)
    assert found.added == (pair("Add.").id,)
    assert (found.unchanged, found.bump) == (3, "major")


names = st.lists(st.sampled_from("abcdef"), max_size=8)


@given(names, names)
def test_every_record_is_accounted_for(first: list[str], second: list[str]) -> None:
    """Equal ones counted as often as they are there; nothing became of a set compared with itself."""
    before, after = ([Known(name, name, "", ()) for name in side] for side in (first, second))

    found, same = difference(before, after), difference(before, before)

    assert found.before == found.unchanged + len(found.removed) + len(found.edited) == len(first)
    assert found.after == found.unchanged + len(found.added) + len(found.edited) == len(second)
    assert (same.bump, same.unchanged) == ("patch", len(first))


def test_versions_follow_one_another() -> None:
    """The smaller parts begin anew."""
    assert [next_version("1.2.3", bump) for bump in ("major", "minor", "patch")] == ["2.0.0", "1.3.0", "1.2.4"]


def test_the_changelog_tells_why_and_keeps_what_was(tmp_path: Path) -> None:
    """Newest first; the manifest and the card tell the counts."""
    first = made(tmp_path, "one", [*OLD])
    now: list[Outcome] = [*OLD[2:], *(reject(one, Reason(code="response_empty")) for one in OLD[:2])]

    second = made(tmp_path, "two", now, previous=str(first))
    third = made(tmp_path, "three", [*OLD[2:], pair("Add.")], previous=str(second))

    text = (third / "CHANGELOG.md").read_text()
    facts = read_manifest(second).release
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 2.1.0", "## 2.0.0", "## 1.0.0"]
    assert text.index("records were only added") < text.index("`response_empty`") < text.index("The first release: 6")
    assert facts is not None
    assert facts.previous is not None
    assert (facts.previous.version, facts.previous.removed, facts.previous.unchanged) == ("1.0.0", 2, 4)
    assert "Version 2.0.0 follows 1.0.0: 0 records added, 2 removed" in (second / "README.md").read_text()


def test_a_command_compares_steps_and_releases(tmp_path: Path) -> None:
    """In words, and as JSON with every id."""
    first = made(tmp_path, "one", [*OLD])
    now: list[Outcome] = [*OLD[1:], pair("Add."), reject(OLD[0], Reason(code="response_empty"))]
    second = step_of(tmp_path / "step", now).path

    words = CliRunner().invoke(main, ["diff", str(first), str(second)])
    found = json.loads(CliRunner().invoke(main, ["diff", str(first), str(second), "--json"]).stdout)

    assert words.stdout.splitlines()[0] == "1 added, 1 removed, 0 edited, 5 unchanged: a major change"
    assert "response_empty" in words.stdout
    assert (found["bump"], found["removed"], found["added"]) == ("major", [OLD[0].id], [pair("Add.").id])


def test_a_changed_release_is_not_compared(tmp_path: Path) -> None:
    """What is not what was released proves nothing."""
    first = made(tmp_path, "one", [*OLD])
    (first / "NOTICE").write_text("none")

    with pytest.raises(InputError, match="NOTICE"):
        compare(first, step_of(tmp_path / "step", OLD).path)
    with pytest.raises(InputError, match="NOTICE"):
        made(tmp_path, "two", [*OLD], previous=str(first))
