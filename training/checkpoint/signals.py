"""SIGINT and SIGTERM ask a run to save its state and end, instead of ending it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from training.checkpoint.resume import Keeper

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals after which a run saves what it has and ends."""


@contextmanager
def heeding_signals(keeper: Keeper) -> Iterator[None]:
    """Tell the keeper of SIGINT and SIGTERM instead of dying of them; a second SIGINT ends the run at once."""

    def tell(number: int, _: FrameType | None) -> None:
        if keeper.told and number == signal.SIGINT:
            raise KeyboardInterrupt
        keeper.told = True

    heeded = [one for one in STOPPING if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, tell) for one in heeded}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
