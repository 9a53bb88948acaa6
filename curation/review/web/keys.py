"""The keys, and the buttons and links that they press: whatever a key does can be clicked too."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key as it is before a reviewer changes it."""

    key: str
    words: str
    group: str = "Decide"


ACTIONS: Mapping[str, Key] = {
    "accept": Key(key="a", words="Accept"),
    "reject": Key(key="x", words="Reject, then the key of a reason"),
    "edit": Key(key="e", words="Edit"),
    "flag": Key(key="f", words="Flag for later"),
    "skip": Key(key="s", words="Skip"),
    "undo": Key(key="u", words="Undo the last decision"),
    "next": Key(key="j", words="Next row", group="Move"),
    "previous": Key(key="k", words="Row before", group="Move"),
    "home": Key(key="h", words="Overview", group="Move"),
    "search": Key(key="/", words="Search", group="Move"),
    "neighbours": Key(key="n", words="Neighbours", group="Look"),
    "diff": Key(key="d", words="Differences, word by word", group="Look"),
    "guidelines": Key(key="g", words="Guidelines", group="Look"),
    "help": Key(key="?", words="Keys", group="Look"),
}
"""Action → its key; an element with `data-press="ACTION"` is what the key clicks."""


def help_groups() -> dict[str, dict[str, Key]]:
    """Return the keys by group."""
    groups: dict[str, dict[str, Key]] = {}
    for name, key in ACTIONS.items():
        groups.setdefault(key.group, {})[name] = key
    return groups
