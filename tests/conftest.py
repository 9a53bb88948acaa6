"""Tests reach no model hub, on any machine, and have no time limits."""

import os

from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
settings.register_profile("here", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("here")
