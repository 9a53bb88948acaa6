"""What is on disk of a run: while it goes on, when it has ended, and read again."""
