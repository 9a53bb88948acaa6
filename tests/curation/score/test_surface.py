"""Cheap figures of a response, and what has none."""

import pytest
from hypothesis import given

from curation.score.file import Score
from curation.score.reasons import NO_WORDS, NOT_ENGLISH, SCORE_REASONS
from curation.score.surface import FIGURES, surface_scores
from schemas.record import InstructionRecord
from tests.support import pair, records, texts

MARKDOWN = """# Bread

1. Mix `flour` and **water**.
2. Wait.
- Bake.

| a | b |
|---|---|

```python
bake()
```
"""


def figures(response: str) -> dict[str, Score]:
    """Return the figures of a response."""
    (found,) = surface_scores([pair("Name a colour.", response, context="Any will do.")])
    return dict(found)


def test_marks_of_a_structured_response_are_counted() -> None:
    """Items, blocks, and marks: a heading, three rows of a table, a bold and a code word."""
    found = figures(MARKDOWN)

    assert [found[name].value for name in ("list_items", "code_blocks", "format_marks")] == [3, 1, 6]


def test_a_long_rich_text_is_as_rich_as_a_short_one() -> None:
    """Types are counted in windows, so that length does not decide."""
    words = [f"word{n}" for n in range(60)]

    assert figures(" ".join(words)).get("type_token_ratio") == figures(" ".join(words * 5)).get("type_token_ratio")
    assert figures("the " * 200)["type_token_ratio"].value == pytest.approx(1 / 50)


def test_a_loop_compresses_better_than_prose() -> None:
    """A high ratio is a text that repeats itself."""
    loop, prose = figures("I like it. " * 40), figures("The old harbour lay quiet while gulls circled over the pier.")

    assert (loop["compression_ratio"].value or 0) > 5 > (prose["compression_ratio"].value or 0)


def test_hard_prose_needs_a_higher_grade() -> None:
    """Long words in long sentences; the formula's own value for a sentence counted by hand."""
    easy = figures("The cat sat. The dog ran.")["readability"].value
    hard = figures("Notwithstanding considerable methodological heterogeneity, investigators corroborated it.")

    assert easy == pytest.approx(4.71 * 18 / 6 + 0.5 * 6 / 2 - 21.43)
    assert (hard["readability"].value or 0) > 20


def test_what_has_no_words_or_other_letters_is_null() -> None:
    """With its reason; its words are counted all the same."""
    assert figures("")["response_words"].value == 0
    assert figures("")["type_token_ratio"].reason == NO_WORDS
    assert figures("Солнце светит ярко.")["readability"].reason == NOT_ENGLISH


@given(records(texts))
def test_every_figure_is_a_number_or_a_known_reason(record: InstructionRecord) -> None:
    """Whatever the text."""
    (found,) = surface_scores([record])

    assert set(found) == set(FIGURES)
    assert all(score.value is not None or score.reason in SCORE_REASONS for score in found.values())


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 100_000,
        "- " * 50_000,
        "```\n" * 30_000,
        "*" * 100_000,
        "|" * 100_000,
        "`" * 100_000,
        "." * 100_000,
        "." * 100_000 + "x",
        "| " * 50_000 + "x",
        "\n" * 100_000,
        "#" * 100_000,
        " " * 100_000 + "|",
    ],
)
def test_hostile_texts_come_back(hostile: str) -> None:
    """No pattern backtracks over them."""
    assert set(figures(hostile)) == set(FIGURES)
