"""A judge is asked in both orders; its flips and failures are counted, never hidden."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.served import scripted
from training.answers.respond import Answer, Prompt, Question
from training.compare.endpoint import JUDGE_KEY, Endpoint
from training.compare.journal import Journal
from training.compare.judging import Judgement, judge_pair, read_verdict
from training.compare.page import judged

QUESTIONS = [Question(title=f"t{n}", category="", prompt=Prompt(f"Ask {n}.", "a text"), id=f"q{n}") for n in range(12)]
FIRST = [Answer(f"first {n}", stopped=True, tokens=2) for n in range(12)]
SECOND = [Answer(f"second {n} " + "more " * (n % 5), stopped=True, tokens=2) for n in range(12)]


def shown(body: dict[str, Any]) -> tuple[str, str]:
    """Return the two answers that a request shows, in its order."""
    content = body["messages"][0]["content"]
    answers = json.loads(content[content.index("{") :])
    return answers["answer 1"], answers["answer 2"]


def judgement(tmp_path: Path, verdict: Any) -> Judgement:
    """Have answers judged by a judge who decides by the two answers in the order he sees them."""
    with scripted(lambda body: (200, verdict(*shown(body)))) as (url, asked):
        judge = Endpoint(url=url, model="judge", journal=Journal(tmp_path / "j.jsonl"), key_variable=JUDGE_KEY)
        found = judge_pair(judge, QUESTIONS, ("base", FIRST), ("tuned", SECOND))
    assert len(asked) == 24
    return found


def test_a_judge_who_reads_prefers_the_same_in_both_orders(tmp_path: Path) -> None:
    """Every prompt won, no flips."""
    found = judgement(tmp_path, lambda one, _: "2" if one.startswith("first") else "1")

    assert found.preference is not None
    assert (found.preference.wins, found.preference.losses, found.failed) == (12, 0, 0)
    assert found.flips is not None
    assert found.flips.value == 0.0
    assert "a preference is shown" in judged(found)


def test_a_judge_who_likes_the_first_place_shows_nothing(tmp_path: Path) -> None:
    """Asked in one order alone he would have found a clear winner."""
    found = judgement(tmp_path, lambda *_: "1")

    assert found.preference is not None
    assert found.preference.rate.value == 0.5
    assert found.flips is not None
    assert found.flips.value == 1.0
    assert "The order changed 100% of the verdicts" in judged(found)
    assert "no preference shown" in judged(found)


def test_a_verdict_that_changes_with_the_order_is_a_tie(tmp_path: Path) -> None:
    """Also where one of the two was a tie: half a win is no preference."""
    found = judgement(tmp_path, lambda one, _: "1" if one.startswith("first") else "tie")

    assert found.preference is not None
    assert (found.preference.ties, found.preference.rate.value) == (12, 0.5)
    assert "no preference shown" in judged(found)


def test_what_cannot_be_read_is_null_and_counted(tmp_path: Path) -> None:
    """Never a tie, never a guess."""
    found = judgement(tmp_path, lambda one, _: "I cannot say." if one.endswith(" 3") else "tie")

    assert found.failed == 1
    assert [one.question for one in found.verdicts if one.score is None] == ["q3"]
    assert found.preference is not None
    assert found.preference.ties == 11
    assert "could not be read, and count for nothing: 1." in judged(found)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1", "first"),
        ("**2**", "second"),
        ("Tie.", "tie"),
        ("Answer 2 is better", "second"),
        ("12", None),
        ("Both 1 and 2", None),
        ("", None),
    ],
)
def test_verdicts_are_read(text: str, word: str | None) -> None:
    """The word asked for, at the beginning."""
    assert read_verdict(text) == word
