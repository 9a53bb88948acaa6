"""Chooses the best of the records within a budget, no two of them too alike, and draws controls of the same size."""
