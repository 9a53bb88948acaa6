"""Rows are found by their words and by what is known about them, and decided about in one stroke."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from curation.review.desk import Act
from curation.review.opening import open_desk
from curation.review.queues import Seating
from curation.review.rows import Rows
from curation.review.search import NOTHING, Wanted, chosen, search, term_spans, terms
from schemas.errors import InputError
from schemas.outcome import Rejection, reject
from schemas.record import Reason, flagged
from tests.curation.review.served import Served, served
from tests.support import pair, step_of, texts

SHORT = Reason(code="instruction_too_short", field="instruction", found="1 word", limit="2 words")
TORN = Rejection(row={"raw": "{torn paper"}, reasons=(Reason(code="row_not_json"),))
RECORDS = (
    flagged(pair("Name a red colour.", "Crimson.", category="open_qa"), SHORT),
    pair("Name a blue colour.", "Azure, the colour of the sky. " * 4, category="open_qa"),
    pair("Écrire un poème.", "La mer est bleue."),
    reject(pair("Red?"), SHORT),
    TORN,
)


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Served]:
    """A review of these rows."""
    with served(step_of(tmp_path / "1", RECORDS)) as running:
        running.enter()
        yield running


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, 5),
        ({"words": "red"}, 2),
        ({"words": "colo"}, 2),
        ({"words": "colour azure"}, 1),
        ({"words": '"red colour"'}, 1),
        ({"words": '"colour red"'}, 0),
        ({"words": "ecrire poeme"}, 1),
        ({"words": "torn"}, 1),
        ({"words": "red", "fate": "kept"}, 1),
        ({"code": "instruction_too_short"}, 2),
        ({"category": "open_qa"}, 2),
        ({"category": NOTHING}, 3),
        ({"length": "20 to 50"}, 1),
        ({"language": "fr"}, 1),
        ({"source": "nowhere"}, 0),
    ],
)
def test_what_is_wanted_is_found(review: Served, wanted: dict[str, str], found: int) -> None:
    """Words in any order and without accents, the last one unfinished; phrases; facets; all of them together."""
    assert search(review.desk.rows, Wanted(**wanted)).rows == found


def test_facets_count_what_was_found(review: Served) -> None:
    """Each value with its rows, and choosing one finds as many."""
    rows = review.desk.rows
    for words in ("", "red"):
        for name, values in search(rows, Wanted(words=words)).facets.items():
            for one in values:
                assert search(rows, Wanted(**{"words": words, name: one.value})).rows == one.rows


@given(texts)
def test_no_search_is_an_operator(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    """Whatever is typed is looked for as it stands, or refused in words."""
    rows = _rows(tmp_path_factory)
    if not any(re.search(r"\w", term) for term in terms(words)) and words:
        with pytest.raises(InputError, match="expected words"):
            search(rows, Wanted(words=words))
    else:
        assert search(rows, Wanted(words=words)).rows <= 5
    assert all(start < end for start, end in term_spans("Name a red colour.", words))


_OPENED: list[Rows] = []


def _rows(factory: pytest.TempPathFactory) -> Rows:
    if not _OPENED:
        _OPENED.append(open_desk(step_of(factory.mktemp("s") / "1", RECORDS), Seating()).rows)
    return _OPENED[0]


def test_terms_are_words_and_phrases() -> None:
    """And a quote that is not closed is no phrase."""
    assert terms('a "b c" d"e') == ["a", "b c", "de"]


def test_one_stroke_decides_about_all_that_was_found(review: Served) -> None:
    """Only kept ones, only if they are as many as the screen said; one undo takes it back."""
    stale = review.ask("POST", "/explore", {"words": "colour", "count": "3", "action": "reject", "reason": "unclear"})
    done = review.ask("POST", "/explore", {"words": "colour", "count": "2", "action": "reject", "reason": "unclear"})

    assert stale.status == 409
    assert (done.status, done.headers["location"]) == (303, "/explore?words=colour")
    assert review.desk.done("hunt") == 2
    review.ask("POST", "/undo", {})
    assert review.desk.done("hunt") == 0


def test_rows_are_chosen_by_id_or_by_a_search_that_finds_what_was_expected(review: Served) -> None:
    """Anything else is refused."""
    rows = review.desk.rows

    assert [item.id for item in chosen(rows, [RECORDS[0].id], Wanted(), None)] == [RECORDS[0].id]
    assert len(chosen(rows, [], Wanted(words="colour"), 2)) == 2
    for ids, wanted, expect in (([], Wanted(), None), ([], Wanted(words="colour"), None), (["none"], Wanted(), None)):
        with pytest.raises(InputError):
            chosen(rows, ids, wanted, expect)


def test_a_stroke_is_one_event_each_and_one_batch(review: Served) -> None:
    """So that every row keeps its own history."""
    items = chosen(review.desk.rows, [], Wanted(words="colour"), 2)

    batch = review.desk.decide_all(items, Act(action="accept"))

    assert [event.batch for event in review.desk.board.standing()] == [batch, batch]


def test_the_explore_screen_shows_where_the_words_stand(review: Served) -> None:
    """With the facets beside it."""
    page = review.ask("GET", "/explore?words=red").text

    assert "Name a <mark>red</mark> colour." in page
    assert "2 rows, 1 kept" in page
    assert "/explore?words=red&amp;fate=kept" in page
    assert review.ask("GET", "/explore?words=%22%22").status == 400
