"""The normal form of a text: what novelty, duplicates and checks compare instead of the bytes."""

import unicodedata


def normal_form(text: str) -> str:
    """Return `text` casefolded, in Unicode NFKC, with every run of white space as one blank and none at the ends."""
    if not text.isascii():
        # casefolding can leave a text that NFKC changes once more; the outer NFKC makes the form its own normal form
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.casefold().split())
