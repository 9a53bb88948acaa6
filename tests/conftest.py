"""Tests reach no model hub, on any machine."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
