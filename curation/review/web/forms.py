"""Reads what a form sends."""

from collections.abc import Mapping
from dataclasses import fields
from typing import cast, get_args
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from curation.review.desk import Act
from curation.review.events import DECIDING, Action
from curation.review.search import Wanted
from schemas.record import TEXT_FIELDS

MOST_BYTES = 32 << 20
"""Largest form: three texts of the largest row that validate reads."""
MOST_FIELDS = 100

Form = Mapping[str, list[str]]


async def read_form(request: Request) -> Form:
    """Return the fields of a form.

    Raises:
        HTTPException: too large, or not a form.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "The form is too large.")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "That is not a form.") from error


def one(form: Form, name: str) -> str:
    """Return a field's last value; empty where it is not there."""
    return form.get(name, [""])[-1]


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Return what a query looks for; what it does not know is left out."""
    return Wanted(**{one.name: query.get(one.name, "") for one in fields(Wanted)})


def act_of(form: Form) -> Act:
    """Return what a form says that is to be done about a row; a reason alone is a reject.

    Raises:
        HTTPException: no such action.
    """
    reasons = tuple(dict.fromkeys(reason for reason in form.get("reason", []) if reason))
    action = one(form, "action") or ("reject" if reasons else "")
    if action not in (*DECIDING, "flag", "skip") or action not in get_args(Action):
        raise HTTPException(400, "No such action.")
    return Act(
        action=cast("Action", action),
        reasons=reasons,
        severity=one(form, "severity"),
        note=one(form, "note"),
        # a form sends line breaks as CRLF; texts hold LF
        texts={name: one(form, name).replace("\r\n", "\n") for name in TEXT_FIELDS if name in form},
        ms=ms_of(form),
    )


def ms_of(form: Form) -> int | None:
    """Return how long the row was looked at, in milliseconds; None where no script said."""
    ms = one(form, "ms")
    return int(ms) if ms.isdigit() else None
