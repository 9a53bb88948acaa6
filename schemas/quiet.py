"""Notes of other packages that say nothing to whoever runs a command."""

import logging

TALKATIVE = ("bitsandbytes",)
"""bitsandbytes warns, wherever it is imported, of a faster kernel that another package would bring."""


def quiet_packages() -> None:
    """Let them say what went wrong, and no more."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
