"""Checks of one record, and the stage that applies them.

A check is a frozen dataclass: its fields are its thresholds, its call takes a record and returns nothing, a reason or a
repair, and the first line of its docstring says in plain words what is wrong. To add one: write the class in the file
of its family, and enter it in `curation.filters.catalogue.CHECKS`; the property tests then cover it.
"""
