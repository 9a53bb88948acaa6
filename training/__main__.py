"""`python -m training` is `dolly-train`."""

from training.cli import main

main()
