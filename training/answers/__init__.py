"""Models that answer, and what a program can verify in an answer."""
