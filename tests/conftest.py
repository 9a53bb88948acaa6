"""Tests reach no model hub, on any machine, and none has a limit in time: machines differ, and are busy."""

import os

from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
# Several workers share the cores: OpenMP's threads, which spin while they wait, would take them from each other
# (five times the time on two cores). Before anything loads torch; what is set outside stays.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
settings.register_profile("here", deadline=None)
settings.load_profile("here")
