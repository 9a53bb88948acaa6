"""A run as others read it: its curves, its page, its card."""
