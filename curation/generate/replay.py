"""What was asked for, written down beside the answers, so that they can be read again: `--reparse`.

A later request shows what earlier answers made. So a changed filter, parser or seed file changes what would be asked,
and the answers that were paid for would be left unused. Their proposals stand in `proposals.jsonl`: what each request
was for, and how its answer is to be read. A replay goes through them instead of making new ones; nothing is sent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.journal import drop_torn, whole_rows
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Shelf, Strategy, Turn
from schemas.codec import adapter, dumps, sha256_of
from schemas.errors import InputError

PROPOSALS = "proposals.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One proposal, and whose it was."""

    strategy: str
    turn: Turn
    proposal: Proposal


class Proposals:
    """The proposals of a journal. They cost nothing, so they are not seen to the disk one by one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PROPOSALS
        drop_torn(self._path)
        self._known = {sha256_of(row)[:16] for row in whole_rows(self._path)}

    def note(self, strategy: str, turn: Turn, proposal: Proposal) -> None:
        """Write a proposal down, once."""
        row = adapter(Noted).dump_python(Noted(strategy=strategy, turn=turn, proposal=proposal), mode="json")
        digest = sha256_of(row)[:16]
        if digest not in self._known:
            self._known.add(digest)
            with self._path.open("ab") as file:
                file.write(dumps(row) + b"\n")

    def noting(self, strategies: Mapping[str, Strategy]) -> Callable[[Strategy, Turn, Proposal], None]:
        """Return what notes a proposal of one of these strategies."""
        names = {id(strategy): name for name, strategy in strategies.items()}
        return lambda strategy, turn, proposal: self.note(names[id(strategy)], turn, proposal)

    def by_round(self) -> dict[int, list[Noted]]:
        """Return the proposals by round, in the order in which they were made.

        Raises:
            InputError: there are none: an earlier version did not note them, the same run once more does.
        """
        rounds: dict[int, list[Noted]] = {}
        for row in whole_rows(self._path):
            noted: Noted = adapter(Noted).validate_python(row)
            rounds.setdefault(noted.turn.round, []).append(noted)
        if not rounds:
            hint = "none: the run once more without --reparse notes them, and sends nothing that was answered"
            raise InputError(place=self._path, expected="proposals", found=hint)
        return rounds


def nothing(strategy: Strategy, turn: Turn, proposal: Proposal) -> None:
    """Note nothing: it stands there already."""


class Nobody:
    """The endpoint of a run that sends nothing."""

    async def ask(self, request: Request) -> Answer:
        """Fail: nobody is to be asked."""
        raise AssertionError(f"{request.key} was sent")

    def close(self) -> None:
        """Let go nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A strategy whose next proposal is one that was made before."""

    strategy: Strategy
    proposal: Proposal

    def categories(self, seeds: object) -> tuple[str, ...]:  # noqa: ARG002  # the proposal has its category already
        """Return nothing: nobody chooses."""
        return ()

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:  # noqa: ARG002  # it was made before
        """Return the proposal."""
        return self.proposal

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return what the strategy makes of the answer now."""
        return self.strategy.read(proposal, answer)

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Have the draft finished, as far as there are answers."""
        return await self.strategy.finish(draft, shelf, endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A plan that goes through what was proposed before, by whichever settings."""

    strategies: Mapping[str, Strategy]
    rounds: Mapping[int, list[Noted]]

    def shares(self, shelf: Shelf) -> Mapping[str, float]:  # noqa: ARG002  # nobody's turn is decided
        """Return nothing: what was proposed is proposed again."""
        return {}

    def turns(self, shelf: Shelf) -> Iterator[tuple[Strategy, Turn]]:
        """Yield the turns of a round, in order."""
        for noted in self.rounds.get(shelf.round, ()):
            if noted.strategy not in self.strategies:
                raise InputError(
                    place="--reparse", field="strategy", expected=f"a mix with {noted.strategy}", found="one without it"
                )
            yield Replayed(strategy=self.strategies[noted.strategy], proposal=noted.proposal), noted.turn
