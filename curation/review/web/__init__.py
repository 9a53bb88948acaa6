"""The screens of a review: one process, no account, no network; every row is only ever text."""
