"""dolly-train: fine-tunes a causal language model on exactly what was released, and shows what that bought."""
