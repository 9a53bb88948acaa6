"""What is trained on: released records, read, encoded with their labels, cut into micro-batches."""
