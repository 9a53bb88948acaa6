"""What the makers of models allow with what their models write."""
