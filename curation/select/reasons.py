"""The codes that a selection gives."""

BUDGET, ALIKE, ABOVE = "not_selected", "not_selected_alike", "score_above_limit"

SELECT_REASONS = {
    BUDGET: "The budget was spent on records that rank higher.",
    ALIKE: "A selected record that ranks higher asks for nearly the same.",
    ABOVE: "The score is above what it means anything for: an IFD above 1 says that the prompt misleads.",
}
"""Every code, in plain words."""
