"""The codes that a selection gives."""

BUDGET, ALIKE = "not_selected", "not_selected_alike"

SELECT_REASONS = {
    BUDGET: "The budget was spent on records that rank higher.",
    ALIKE: "A selected record that ranks higher asks for nearly the same.",
}
"""Every code, in plain words."""
