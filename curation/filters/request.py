"""What somebody asked for in a few words, as the settings of the stage."""

from dataclasses import dataclass, fields
from typing import Any

from curation.filters.catalogue import CHECKS
from curation.filters.stage import Filter
from schemas.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRequest:
    """The checks to run, and how they differ from their defaults."""

    only: tuple[str, ...] = ()
    """Codes of the checks to run; none named: all."""
    skip: tuple[str, ...] = ()
    """Codes of checks not to run."""
    flag: tuple[str, ...] = ()
    """Codes of checks that flag."""
    reject: tuple[str, ...] = ()
    """Codes of checks that reject."""
    settings: tuple[str, ...] = ()
    """`NAME.FIELD=VALUE`, for thresholds and actions."""

    def stage(self) -> Filter:
        """Make the stage.

        Raises:
            InputError: an unknown check or setting, or a setting that cannot be read.
        """
        checks: dict[str, dict[str, Any]] = {name: {} for name in self.only}
        if self.only:
            checks |= {name: {"action": "off"} for name in CHECKS if name not in self.only}
        for action, names in (("flag", self.flag), ("reject", self.reject), ("off", self.skip)):
            for name in names:
                checks.setdefault(name, {})["action"] = action
        for name, field, value in map(_parsed, self.settings):
            checks.setdefault(name, {})[field] = value
        return Filter(checks=checks)


def _parsed(setting: str) -> tuple[str, str, Any]:
    """Split `NAME.FIELD=VALUE`; commas separate the values of a field that holds several."""
    path, equals, value = setting.partition("=")
    name, dot, field = path.strip().partition(".")
    if not (equals and dot and field):
        raise InputError(place="--set", expected="NAME.FIELD=VALUE", found=setting)
    several = name in CHECKS and any(
        one.name == field and isinstance(one.default, tuple)
        for one in fields(CHECKS[name])  # type: ignore[arg-type]  # every check is a dataclass; a Protocol cannot say so
    )
    return name, field, tuple(part.strip() for part in value.split(",")) if several else value.strip()
