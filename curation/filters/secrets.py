"""Keys, tokens and passwords. What is found is never quoted whole: a reason must not spread it."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.view import view
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason

_SHAPES = re.compile(
    r"(?P<AWS_key>\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)"
    r"|(?P<GitHub_token>\bgh[pousr]_[A-Za-z0-9]{36,251}\b|\bgithub_pat_[A-Za-z0-9_]{60,251}\b)"
    r"|(?P<Slack_token>\bxox[abposr]-(?:\d+-){1,3}[A-Za-z0-9]{16,64}\b)"
    r"|(?P<private_key>-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: "
    r"BLOCK)?-----\s+[A-Za-z0-9+/=:\-, ]{30,})"
    r"|(?P<web_token>\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{20,2000})"
    r"|(?P<Google_key>\bAIza[0-9A-Za-z_-]{35}\b)"
    r"|(?P<Stripe_key>\b[sr]k_live_[0-9A-Za-z]{20,250}\b)"
    r"|(?P<model_API_key>\bsk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{32,250}\b)"
    r"|(?P<Hub_token>\bhf_[A-Za-z0-9]{30,50}\b)"
)
_ASSIGNED = re.compile(
    r"\b(?:api[_-]?key|secret(?:[_-]?key)?|access[_-]?(?:key|token)|auth[_-]?token|passwd|password|private[_-]?key|client[_-]?secret)"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"'](?P<value>[A-Za-z0-9+/_=-]{16,120})[\"']",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"example|your|xxxx|test|demo|sample|placeholder|changeme|dummy|1234567|abcdef|fake|<|\.\.\.", re.IGNORECASE
)
SHOWN = 4
"""Characters of a secret that evidence shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretLeaked:
    """A field holds a key, a token or a password that looks real.

    Known shapes (AWS, GitHub, Slack, Google, Stripe, Hugging Face, API keys of model providers, JSON web tokens,
    private keys), and values of high entropy given to a name such as `api_key`. Examples ("your_api_key", AWS's own
    AKIAIOSFODNN7EXAMPLE) pass. Source: the key formats that their issuers document; modelbrew's secret rules.
    """

    code: ClassVar[str] = "secret_leaked"
    action: ClassVar[str] = "reject"
    min_entropy: float = 3.5
    """Least entropy, in bits a character, of a value given to a name that says it is secret."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason that names the kind and shows the first characters."""
        if not view(record).long_token:
            return None
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            if reason := self._shaped(field, text) or self._assigned(field, text):
                return reason
        return None

    def _shaped(self, field: str, text: str) -> Reason | None:
        for match in _SHAPES.finditer(text):
            if not _EXAMPLE.search(match.group()):
                return self._reason(field, (match.lastgroup or "").replace("_", " "), match.group(), match.span())
        return None

    def _assigned(self, field: str, text: str) -> Reason | None:
        for match in _ASSIGNED.finditer(text):
            value = match["value"]
            mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
            if mixed and entropy(value) >= self.min_entropy and not _EXAMPLE.search(value):
                return self._reason(field, "assigned secret", value, match.span("value"))
        return None

    def _reason(self, field: str, kind: str, value: str, span: tuple[int, int]) -> Reason:
        found = f"{kind}: {value[:SHOWN]}\u2026 ({len(value)} characters)"
        return Reason(code=self.code, field=field, found=found, limit="no secrets", span=span)


def entropy(text: str) -> float:
    """Return the entropy of the characters of `text`, in bits each."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
