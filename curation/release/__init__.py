"""A release: a folder that other tools load, which says how it came to be and proves that it is whole."""
