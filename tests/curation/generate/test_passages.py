"""Passages: whole paragraphs, found again to the letter where they say they stand."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.generate.passages import LEAST, MOST, Passage, document_files, read_passages, spans, without_tags
from curation.text import tokens
from schemas.errors import InputError

SENTENCE = "The mill at Aven ground {} sacks of rye in a day. "


def passage_of(text: str) -> Passage:
    """Return a passage that is a whole file."""
    return Passage(text=text, file="a.txt", sha256="0" * 64, start=0, end=len(text))


def paragraph(sentences: int, first: int = 0) -> str:
    """Return a paragraph of so many sentences."""
    return "".join(SENTENCE.format(first + at) for at in range(sentences)).strip()


texts = st.lists(
    st.sampled_from(
        [" ", "\n", "\n\n", " \n \n", "Rye.", "rye ", "rye " * 30, "Rye is rye! ", "黑麦。", "é\u2028", "\t"]
    ),
    max_size=40,
).map("".join)


@given(texts)
def test_a_passage_is_found_where_it_says_it_stands(text: str) -> None:
    """Passages follow one another, none is empty, short or long, and each is a part of the text."""
    found = spans(text)

    assert all(one.end <= other.start for one, other in pairwise(found))
    for start, end in found:
        assert text[start:end].strip() == text[start:end].rstrip()
        assert LEAST <= len(tokens(text[start:end])) <= MOST


def test_paragraphs_stay_whole_and_short_ones_are_put_together() -> None:
    """A passage ends where a paragraph does; a heading goes with what follows it."""
    text = f"# Milling\n\n{paragraph(6)}\n\n{paragraph(30, 6)}\n\n{paragraph(4, 40)}"
    found = [text[start:end] for start, end in spans(text)]

    assert found[0].startswith("# Milling\n\nThe mill")
    assert all(one.endswith(".") for one in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_files_of_every_kind_are_read(tmp_path: Path) -> None:
    """Text as it stands, rows one by one with their numbers, pages without tags; each with its file's digest."""
    (tmp_path / "a.txt").write_text(paragraph(6))
    (tmp_path / "b.jsonl").write_text("\n".join(["", json.dumps({"content": paragraph(6, 10)}), ""]))
    page = f"<html><head><title>No</title></head><body><p>{paragraph(6, 20)}</p><script>var no</script></body></html>"
    (tmp_path / "c.html").write_text(page)
    passages = {one.file: one for one in read_passages([str(tmp_path)], seed=1)}

    assert set(passages) == {"a.txt", "b.jsonl", "c.html"}
    assert passages["a.txt"].text == paragraph(6)
    assert (passages["b.jsonl"].line, passages["b.jsonl"].text) == (2, paragraph(6, 10))
    assert passages["c.html"].text == paragraph(6, 20)
    assert passages["b.jsonl"].place()["line"] == 2
    assert "line" not in passages["a.txt"].place()
    assert len({one.sha256 for one in passages.values()}) == 3


def test_the_seed_decides_their_order(tmp_path: Path) -> None:
    """The same seed, the same order; every passage stands in it."""
    (tmp_path / "a.txt").write_text("\n\n".join(paragraph(18, 20 * at) for at in range(12)))
    one, again, other = (read_passages([str(tmp_path / "a.txt")], seed) for seed in (1, 1, 2))

    assert one == again != other
    assert sorted(passage.start for passage in one) == sorted(passage.start for passage in other)


def test_a_page_reads_as_it_looks() -> None:
    """Blocks are paragraphs, inline marks are nothing, entities are characters."""
    assert without_tags("<h1>Rye</h1><p>A&amp;B <b>bold</b>\nline</p><style>p{}</style><p>End") == (
        "Rye\n\nA&B bold line\n\nEnd"
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"%PDF", "expected a document"),
        ("a.txt", b"\xff\xfe", "expected UTF-8 text"),
        ("a.txt", b"short", "expected a passage of 40 words or more"),
        ("a.jsonl", b"{", "a.jsonl:1: expected a row of JSON"),
        ("a.jsonl", b'{"a": 1}', "a.jsonl:1: text: expected one of text"),
    ],
)
def test_a_document_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    """It is named, with what is wrong."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=says):
        read_passages([str(tmp_path / name)], seed=1)


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    """It is named; so is a folder that holds none."""
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(InputError, match="expected a document"):
            document_files([str(path)])
