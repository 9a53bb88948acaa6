"""Instruction/response pairs from a model: asked in deterministic rounds, journalled, gated, novel."""
