"""Models side by side: the same questions, measures with intervals, judges, people."""
