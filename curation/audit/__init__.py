"""Plants known defects in a copy of somebody's data, runs a recipe over it, and counts what the recipe catches.

A mutator makes a sound record defective in one known way. To add one: write the function in the file of its family, and
enter it in `curation.audit.catalogue.DEFECTS`; the property tests and the audit itself then cover it.
"""
