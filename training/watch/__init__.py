"""Looks at a run while it goes on: measured on held-out records and prompts, written to disk, drawn on boards."""
