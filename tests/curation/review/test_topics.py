"""The topic map: rows that ask for like things stand together, and every row has a place."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.embedding.hashing import HashingEncoder
from curation.review.mapping import make_map, map_points, topic_rows
from curation.review.opening import open_desk
from curation.review.queues import Seating
from curation.review.search import Wanted, search
from curation.review.topics import kmeans, topic_map, tsne
from schemas.outcome import Rejection, reject
from schemas.record import Reason
from tests.curation.review.served import served
from tests.support import pair, step_of

ABOUT = {
    "poems": "Compose a poem about {} with rhyme and rhythm and verses",
    "cooking": "Cook a dinner recipe of {} with kitchen ingredients and spices",
    "algebra": "Solve the algebra equation {} for its unknown integer variable",
}
SHORT = Reason(code="instruction_too_short", field="instruction", found="1 word", limit="2 words")
TORN = Rejection(row={"raw": "{torn"}, reasons=(Reason(code="row_not_json"),))


def texts(each: int = 40) -> list[str]:
    """Return tasks of three kinds."""
    return [words.format(f"number {at}") for words in ABOUT.values() for at in range(each)]


def test_like_rows_stand_together() -> None:
    """Each of three kinds lies apart from the others, and its topics are named after it."""
    asked = texts()

    found = topic_map(asked, HashingEncoder().encode(asked))

    kinds = np.repeat(np.arange(3), 40)
    middles = np.stack([found.xy[kinds == kind].mean(0) for kind in range(3)])
    nearest = np.square(found.xy[:, None] - middles[None]).sum(2).argmin(1)
    assert (nearest == kinds).mean() > 0.95
    for topic in range(len(found.labels)):
        (kind, most), *_ = Counter(kinds[found.topic == topic]).most_common(1)
        assert most == (found.topic == topic).sum()
        words = set(list(ABOUT.values())[kind].casefold().split())
        assert set(found.labels[topic].split(", ")) <= words | {"number"}


def test_the_map_is_the_same_every_time() -> None:
    """For one seed."""
    asked = texts(10)
    vectors = HashingEncoder().encode(asked)

    one, two = topic_map(asked, vectors), topic_map(asked, vectors)

    assert np.array_equal(one.xy, two.xy)
    assert one.labels == two.labels


@given(st.integers(0, 12), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_any_number_of_rows_has_a_map(rows: int, seed: int) -> None:
    """None, one, all alike, empty ones: places between 0 and 1, a topic that has a name."""
    asked = ["the same"] * (rows // 2) + [""] * (rows - rows // 2)

    found = topic_map(asked, HashingEncoder().encode(asked), seed)

    assert found.xy.shape == (rows, 2)
    assert np.isfinite(found.xy).all()
    assert ((found.xy >= 0) & (found.xy <= 1)).all()
    assert set(found.topic.tolist()) <= set(range(len(found.labels)))


def test_centres_are_unit_vectors() -> None:
    """Or the likest centre would be the longest."""
    vectors = HashingEncoder().encode(texts(10))

    assert np.linalg.norm(kmeans(vectors, 3, np.random.default_rng(1)), axis=1) == pytest.approx(1, abs=1e-5)


def test_two_points_have_no_shape() -> None:
    """And need none."""
    assert tsne(np.eye(2, dtype=np.float32), np.random.default_rng(1)).shape == (2, 2)


def test_a_review_has_a_map(tmp_path: Path) -> None:
    """Of kept records and rejected ones, not of rows that never were records; each leads to its screen."""
    kept = [pair(text, f"Done {at}.") for at, text in enumerate(texts(8))]
    step = step_of(tmp_path / "1", [*kept, reject(pair("Cook a dinner recipe"), SHORT), TORN])
    with served(step) as review:
        review.enter()
        before = review.ask("GET", "/map").text
        assert "Topic" not in review.ask("GET", "/explore").text
        made = make_map(review.desk.chain, review.desk.rows, encoder="hashing")
        topics, points = topic_rows(review.desk.rows), map_points(review.desk.rows)
        assert "Topic" in review.ask("GET", "/explore").text
        page, data = review.ask("GET", "/map").text, review.ask("GET", "/map.json")
        rejected = points["pos"][points["kept"].index(0)]
        row = review.ask("GET", f"/map/{rejected}").text
        found = search(review.desk.rows, Wanted(topic=str(topics[0].topic)))

    assert "No map has been made yet" in before
    assert made == len(points["pos"]) == sum(one.rows for one in topics) == 25
    assert sum(one.rejected for one in topics) == 1
    assert all(one.label in page for one in topics)
    assert data.status == 200
    assert '"link":"/drops/' in row
    assert found.rows == topics[0].rows


def test_with_a_map_the_most_alike_rows_are_any_rows(tmp_path: Path) -> None:
    """Rejected ones too, with their cosines, the most alike first."""
    kept = [pair(text, f"Done {at}.") for at, text in enumerate(texts(8))]
    step = step_of(tmp_path / "1", kept)
    desk = open_desk(step, Seating())
    assert desk.rows.most_like(0, 5) == []
    make_map(desk.chain, desk.rows, encoder="hashing")

    found = desk.rows.most_like(0, 5)

    vectors = HashingEncoder().encode(texts(8))
    cosines = vectors @ vectors[0]
    assert [pos for pos, _ in found] == sorted(range(1, 24), key=lambda at: (-cosines[at], at))[:5]
    assert [cosine for _, cosine in found] == pytest.approx(sorted(cosines[1:], reverse=True)[:5], abs=1e-5)
