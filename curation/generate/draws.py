"""Random numbers by name: a draw depends on what it is for, never on what was drawn before it.

A global stream starts anew when a run is resumed and runs differently at another concurrency. A stream named by run
seed, round and ordinal is the same whenever it is asked for.
"""

import random

from schemas.codec import sha256_of


def stream(*name: object) -> random.Random:
    """Return the random numbers called `name`."""
    return random.Random(int(sha256_of(list(name)), 16))  # noqa: S311  # draws examples, not secrets
