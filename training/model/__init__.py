"""The model and what is done to it before it learns: loaded, given keys, adapted, quantised, packed, its loss."""
