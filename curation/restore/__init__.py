"""Puts rejected rows back."""
