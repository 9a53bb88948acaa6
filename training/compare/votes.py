"""People's votes on blind pairs, with the key: which model they preferred, how surely, and what of that is length."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from schemas.codec import adapter, loads
from schemas.errors import InputError
from schemas.interval import wilson
from training.compare.blind import Key, KeyEntry
from training.compare.intervals import Estimate
from training.compare.preferences import Preference, Score, prefer
from training.compare.wording import preferred

Choice = Literal["left", "right", "tie", "skip"]
_SCORES: dict[Choice, float] = {"left": 0.0, "tie": 0.5, "right": 1.0}
"""Of the answer on the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What a person made of a ballot."""

    ballot: int
    vote: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """A person's file of votes."""

    kind: Literal["dolly-votes"]
    ballots: str
    voter: str
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What people made of a model and the first one."""

    name: str
    than: str
    preference: Preference | None
    """Over the prompts; of several votes on a prompt the mean counts."""
    by_category: Mapping[str, Preference]
    by_voter: Mapping[str, Preference]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What people made of all pairs."""

    contests: tuple[Contest, ...]
    voters: int
    votes: int
    """Without those that were skipped."""
    skipped: int
    ballots: int
    """That the page had."""
    same: int
    """Pairs that were not shown, because both answers were equal."""
    left: Estimate | None
    """Share of the decided votes that went to the left side; far from a half, people did not read both."""
    agreement: Estimate | None
    """Of two votes on the same ballot, how often they were equal; None where nobody voted on another's."""


def tally(votes: Sequence[Path], key: Path) -> Tally:
    """Count votes.

    Raises:
        InputError: a file that is not what it should be, votes on other ballots, two files of one voter.
    """
    unlocked: Key = _read(key, Key, "the key that --blind wrote")
    files = _named([(path, _read(path, Voted, "votes that the blind page exported")) for path in votes], unlocked)
    entries = {one.number: one for one in unlocked.entries}
    cast = [(name, entries[one.ballot], one.vote) for name, file in files.items() for one in file.votes]
    counted = [one for one in cast if one[2] != "skip"]
    others = dict.fromkeys(name for one in unlocked.entries for name in (one.left, one.right) if name != unlocked.first)
    return Tally(
        contests=tuple(_contest(name, unlocked.first, counted) for name in others),
        voters=len(files),
        votes=len(counted),
        skipped=len(cast) - len(counted),
        ballots=len(entries),
        same=unlocked.same,
        left=_share([vote == "left" for _, _, vote in counted if vote != "tie"]),
        agreement=_agreement(counted),
    )


Cast = tuple[str, KeyEntry, Choice]
"""Who voted, on which ballot, and what."""


def _contest(name: str, than: str, cast: Sequence[Cast]) -> Contest:
    mine = [one for one in cast if name in (one[1].left, one[1].right)]
    overall = _preference(mine, name, "")
    return Contest(
        name=name,
        than=than,
        preference=overall,
        by_category=_each(mine, name, lambda one: one[1].category),
        by_voter=_each(mine, name, lambda one: one[0]),
        sentence=preferred(name, than, overall, "prompts"),
    )


def _each(cast: Sequence[Cast], name: str, of: Callable[[Cast], str]) -> dict[str, Preference]:
    groups = dict.fromkeys(filter(None, map(of, cast)))
    found = {group: _preference([one for one in cast if of(one) == group], name, group) for group in groups}
    return {group: one for group, one in found.items() if one}


def _preference(cast: Sequence[Cast], name: str, label: str) -> Preference | None:
    """Sum up votes, one score a ballot: of several voters the mean."""
    by_ballot: dict[int, list[float]] = {}
    extra: dict[int, int] = {}
    for _, entry, vote in cast:
        is_right = entry.right == name
        by_ballot.setdefault(entry.number, []).append(_SCORES[vote] if is_right else 1 - _SCORES[vote])
        longer = entry.right_words - entry.left_words
        extra[entry.number] = longer if is_right else -longer
    scores = [Score(sum(found) / len(found), extra[number]) for number, found in sorted(by_ballot.items())]
    return prefer(scores, f"votes/{name}/{label}")


def _agreement(cast: Sequence[Cast]) -> Estimate | None:
    by_ballot: dict[int, list[Choice]] = {}
    for _, entry, vote in cast:
        by_ballot.setdefault(entry.number, []).append(vote)
    return _share([one == other for found in by_ballot.values() for one, other in combinations(found, 2)])


def _share(hits: Iterable[bool]) -> Estimate | None:
    found = list(hits)
    if not found:
        return None
    return Estimate(sum(found) / len(found), *wilson(sum(found), len(found)), units=len(found))


def _named(files: Sequence[tuple[Path, Voted]], key: Key) -> dict[str, Voted]:
    """Return the files by voter; who gave no name is called after the file.

    Raises:
        InputError: votes on other ballots, or on one that the key does not have, or two files of one voter.
    """
    numbers = {one.number for one in key.entries}
    named: dict[str, Voted] = {}
    for path, file in files:
        if file.ballots != key.ballots:
            raise InputError(place=path, field="ballots", expected=key.ballots[:16], found=file.ballots[:16])
        ballots = [one.ballot for one in file.votes]
        if not numbers.issuperset(ballots) or len(set(ballots)) < len(ballots):
            raise InputError(place=path, field="votes", expected="each ballot of the key at most once", found="others")
        name = file.voter or path.stem
        if name in named:
            raise InputError(place=path, field="voter", expected="each voter once", found=f"{name} twice")
        named[name] = file
    return named


def _read(path: Path, shape: Any, expected: str) -> Any:
    try:
        value = loads(path.read_bytes())
    except OSError as error:
        raise InputError(place=path, expected=expected, found=error.strerror or str(error)) from error
    except ValueError as error:
        raise InputError(place=path, expected=expected, found=str(error)) from error
    try:
        return adapter(shape).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(place=path, field=field, expected=expected, found=first["msg"]) from error
