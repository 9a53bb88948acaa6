"""Every reason code and what it says in plain words, gathered from where the codes are given."""

from collections.abc import Mapping
from functools import cache

REVIEW_REASONS = {
    "reviewer_rejected": "A person looked at the record and rejected it.",
    "reviewer_edited": "A person looked at the record and corrected it.",
}
"""Every code that a review can give, in plain words; here, because reviews show reasons themselves."""


def describe(code: str) -> str:
    """Return a reason code in plain words; an unknown one as its own words."""
    return known().get(code, code.replace("_", " "))


@cache
def known() -> Mapping[str, str]:
    """Return every code that a step of ours can give, the nulls of scores among them, with its sentence."""
    # Imported here: codes are needed where one is printed, not before.
    from curation.contamination.reasons import CONTAMINATION_REASONS  # noqa: PLC0415
    from curation.dedupe.reasons import DUPLICATE_REASONS  # noqa: PLC0415
    from curation.filters.catalogue import CHECKS  # noqa: PLC0415
    from curation.filters.survey import SURVEY_REASONS  # noqa: PLC0415
    from curation.generate.gates import REASONS as GENERATE_REASONS  # noqa: PLC0415
    from curation.restore.source import RESTORE_REASONS  # noqa: PLC0415
    from curation.score.reasons import SCORE_REASONS  # noqa: PLC0415
    from curation.select.reasons import SELECT_REASONS  # noqa: PLC0415
    from schemas.formats import ROW_REASONS  # noqa: PLC0415

    checks = {code: says(check) for code, check in CHECKS.items()}
    return {
        **checks,
        **ROW_REASONS,
        **GENERATE_REASONS,
        **SURVEY_REASONS,
        **DUPLICATE_REASONS,
        **CONTAMINATION_REASONS,
        **REVIEW_REASONS,
        **RESTORE_REASONS,
        **SCORE_REASONS,
        **SELECT_REASONS,
    }


def says(shape: type) -> str:
    """Return the first line of a class's docstring: what is wrong, in plain words."""
    return (shape.__doc__ or "").strip().splitlines()[0]
