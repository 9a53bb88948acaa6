"""`python -m curation.cli` is `dolly-data`."""

from curation.cli import main

main()
