"""The keys that label pairs, the same in a terminal and in a browser."""

from collections.abc import Mapping

LABEL_KEYS: Mapping[str, str] = {"s": "same", "d": "distinct"}
"""Key → the label that it gives."""
SKIP, UNDO, QUIT = "n", "u", "q"
"""Show the next pair and leave this one for later; take the last label back; stop."""
