"""The codes that dedupe gives."""

EXACT, NEAR = "duplicate_exact", "duplicate_near"

DUPLICATE_REASONS = {
    EXACT: "A better record has the same prompt and response, but for case and spacing.",
    NEAR: "A better record asks for the same.",
}
"""Every code, in plain words."""
