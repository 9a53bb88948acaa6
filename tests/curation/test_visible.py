"""Unseen characters become visible, and nothing else changes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.visible import UNSEEN, on_one_line, runs, visible


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\x00", "⟨U+0000⟩"),
        ("\x1b", "⟨U+001B⟩"),
        ("\r", "⟨U+000D⟩"),
        ("\x7f", "⟨U+007F⟩"),
        ("\x9b", "⟨U+009B⟩"),
        ("\u202e", "⟨U+202E⟩"),
        ("\u200b", "⟨U+200B⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\u2028", "⟨U+2028⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\u3164", "⟨U+3164⟩"),
    ],
)
def test_an_unseen_character_is_shown(char: str, shown: str) -> None:
    """Controls as their pictures, all others as their code points."""
    assert visible(f"a{char}b") == f"a{shown}b"


@pytest.mark.parametrize("text", ["plain", "two\nlines\tand a tab", "häßlich, 日本語, العربية", "👍🏽 ❤️"])
def test_what_can_be_seen_stays(text: str) -> None:
    """Ordinary text of any script is not touched."""
    assert visible(text) == text


@given(st.text(st.characters(codec=None)))
def test_no_unseen_character_is_left(text: str) -> None:
    """Whatever goes in, only line breaks and tabs come out of the categories without glyphs."""
    shown = visible(text)

    assert all(char in "\n\t" or unicodedata.category(char) not in UNSEEN for char in shown)
    shown.encode()


@given(st.text(st.characters(codec=None)))
def test_runs_are_the_visible_text(text: str) -> None:
    """Splitting loses nothing."""
    assert "".join(run.text for run in runs(text)) == visible(text)


@given(st.text(st.characters(codec=None)))
def test_one_line_is_one_line(text: str) -> None:
    """Labels and terminals get no second line, whatever counts as a line break."""
    assert len(on_one_line(text).splitlines()) <= 1
