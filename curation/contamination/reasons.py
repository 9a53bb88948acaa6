"""The code that decontamination gives."""

CONTAMINATED = "contaminated"

CONTAMINATION_REASONS = {CONTAMINATED: "A text that models are tested on stands in the record."}
"""Every code, in plain words."""
