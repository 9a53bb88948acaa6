"""Blind votes: nothing on the page tells whose answers these are; the key and the votes together do."""

import json
import re
from collections import Counter
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.errors import InputError
from tests.training.compared import BASE, CATEGORIES, TUNED, comparison, result, two
from training.cli import main
from training.compare.blind import Key, ballots_html, make_ballots, write_ballots
from training.compare.votes import tally


class Shape(HTMLParser):
    """Collects tags and attributes, in order, without text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag."""
        self.seen.append((tag, tuple(attrs)))


def shape(page: str) -> list[Any]:
    """Return a page's tags and attributes."""
    parser = Shape()
    parser.feed(page)
    return parser.seen


def cast(key: Key, choose: Any, voter: str = "Ann") -> dict[str, Any]:
    """Return a file of votes; `choose` is told whether the tuned model stands on the right, and the number."""
    votes = [{"ballot": one.number, "vote": choose(one.right == TUNED, one.number)} for one in key.entries]
    return {"kind": "dolly-votes", "ballots": key.ballots, "voter": voter, "votes": votes}


def counted(tmp_path: Path, key: Key, *files: dict[str, Any]) -> Any:
    """Return the tally of files of votes."""
    (tmp_path / "key.json").write_text(json.dumps(asdict(key)))
    for number, file in enumerate(files):
        (tmp_path / f"{number}.json").write_text(json.dumps(file))
    return tally([tmp_path / f"{number}.json" for number in range(len(files))], tmp_path / "key.json")


def for_tuned(on_right: bool, _: int) -> str:
    """Vote for the tuned model."""
    return "right" if on_right else "left"


def test_the_page_names_no_model(tmp_path: Path) -> None:
    """Nor a path, a kind, a template, how it ended, or an id of a prompt; the key does."""
    written = write_ballots(two(), tmp_path / "page.html", seed=42)

    page = written.page.read_text()
    assert not re.search(r"secret|models/|tuned|untuned|dolly-v1|ended by|cut at|q-\d", page)
    assert written.ballots == 12
    assert BASE in written.key.read_text()


def test_the_page_is_the_same_whoever_stands_where() -> None:
    """With both models' answers exchanged on every ballot nothing changes but the two texts."""
    ballots, key = make_ballots(two(), seed=1)
    turned = [type(one)(number=one.number, prompt=one.prompt, left=one.right, right=one.left) for one in ballots]

    page, other = ballots_html(ballots, key.ballots), ballots_html(turned, key.ballots)

    assert shape(page) == shape(other)
    assert len(page) == len(other)
    assert page.replace("grey", "@").replace("green", "@") == other.replace("grey", "@").replace("green", "@")


@pytest.mark.parametrize("seed", range(5))
def test_sides_are_balanced(seed: int) -> None:
    """Over all ballots and within each category, to one; each seed another way."""
    _, key = make_ballots(two(30), seed)

    sides = Counter(one.right == TUNED for one in key.entries)
    assert sides[True] == sides[False]
    for category in CATEGORIES:
        here = Counter(one.right == TUNED for one in key.entries if one.category == category)
        assert abs(here[True] - here[False]) <= 1


def test_the_order_and_the_sides_depend_on_the_seed_and_the_answers() -> None:
    """The same again for the same; knowing the seed alone gives nothing away."""
    _, key = make_ballots(two(), 42)
    other = comparison([result(BASE, ["a"] * 12), result(TUNED, ["b"] * 12)], 12)

    assert make_ballots(two(), 42)[1] == key
    order = [
        [one.prompt for one in made.entries] for made in (key, make_ballots(two(), 43)[1], make_ballots(other, 42)[1])
    ]
    assert order[0] != order[1] != order[2] != order[0]
    assert order[0] != sorted(order[0])


def test_equal_answers_are_not_shown() -> None:
    """Nobody could tell them apart; the key counts them."""
    both = comparison([result(BASE, ["same", "a"]), result(TUNED, ["same", "b"])], 2)

    ballots, key = make_ballots(both, 1)

    assert (len(ballots), key.same) == (1, 1)
    with pytest.raises(InputError, match="answers that differ"):
        make_ballots(comparison([result(BASE, ["x"]), result(TUNED, ["x"])], 1), 1)
    with pytest.raises(InputError, match="two models at least"):
        make_ballots(comparison([result(BASE, ["x"])], 1), 1)


def test_votes_and_key_give_the_win_rate(tmp_path: Path) -> None:
    """With its interval, in a sentence."""
    _, key = make_ballots(two(), 1)

    found = counted(tmp_path, key, cast(key, for_tuned))

    (contest,) = found.contests
    assert (contest.preference.wins, contest.preference.losses) == (12, 0)
    assert contest.sentence.startswith(f"{TUNED} was preferred to {BASE} in 100% of 12 prompts (76 to 100%")
    assert "a preference is shown" in contest.sentence
    assert set(contest.by_category) == set(CATEGORIES)
    assert (found.left.value, found.votes, found.skipped, found.agreement) == (0.5, 12, 0, None)


def test_one_who_always_votes_left_shows_no_preference(tmp_path: Path) -> None:
    """Because sides are balanced; and it is seen."""
    _, key = make_ballots(two(), 1)

    found = counted(tmp_path, key, cast(key, lambda *_: "left"))

    assert found.contests[0].preference.rate.value == 0.5
    assert "no preference shown" in found.contests[0].sentence
    assert found.left.value == 1.0


def test_several_voters_count_by_prompt(tmp_path: Path) -> None:
    """Two who disagree on a prompt make it even; skipped ones count for nothing."""
    _, key = make_ballots(two(), 1)
    other = cast(key, lambda right, number: "skip" if number == 1 else "left" if right else "right", "Bo")

    found = counted(tmp_path, key, cast(key, for_tuned), other)

    (contest,) = found.contests
    assert (contest.preference.wins, contest.preference.ties, contest.preference.rate.units) == (1, 11, 12)
    assert (found.voters, found.votes, found.skipped) == (2, 23, 1)
    assert {name: one.rate.value for name, one in contest.by_voter.items()} == {"Ann": 1.0, "Bo": 0.0}
    assert found.agreement.value == 0.0


def test_three_models_are_two_contests(tmp_path: Path) -> None:
    """Each other one with the first."""
    three = comparison([result(name, [f"{name} {n}" for n in range(4)]) for name in ("a", "b", TUNED)], 4)
    _, key = make_ballots(three, 1)

    found = counted(tmp_path, key, cast(key, lambda *_: "tie"))

    assert [(one.name, one.than, one.preference.ties) for one in found.contests] == [
        ("b", "a", 4),
        (TUNED, "a", 4),
    ] or [(one.name, one.than, one.preference.ties) for one in found.contests] == [(TUNED, "a", 4), ("b", "a", 4)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ballots": "0" * 64}, "ballots: expected"),
        ({"votes": [{"ballot": 99, "vote": "left"}]}, "each ballot of the key at most once"),
        ({"votes": [{"ballot": 1, "vote": "left"}] * 2}, "each ballot of the key at most once"),
        ({"votes": [{"ballot": 1, "vote": "up"}]}, r"votes\.0\.vote"),
        ({"kind": "other"}, "votes that the blind page exported"),
    ],
)
def test_wrong_votes_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Those on other ballots, twice on one, or of no known word."""
    _, key = make_ballots(two(), 1)

    with pytest.raises(InputError, match=message):
        counted(tmp_path, key, cast(key, for_tuned) | change)


def test_the_same_voter_twice_is_refused(tmp_path: Path) -> None:
    """A file that was exported twice would count twice."""
    _, key = make_ballots(two(), 1)

    with pytest.raises(InputError, match="each voter once"):
        counted(tmp_path, key, cast(key, for_tuned), cast(key, for_tuned))


def test_the_command_says_it_in_sentences_and_in_json(tmp_path: Path) -> None:
    """And ends with 1 where the key and the votes are given the wrong way round."""
    written = write_ballots(two(), tmp_path / "page.html", seed=1)
    _, key = make_ballots(two(), 1)
    (tmp_path / "votes.json").write_text(json.dumps(cast(key, for_tuned)))
    words = ["votes", str(tmp_path / "votes.json"), str(written.key)]

    plain, events = (CliRunner().invoke(main, [*words, *more]) for more in ([], ["--json"]))
    wrong = CliRunner().invoke(main, ["votes", words[2], words[1]])

    assert "was preferred" in plain.output
    assert json.loads(events.output)["contests"][0]["preference"]["wins"] == 12
    assert wrong.exit_code == 1
