"""The user's documents, cut into passages that a question can be asked about.

A passage is a run of whole paragraphs; one that is too long is cut where its sentences end. It is known by the digest
of its file and by where it stands in the text that was read: `text[start:end]` is the passage to the letter. Read are
`.txt` and `.md` as they stand, `.jsonl` row by row (the field `text`, `content`, `body` or `context`), and `.html`
without its tags: there the place is one in the text that is left.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from curation.generate.draw import draw
from curation.text import tokens
from schemas.codec import loads
from schemas.errors import InputError

LEAST, MOST = 40, 220
"""Tokens of a passage: paragraphs are put together up to the most, and less than the least is left out."""
SUFFIXES = (".txt", ".md", ".jsonl", ".html", ".htm")
TEXT_FIELDS = ("text", "content", "body", "context")
"""Where a row's text is looked for, in this order."""

_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[ \t]*\S[^\n]*)*")
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s|\Z)|[\u3002\uff01\uff1f]|\Z)", re.DOTALL)
_BLOCK_TAGS = "address article blockquote br div dd dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul"
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_UNSEEN = frozenset(("script", "style", "head", "nav", "noscript", "template"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a document."""

    text: str
    file: str
    """Name of the file, without its folders."""
    sha256: str
    """Of the file's bytes."""
    start: int
    end: int
    """First and one-past-last character in the file's text, or in the row's."""
    line: int | None = None
    """The row's number, from 1, where the file has rows."""

    def place(self) -> dict[str, Any]:
        """Return where it stands, as it is kept with a record."""
        where = {"file": self.file, "sha256": self.sha256, "start": self.start, "end": self.end}
        return where if self.line is None else {**where, "line": self.line}


class Span(NamedTuple):
    """First and one-past-last character."""

    start: int
    end: int


def read_passages(paths: Sequence[str], seed: int) -> tuple[Passage, ...]:
    """Return the passages of files and folders, in an order that the seed decides.

    Raises:
        InputError: a file that cannot be read, or no passage in any of them.
    """
    found = [passage for path in document_files(paths) for passage in _passages(path)]
    if not found:
        expected = f"a passage of {LEAST} words or more"
        raise InputError(place="generate", field="docs", expected=expected, found="none")
    return tuple(draw(found, len(found), seed, "passages"))


def document_files(paths: Sequence[str]) -> list[Path]:
    """Return the files that are meant, those of a folder in order of their names.

    Raises:
        InputError: nothing there, or a kind of file that is not read.
    """
    files = []
    for path in map(Path, paths):
        inside = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in SUFFIXES] if path.is_dir() else [path]
        files += inside
        wrong = next((one for one in inside if not one.is_file() or one.suffix.lower() not in SUFFIXES), None)
        if wrong or not inside:
            raise InputError(place=wrong or path, expected=f"a document ({', '.join(SUFFIXES)})", found="none")
    return files


def spans(text: str) -> list[Span]:
    """Cut a text: whole paragraphs together as long as they are not too long, then sentences of those that are."""
    pieces = [Span(*match.span()) for match in _PARAGRAPH.finditer(text)]
    short = [part for piece in pieces for part in (_sentences(text, piece) if _words(text, piece) > MOST else [piece])]
    return [span for span in _joined(text, short) if _words(text, span) >= LEAST]


def _passages(path: Path) -> Iterator[Passage]:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    try:
        whole = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(place=path, expected="UTF-8 text", found=f"byte {error.start} is none") from error
    for line, text in _texts(path, whole):
        for span in spans(text):
            part = text[span.start : span.end]
            yield Passage(text=part, file=path.name, sha256=digest, start=span.start, end=span.end, line=line)


def _texts(path: Path, whole: str) -> Iterator[tuple[int | None, str]]:
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        for number, line in enumerate(whole.split("\n"), 1):
            yield number, _row_text(line, f"{path}:{number}")
    else:
        yield None, without_tags(whole) if suffix in (".html", ".htm") else whole


def _row_text(line: str, place: str) -> str:
    try:
        row = loads(line) if line.strip() else {"text": ""}
    except ValueError as error:
        raise InputError(place=place, expected="a row of JSON", found=line[:60]) from error
    texts = [row[name] for name in TEXT_FIELDS if isinstance(row.get(name), str)] if isinstance(row, dict) else []
    if not texts:
        raise InputError(place=place, field="text", expected=f"one of {', '.join(TEXT_FIELDS)}", found=line[:60])
    return str(texts[0])


def _words(text: str, span: Span) -> int:
    return len(tokens(text[span.start : span.end]))


def _sentences(text: str, span: Span) -> list[Span]:
    found = [Span(*match.span()) for match in _SENTENCE.finditer(text, span.start, span.end)]
    return [one for one in found if _words(text, one) <= MOST]


def _joined(text: str, pieces: Sequence[Span]) -> list[Span]:
    """Join neighbours while they are not too long together."""
    joined: list[Span] = []
    for piece in pieces:
        both = Span(joined[-1].start, piece.end) if joined else piece
        if joined and _words(text, both) <= MOST:
            joined[-1] = both
        else:
            joined.append(piece)
    return joined


def without_tags(markup: str) -> str:
    """Return the text of an HTML page, its blocks as paragraphs."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n\n".join(line for line in lines if line)


class _Text(HTMLParser):
    """Collects what a reader of the page sees."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the parser's signature
        self._unseen += tag in _UNSEEN
        self.parts += ["\n"] * (tag in _BLOCKS)

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        self.parts += ["\n"] * (tag in _BLOCKS)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data.replace("\n", " "))
