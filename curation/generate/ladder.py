"""Which form of the output contract an endpoint keeps: asked of it once, at the start of a run, best form first.

An endpoint that answers 200 may still have ignored what it was told of the form. So the schema is tried on a question
that no model would answer with that schema by itself. The probes are requests like any other: they stand in the
journal, and a resumed run does not ask them again.
"""

import re
from dataclasses import replace

from curation.generate.contract import FORMS, Wanted
from curation.generate.endpoint import TRUNCATED, Answer, Endpoint, Message, Request
from curation.generate.forms import NONE
from curation.generate.limiter import ExhaustedError
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside

AUTO = "auto"
LADDER = ("schema", "json", "tool")
"""Forms that an endpoint has to prove, best first; `text` needs no proof."""
LAST = "text"
COUNT = 2
TOKENS = 160
QUESTION = "Good morning! How are you today?"
"""Nobody answers it with two items in JSON, unless a schema makes them."""
TASK = "Name two rivers."


def known_form(name: str) -> str:
    """Return the name of a form, or `auto`.

    Raises:
        InputError: there is no such form.
    """
    if name not in (AUTO, *FORMS):
        expected = f"one of {', '.join((AUTO, *FORMS))}"
        raise InputError(place="generate", field="output_form", expected=expected, found=name)
    return name


async def choose_form(endpoint: Endpoint, model: str, aside: Aside = SILENT) -> str:
    """Return the best form that the endpoint keeps, and leave aside what each form came to (`output_forms`)."""
    for form in LADDER:
        kept, found = await keeps(endpoint, model, form)
        aside.leave("output_forms", {"form": form, "kept": kept, "found": found})
        if kept:
            return form
    aside.leave("output_forms", {"form": LAST, "kept": True, "found": "needs nothing of the endpoint"})
    return LAST


async def keeps(endpoint: Endpoint, model: str, form: str) -> tuple[bool, str]:
    """Return whether an endpoint keeps a form, and what it answered, shortened.

    Raises:
        EndpointError: it cannot be used at all.
    """
    wanted = Wanted(form=form, count=COUNT)
    try:
        answer = await endpoint.ask(probe_of(model, wanted))
    except ExhaustedError as error:
        if not error.status:
            raise
        return False, str(error)
    return _is_in_form(wanted, answer), (answer.text or str(answer.body.get("error", "")))[:200]


def _is_in_form(wanted: Wanted, answer: Answer) -> bool:
    """Say whether an answer has the form; a small model's may be cut in its first item, which it never ends."""
    items = wanted.items(answer)
    cut = answer.finish_reason == TRUNCATED and re.match(r'\s*\{\s*"items"\s*:\s*\[', answer.text)
    return bool(items.closed or cut) and not any(piece.reason.code == NONE for piece in items.rest)


def probe_of(model: str, wanted: Wanted) -> Request:
    """Return the request that a form is tried by."""
    told = QUESTION if wanted.form == "schema" else f"{TASK} {wanted.words}"
    request = Request(model=model, messages=(Message("user", told),), params={"temperature": 0, "max_tokens": TOKENS})
    return replace(request, constraint=wanted.constraint)
