"""Finds the records that say again what a better record says, and names that record."""
