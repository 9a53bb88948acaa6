"""How results read on a terminal, or as JSON lines for programs."""
