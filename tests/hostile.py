"""Texts that try to be more than text: in HTML, Markdown, YAML, a terminal."""

from html.parser import HTMLParser

HOSTILE = (
    "<script>alert(1)</script>",
    "</pre></title></style><svg onload=alert(1)>",
    "<img src=x onerror=alert(1)><iframe srcdoc='<script>alert(1)</script>'>",
    '" autofocus onfocus=alert(1) x="',
    "{{ 7 * 7 }}{% raw %}",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png) http://evil.example www.evil.example",
    "```\n````\n# heading\n---\n| a | b |\n",
    "---\nlicense: mit\nconfigs: []\n---\n",
    "a: [b, {c: d}]\n? x\n!!python/object/apply:os.system ['true']\n&a *a",
    "null",
    "~",
    "\u202etxt.exe\u202c \u200bhidden\u200b \u2066x\u2069 \ufeff \U000e0041",
    "bell\x07 escape\x1b[2J\x1b]0;title\x07 carriage\rreturn \x85 \u2028",
    "\\`*_{}[]<>()#+-.!|",
)


class Seen(HTMLParser):
    """Everything a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text between tags."""
        return "".join(self.words)


def dangers(page: str) -> list[str]:
    """Return whatever in a page could run, load or leave it."""
    seen = Seen(page)
    tags = {"script", "iframe", "object", "embed", "img", "link", "base", "form", "input", "audio", "video", "use", "a"}
    found = [tag for tag in seen.tags if tag in tags - {"a"}]
    for name, value in seen.attributes:
        if name.startswith("on") or name in ("src", "srcdoc", "style", "autofocus"):
            found.append(name)
        if name in ("href", "xlink:href") and not (value or "").startswith("#"):
            found.append(f"{name}={value}")
    return found
