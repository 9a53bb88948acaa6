"""A state on its way to the disk, while training goes on.

Between two steps the state is copied; a thread of each rank then writes its part and touches nothing but files. What
ranks do together (agree, wait) they do between steps, where all come by in the same order; so no message of training
ever meets one of saving. At the first border at which every rank has written its part the state is put in its place;
what went wrong is raised there. There is one copy at a time. Where memory does not suffice for it, training waits.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

from torch import Tensor

from schemas.errors import DollyError
from training.checkpoint.saved import Draft
from training.checkpoint.state import copied
from training.memory import grows_again, memory_left
from training.ranks.distributed import Ranks

USABLE = 0.9
"""Share of the memory that is left which copies may take."""


@dataclass(slots=True)
class Saving:
    """At most one state that is not in its place yet: every rank has the same one, or none has."""

    _draft: Draft | None = None
    _writing: "Future[None] | None" = None

    def begin(self, draft: Draft, tensors: Mapping[str, Tensor], log: Callable[[], bytes], *, copy: bool) -> None:
        """Write a copy of the tensors from now on, or themselves before this returns; all ranks come here together.

        Raises:
            DollyError: there is no space on the disk, as far as that is known by then.
        """
        self.settle()
        if draft.ranks.first:
            with _told(draft.folder):
                draft.begin()
        draft.ranks.wait()
        if copy:
            self._writing = _beside(partial(_write, draft, copied(tensors), log))
        else:
            _write(draft, tensors, log)
        self._draft = draft

    def is_going_on(self) -> bool:
        """Say whether this rank is still writing.

        Raises:
            DollyError: it could not.
        """
        if self._writing is None or not self._writing.done():
            return self._writing is not None
        self._writing.result()
        return False

    def publish(self) -> None:
        """Put the state in its place, when every rank has written its part; who is alone has done so already."""
        if self._draft and self._draft.ranks.first and self._draft.ranks.size > 1:
            with _told(self._draft.folder):
                self._draft.publish()
        self._draft = self._writing = None

    def settle(self) -> None:
        """Wait until the state is in its place; all ranks come here together.

        Raises:
            DollyError: it could not be written.
        """
        if self._draft is None:
            return
        if self._writing:
            self._writing.result()
        ranks = self._draft.ranks
        ranks.wait()  # every part is written
        self.publish()
        ranks.wait()  # nobody ends before it is in its place

    def give_up(self) -> None:
        """Wait until this rank writes no more; how that ends is not asked: something else has gone wrong."""
        if self._writing:
            wait([self._writing])


def has_room(tensors: Mapping[str, Tensor], ranks: Ranks) -> bool:
    """Say whether there is memory for copies of this and of what the other ranks of this machine have.

    What steps will need again is what they needed at most so far, and is not there to be taken.
    """
    copies = sum(one.nbytes for one in tensors.values()) * (ranks.here if ranks.sharded else 1)
    return copies + grows_again() * ranks.here <= USABLE * memory_left()


def _write(draft: Draft, tensors: Mapping[str, Tensor], log: Callable[[], bytes]) -> None:
    with _told(draft.folder):
        draft.write(tensors, log)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DollyError(f"{folder}: the state was not saved: {error.strerror or error}") from error


def _beside(work: Callable[[], None]) -> "Future[None]":
    """Begin a work in a thread of its own, for which a process that has to end at once does not wait."""
    outcome: Future[None] = Future()

    def do() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # whatever it was, who asks for the result is told
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    Thread(target=do, name="saving", daemon=True).start()
    return outcome
