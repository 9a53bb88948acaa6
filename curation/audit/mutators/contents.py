"""Answers that are wrong, or hold what must not be in a data set, though they read well."""

import re
from dataclasses import replace
from random import Random

from curation.audit.host import Host, answering, asking, sentences
from schemas.record import InstructionRecord

SIMILAR = 0.5
"""Share of the words of a response that may stand in another one for the two to be about different things."""
NAMES = (
    "Maria Jensen",
    "David Okafor",
    "Laura Bennett",
    "Tom Whitfield",
    "Priya Nair",
    "Carlos Mendes",
    "Anna Kowalska",
)
INSULTS = (
    "Only an asshole would ask such a thing.",
    "Stop bothering me with this bullshit.",
    "What a bunch of retards.",
    "Do it yourself, you lazy bastard.",
    "People who like this are fucking idiots.",
)
MAILS = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com")
PYTHON, JSON = "Write a Python function called {name}.", "Give a small example of a JSON object with the key {name}."
CODES = (
    (PYTHON, "```python\ndef {name}(values):\n    total = 0\n    for value in values\n        total += value\n```"),
    (PYTHON, "```python\ndef {name}(text):\n    words = text.split(\n    return len(words)\n```"),
    (PYTHON, "```python\ndef {name}(size):\nif size > 0:\n    return size\n```"),
    (PYTHON, "```python\ndef {name}():\n    print('done)\n```"),
    (JSON, '```json\n{{"{name}": [1, 2, 3,, "next": null}}\n```'),
)  # fmt: skip
FUNCTIONS = ("count_words", "add_all", "first_of", "read_file", "total", "average", "find_longest", "merge")
_WORD = re.compile(r"[a-z]{4,}")


def swapped_response(host: Host) -> InstructionRecord | None:
    """The answer belongs to another question: rows slipped by one."""
    mine, theirs = (set(_WORD.findall(one.response.lower())) for one in (host.record, host.other))
    if not theirs or len(mine & theirs) > SIMILAR * min(len(mine), len(theirs)):
        return None
    return answering(host, host.other.response)


def broken_code(host: Host) -> InstructionRecord:
    """The answer is code that does not parse."""
    name, (asked, code) = host.rng.choice(FUNCTIONS), host.rng.choice(CODES)
    return asking(replace(host, record=answering(host, code.format(name=name))), asked.format(name=name), "")


def contact_left(host: Host) -> InstructionRecord:
    """Somebody's name, e-mail address and telephone number stand in the answer."""
    rng, name = host.rng, host.rng.choice(NAMES)
    mail = f"{name.lower().replace(' ', rng.choice('._'))}{rng.randint(1, 99)}@{rng.choice(MAILS)}"
    phone = f"+1 ({rng.randint(201, 989)}) {rng.randint(201, 998)}-{rng.randint(1000, 9999)}"
    return _with_sentence(host, f"For more, write to {name} at {mail} or call {phone}.")


def card_left(host: Host) -> InstructionRecord:
    """A card number that is valid by its check digit stands in the answer."""
    digits = luhn(f"4{host.rng.randint(10**13, 10**14 - 1)}")
    shown = host.rng.choice((" ", "-", "")).join(digits[at : at + 4] for at in range(0, 16, 4))
    return _with_sentence(host, f"The payment was made with card {shown}.")


def account_left(host: Host) -> InstructionRecord:
    """A bank account number (IBAN) that is valid by its check digits stands in the answer."""
    return _with_sentence(host, f"Please transfer the amount to {iban(host.rng)}.")


def secret_left(host: Host) -> InstructionRecord:
    """A key or password stands in the answer."""
    rng = host.rng
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    mixed = "".join(rng.choice(letters) for _ in range(36))
    form = rng.choice(
        (
            "AWS_ACCESS_KEY_ID=AKIA{upper}",
            "Authorization: Bearer ghp_{mixed}",
            "OPENAI_API_KEY=sk-proj-{mixed}{mixed}",
            "-----BEGIN RSA PRIVATE KEY-----\n{mixed}{mixed}\n-----END RSA PRIVATE KEY-----",
        )
    )
    return _with_sentence(host, form.format(mixed=mixed, upper=mixed[:16].upper()))


def insulted(host: Host) -> InstructionRecord:
    """An insult stands in the answer."""
    return _with_sentence(host, host.rng.choice(INSULTS))


def luhn(digits: str) -> str:
    """Return the digits followed by their check digit (ISO/IEC 7812-1)."""
    doubled = (int(one) * (2 if at % 2 == 0 else 1) for at, one in enumerate(reversed(digits)))
    return f"{digits}{-sum(one - 9 if one > 9 else one for one in doubled) % 10}"  # noqa: PLR2004  # two digits' sum


def iban(rng: Random) -> str:
    """Return a German account number with valid check digits (ISO 13616)."""
    account = "".join(str(rng.randrange(10)) for _ in range(18))
    check = 98 - int(f"{account}131400") % 97  # D is 13, E is 14
    return f"DE{check:02}{account}"


def _with_sentence(host: Host, sentence: str) -> InstructionRecord:
    """Return the answer with a sentence put between its own, or after them."""
    parts = sentences(host.record.response)
    if "\n" in host.record.response or len(parts) < 2:  # noqa: PLR2004  # nothing to stand between
        return answering(host, f"{host.record.response.rstrip()}\n{sentence}")
    at = host.rng.randrange(1, len(parts) + 1)
    return answering(host, " ".join([*parts[:at], sentence, *parts[at:]]))
