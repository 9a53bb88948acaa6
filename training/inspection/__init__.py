"""Back to the data: which records a model found strange or never learned."""
