"""How much stands in an answer: items, words, sentences, paragraphs, lines."""

import re

ITEM = re.compile(r"^\s*(?:[-*+•–]|\(?\d{1,3}[.):]|\(?[a-zA-Z][.)])\s+\S")
"""A line that begins as an item of a list does."""
WORD = re.compile(r"\w+(?:['’-]\w+)*")
_ABBREVIATIONS = re.compile(
    r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|etc|e\.g|i\.e|approx|No|U\.S|U\.K|a\.m|p\.m)\.", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters and digits, with what apostrophes and hyphens join."""
    return WORD.findall(text)


def lines_of(text: str) -> list[str]:
    """Return the lines that hold anything."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def items_of(text: str) -> list[str]:
    """Return the lines that are items of a list, as they stand."""
    return [line for line in lines_of(text) if ITEM.match(line)]


def sentences_of(text: str) -> list[str]:
    """Return the sentences; an abbreviation or a decimal point ends none, the end of a paragraph does."""
    plain = _ABBREVIATIONS.sub(lambda found: found[0].replace(".", ""), text)
    found = [part for line in lines_of(plain) for part in _SENTENCE_END.split(line)]
    return [part.strip() for part in found if words_of(part)]


def items(text: str, count: int) -> bool:
    """Say whether the answer has exactly so many items of a list."""
    return len(items_of(text)) == count


def words_at_least(text: str, count: int) -> bool:
    """Say whether the answer has so many words or more."""
    return len(words_of(text)) >= count


def words_at_most(text: str, count: int) -> bool:
    """Say whether the answer has no more words than that."""
    return len(words_of(text)) <= count


def one_word(text: str) -> bool:
    """Say whether the answer is one word, with or without a full stop."""
    return len(text.split()) == len(words_of(text)) == 1


def sentences(text: str, count: int) -> bool:
    """Say whether the answer has exactly so many sentences."""
    return len(sentences_of(text)) == count


def paragraphs(text: str, count: int) -> bool:
    """Say whether blank lines part the answer into exactly so many paragraphs."""
    return len([part for part in re.split(r"\n\s*\n", text) if part.strip()]) == count


def lines(text: str, count: int) -> bool:
    """Say whether exactly so many lines of the answer hold anything."""
    return len(lines_of(text)) == count
