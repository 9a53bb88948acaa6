"""Finds records that a model is to be tested on, rejects them, and measures how well it would have found them."""
