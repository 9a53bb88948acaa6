"""The shapes that curation and training have agreed on. Imports nothing heavy."""
