"""What the status of an HTTP answer means for a request, and what its body says of an error."""

from collections.abc import Mapping
from typing import Any

from curation.generate.headers import Limits
from schemas.codec import loads

OK, REDIRECT, BROKEN_FROM = 200, 300, 500
UNAUTHORIZED = (401, 403)
HOPELESS = (401, 402, 403, 404, 405, 410)
"""Statuses that asking again cannot mend."""
TOO_MANY = 429
BUSY = (TOO_MANY, 503, 529)
"""Statuses that say: later."""
PASSING = (408, 409, 425)
"""Statuses besides 5xx that may be gone the next time."""
NO_MONEY = "insufficient_quota"
EMPTY_QUOTA = ("exceeded your current quota", "insufficient balance", "billing_hard_limit",
               "credit balance is too low", "insufficient credit", "out of credits", "quota_exhausted")  # fmt: skip
"""How providers say, often by a 429, that there is no money left."""


def is_empty_quota(said: str, limits: Limits) -> bool:
    """Say whether a 429 means that there is no money left; Gemini words a limit of the minute so, but says when."""
    said = said.lower()
    return NO_MONEY in said or (limits.wait_s is None and any(words in said for words in EMPTY_QUOTA))


def unsupported_in(error: object, params: Mapping[str, Any]) -> str:
    """Return which of the parameters an error says that the model does not take; empty: it is about something else."""
    if not isinstance(error, Mapping):
        return ""
    name = str(error.get("param"))
    return name if name in params and str(error.get("code")).startswith("unsupported") else ""


def error_in(content: bytes) -> Mapping[str, Any]:
    """Return the error that a body tells of, in whatever shape it comes."""
    try:
        body = loads(content)
    except ValueError:
        return {}
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error", body)
    return error if isinstance(error, Mapping) else {"message": error}
