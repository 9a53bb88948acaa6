"""Finds out how often dedupe is right on somebody's own data, and which threshold makes it right often enough."""
