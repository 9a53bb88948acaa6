"""Scores of records: how hard, how rich, and what a judge thinks; and how far scorers agree."""
