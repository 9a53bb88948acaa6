"""A page to vote on without knowing which model said what, and the key to it in a file of its own.

Every other model is set against the first. Ballots come in an order of their own, and which side a model stands on
is balanced over all ballots and each category. Nothing on the page (text, order, numbers, attributes) depends on which
answer is whose; of the answers themselves only what they say can tell. What the seed decides depends on all answers
too, so that the usual seed does not give the key away.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import orjson

from schemas.codec import sha256_of
from schemas.errors import InputError
from training.answers.respond import Prompt
from training.answers.rules.counts import words_of
from training.compare.comparison import Comparison, ModelResult
from training.compare.intervals import counter
from training.markup import template, write_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A prompt and two answers, as the page shows them."""

    number: int
    prompt: Prompt
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """Which answers a ballot held."""

    number: int
    prompt: str
    """Id or title."""
    category: str
    left: str
    """A model's name, as on the right."""
    right: str
    left_words: int
    right_words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a page of ballots does not say."""

    ballots: str
    """sha256 of what stands on the page, which carries it too."""
    first: str
    """The model that the others are set against."""
    entries: tuple[KeyEntry, ...]
    same: int
    """Pairs of answers that were equal, word for word, and were not shown."""


class Written(NamedTuple):
    """The files of a blind vote."""

    page: Path
    key: Path
    ballots: int


class _Pair(NamedTuple):
    prompt: Prompt
    name: str
    category: str
    models: tuple[str, str]
    texts: tuple[str, str]


def write_ballots(comparison: Comparison, page: Path, seed: int) -> Written:
    """Write `PAGE.blind.html`, to vote on, and `PAGE.key.json`, to keep from the voters.

    Raises:
        InputError: fewer than two models, or answers that are all the same.
        DollyError: the files cannot be written.
    """
    ballots, key = make_ballots(comparison, seed)
    written = Written(page.with_suffix(".blind.html"), page.with_suffix(".key.json"), len(ballots))
    plain = orjson.dumps(asdict(key), option=orjson.OPT_INDENT_2) + b"\n"
    write_files({written.page: ballots_html(ballots, key.ballots).encode(), written.key: plain})
    return written


def make_ballots(comparison: Comparison, seed: int) -> tuple[tuple[Ballot, ...], Key]:
    """Return the ballots in the order of the page, and their key.

    Raises:
        InputError: fewer than two models, or answers that are all the same.
    """
    first, *others = comparison.results
    if not others:
        raise InputError(place="--blind", expected="two models at least", found="one")
    pairs = [pair for other in others for pair in _pairs(comparison, first, other)]
    shown = [pair for pair in pairs if pair.texts[0] != pair.texts[1]]
    if not shown:
        raise InputError(place="--blind", expected="answers that differ", found=f"{len(pairs)} pairs of equal ones")
    placed = _placed(shown, f"blind/{seed}/{sha256_of([pair.texts for pair in pairs])}")
    ballots = tuple(
        Ballot(number=number, prompt=pair.prompt, left=pair.texts[0], right=pair.texts[1])
        for number, pair in enumerate(placed, 1)
    )
    key = Key(
        ballots=sha256_of([[one.number, one.prompt.instruction, one.left, one.right] for one in ballots]),
        first=first.name,
        entries=tuple(_entry(number, pair) for number, pair in enumerate(placed, 1)),
        same=len(pairs) - len(shown),
    )
    return ballots, key


def ballots_html(ballots: Sequence[Ballot], digest: str) -> str:
    """Return the page to vote on: one file, one script whose hash its policy names, nothing loaded."""
    script = files("training").joinpath("templates/blind.js").read_text(encoding="utf-8")
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return template("blind.html.j2").render(ballots=ballots, digest=digest, script=script, script_hash=hashed)


def _pairs(comparison: Comparison, first: ModelResult, other: ModelResult) -> list[_Pair]:
    return [
        _Pair(one.prompt, one.id or one.title, one.category, (first.name, other.name), (a.text, b.text))
        for one, a, b in zip(comparison.questions, first.answers, other.answers, strict=True)
    ]


def _placed(pairs: Sequence[_Pair], label: str) -> list[_Pair]:
    """Turn every second pair around, category by category, beginning by chance; then put all in an order by chance."""
    random = counter(label)
    by_chance = random.permutation(len(pairs))
    grouped = sorted(by_chance.tolist(), key=lambda place: (pairs[place].models, pairs[place].category))
    begin = int(random.integers(2))
    sides = [_turned(pairs[place]) if (rank + begin) % 2 else pairs[place] for rank, place in enumerate(grouped)]
    return [sides[place] for place in random.permutation(len(sides)).tolist()]


def _turned(pair: _Pair) -> _Pair:
    return pair._replace(models=(pair.models[1], pair.models[0]), texts=(pair.texts[1], pair.texts[0]))


def _entry(number: int, pair: _Pair) -> KeyEntry:
    return KeyEntry(
        number=number,
        prompt=pair.name,
        category=pair.category,
        left=pair.models[0],
        right=pair.models[1],
        left_words=len(words_of(pair.texts[0])),
        right_words=len(words_of(pair.texts[1])),
    )
