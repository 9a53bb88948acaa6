"""What a check said, as a line for the person who looks at the record."""

from curation.reasons import describe
from schemas.record import Reason, Repair


def reason_words(reason: Reason) -> str:
    """Return a reason with its evidence as one line: what is wrong, where, what was found, what the limit was."""
    parts = [
        f"in {reason.field}" if reason.field else "",
        f"found {reason.found}" if reason.found else "",
        f"{limit_word(reason.limit)} {reason.limit}" if reason.limit else "",
        f"other record {reason.other}" if reason.other else "",
        *(f"{name.replace('_', ' ')} {score:.3g}" for name, score in reason.scores.items()),
    ]
    evidence = ", ".join(part for part in parts if part)
    words = describe(reason.code).removesuffix(".")
    return f"{words}: {evidence}" if evidence else words


def repair_words(repair: Repair) -> str:
    """Return a repair as one line: what was wrong and in which field."""
    return f"repaired in {repair.field}: {describe(repair.code).removesuffix('.')}"


def limit_word(limit: str) -> str:
    """Return the word that reads well before a limit: a number limits, words say what was expected."""
    return "limit" if limit[:1].isdigit() or limit.startswith(("<", ">", "=", "-", ".")) else "expected"
