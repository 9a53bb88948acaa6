"""Data about persons: addresses, numbers of phones, cards and accounts.

What has a checksum is held against it, and what is an example by design (example.com, 555-0100, test cards, private
networks) passes; that is what separates a find from any row of digits.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar

from curation.filters.findings import evidence
from curation.filters.view import view
from schemas.errors import InputError
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason

_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,18}\b")
_EXAMPLE_EMAIL = re.compile(
    r"example|sample|test|domain|company|email\.|your|yours?name|user|@(?:abc|xyz|mail|site|website|acme|business)\w*\.|"
    r"(?:john|jane)\W?(?:doe|smith)|^(?:info|support|contact|help|hello|sales|admin|hr|abc|xyz|name|someone|me|customer\w*|service\w*|"
    r"noreply|no-reply|press|jobs|careers|feedback|team|office)@",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.,/$-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]|[.,]\d)"
    r"|(?<![\w.,/$-])\+\d{1,3}(?:[ .-]?\d{2,4}){3,5}(?![\w-]|[.,]\d)"
)
_CARD = re.compile(r"(?<![\w.,-])(?:\d{4}[ -]){3}\d{1,7}(?![\w-]|[.,]\d)|(?<![\w.,-])\d{13,19}(?![\w-]|[.,]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_ROUTING = re.compile(r"\b(?:routing|aba|transit)\b[^\d\n]{0,30}(\d{9})\b", re.IGNORECASE)
_SOCIAL = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_EXAMPLE_SOCIAL = frozenset({"078-05-1120", "123-45-6789", "987-65-4321"})
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")

_ASCENDING = "01234567890123456789"
TEST_CARDS = frozenset((
    "4111111111111111", "4242424242424242", "5555555555554444", "5105105105105100", "4012888888881881",
    "4000000000000002", "378282246310005", "371449635398431", "6011111111111117", "6011000990139424", "30569309025904",
    "3530111333300000",
))  # fmt: skip
"""Numbers that card networks give out for tests."""
_WELL_KNOWN_IPS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "1.2.3.4"})
_CARD_STARTS = ("4", "5", "34", "37", "35", "36", "38", "30", "6", "2")


def luhn(digits: str) -> bool:
    """Say whether digits satisfy the checksum of payment cards (ISO/IEC 7812)."""
    total = sum(int(one) for one in digits[-1::-2]) + sum(sum(divmod(2 * int(one), 10)) for one in digits[-2::-2])
    return total % 10 == 0


def iban(text: str) -> bool:
    """Say whether an account number satisfies mod 97 (ISO 13616)."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def routing(digits: str) -> bool:
    """Say whether nine digits satisfy the checksum of US bank routing numbers (weights 3, 7, 1)."""
    weighted = sum(int(one) * weight for one, weight in zip(digits, (3, 7, 1) * 3, strict=True))
    return weighted % 10 == 0 and digits[:2] <= "32" and digits != "0" * 9


def _invented(digits: str) -> bool:
    """Say whether a row of digits is one that people make up: 1234567, 1111111."""
    return len(set(digits)) <= 2 or digits[-7:] in _ASCENDING or digits[-7:] in _ASCENDING[::-1]  # noqa: PLR2004  # "1010"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _phone(text: str) -> bool:
    digits = _digits(text)
    return 10 <= len(digits) <= 15 and "555" not in digits[:-4] and not _invented(digits) and digits[:3] != "123"  # noqa: PLR2004  # E.164


def _card(text: str) -> bool:
    digits = _digits(text)
    real = digits.startswith(_CARD_STARTS) and digits not in TEST_CARDS and not _invented(digits)
    return 13 <= len(digits) <= 19 and real and "0000" not in digits[4:] and luhn(digits)  # noqa: PLR2004  # ISO/IEC 7812


def _account(text: str) -> bool:
    bare = text.replace(" ", "")
    return 15 <= len(bare) <= 34 and iban(bare) and not _invented(bare[4:])  # noqa: PLR2004  # ISO 13616


def _public(text: str) -> bool:
    try:
        return ip_address(text).is_global and text not in _WELL_KNOWN_IPS and not text.endswith((".0", ".0.1"))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of personal data: how it looks, and whether a look-alike is one."""

    shape: re.Pattern[str]
    holds: Callable[[str], bool]
    needs: tuple[bytes, ...]
    """What the shape of a text must hold one of for it to be looked for: digits are 0, letters a, the rest blanks."""


KINDS: Mapping[str, _Kind] = {
    "email": _Kind(_EMAIL, lambda text: not _EXAMPLE_EMAIL.search(text), (b"@",)),
    "card": _Kind(_CARD, _card, (b"0000 0000 0000", b"0" * 13)),
    "iban": _Kind(_IBAN, _account, (b"aa00 ", b"aa000", b"aa00aa")),
    "us_bank_routing": _Kind(_ROUTING, lambda text: routing(text[-9:]), (b"0" * 9,)),
    "us_social_security": _Kind(_SOCIAL, lambda text: text not in _EXAMPLE_SOCIAL, (b"000 00 0000",)),
    "phone": _Kind(_PHONE, _phone, (b"000 0000", b"+0")),
    "ip": _Kind(_IP, _public, (b"0 0",)),
}
"""What is looked for, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """A field holds what may belong to a person: an e-mail address, a phone, card or account number, a public IP.

    Checksums: Luhn for cards, mod 97 for IBANs, 3-7-1 for US routing numbers. A flag, because a company's own number is
    no secret. An IP address is seen where one of its parts has three digits. Source: modelbrew's
    checksummed rules; datatrove's e-mails and public addresses.
    """

    code: ClassVar[str] = "personal_data"
    action: ClassVar[str] = "flag"
    kinds: tuple[str, ...] = tuple(KINDS)
    """What is looked for; names in KINDS."""

    def __post_init__(self) -> None:
        """Refuse a kind that there is not."""
        for name in self.kinds:
            if name not in KINDS:
                raise InputError(place=self.code, field="kinds", expected=f"some of {', '.join(KINDS)}", found=name)

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first find, named by its kind."""
        shape = view(record).shape
        if b"000" not in shape and b"@" not in shape:  # that settles nearly every record
            return None
        likely = [name for name in self.kinds if any(part in shape for part in KINDS[name].needs)]
        for field in TEXT_FIELDS if likely else ():
            text = getattr(record, field)
            for kind, match in _found(text, likely):
                words = evidence(f"{kind}: {match.group()}")
                return Reason(code=self.code, field=field, found=words, limit="no personal data", span=match.span())
        return None


def _found(text: str, kinds: Iterable[str]) -> Iterator[tuple[str, re.Match[str]]]:
    for name in kinds:
        kind = KINDS[name]
        yield from ((name, match) for match in kind.shape.finditer(text) if kind.holds(match.group()))
