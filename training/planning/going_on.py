"""A run that goes on from a saved state keeps what was chosen for it, though this machine may choose otherwise now."""

from collections.abc import Mapping
from dataclasses import replace

from training.config import Difference
from training.device import choose_dtype
from training.model.load import config_of
from training.planning.fitting import device_memory, settled
from training.planning.plan import Plan


def going_on(plan: Plan, saved: Mapping[str, str]) -> Plan:
    """Return the plan with the settings of a saved state where the request leaves them open, and where that matters.

    What the state does not depend on, as whether activations are computed again, is still this machine's choice.
    """
    own = plan.chosen
    other = {name: value for name, value in saved.items() if value != own[name]}
    if not other:
        return plan
    asked = replace(plan.config, recompute=plan.request.config.recompute, **other)  # type: ignore[arg-type]  # they were settings when they were saved
    dtype = choose_dtype(asked.dtype if "dtype" in other else plan.request.config.dtype, plan.device)
    config = settled(
        asked,
        plan.examples,
        shape=config_of(plan.base),
        vocabulary=len(plan.encoder.tokenizer),
        dtype=dtype,
        memory=device_memory(plan.device),
        devices=plan.request.devices,
    )
    kept = (
        Difference(name, f"{own[name]}, by what this machine has now", f"{value}, as in the saved state")
        for name, value in other.items()
    )
    return replace(plan, config=config, dtype=dtype, kept=tuple(kept))
