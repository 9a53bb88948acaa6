"""The address of an endpoint, taken apart: what may be said of it, and what is secret."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from schemas.errors import EndpointError

UNQUOTED = "/:@?!$'()*,;"
"""Characters that stand in a query as they are."""
SECRET_FROM = 6
"""Characters from which a value of a query is taken out wherever it stands; a shorter one is no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an endpoint is, and what the address says besides."""

    place: str
    """Scheme and host, for people."""
    path: str
    host: str
    """Without its port."""
    query: str = ""
    """Is sent with every request, and never said: gateways take keys there."""
    user: str = ""
    password: str = ""

    @property
    def base(self) -> str:
        """What stands before every path."""
        return f"{self.place}{self.path}"

    def url(self, path: str) -> str:
        """Return the whole address of a path under this one."""
        mark = "&" if "?" in path else "?"
        return f"{self.base}{path}{mark}{self.query}" if self.query else f"{self.base}{path}"

    @property
    def params(self) -> dict[str, str]:
        """The query by name."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be said, in whatever way it may be written; the longest first."""
        values = [value for value in self.params.values() if len(value) >= SECRET_FROM]
        quoted = {way(value, safe) for value in values for way in (quote, quote_plus) for safe in ("", "/", UNQUOTED)}
        return tuple(sorted(filter(None, {self.password, self.query, *values, *quoted}), key=len, reverse=True))


def read_address(base_url: str) -> Address:
    """Take an address apart.

    Raises:
        EndpointError: no http address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = base_url.partition("?")[0].rpartition("@")[2]  # a key may stand in the rest
        raise EndpointError(f"--base-url {shown}: expected an address such as http://localhost:8000/v1")
    return Address(
        place=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        path=parts.path.rstrip("/"),
        host=parts.hostname,
        query=parts.query,
        user=parts.username or "",
        password=parts.password or "",
    )
