"""An OpenAI-compatible endpoint on loopback: it costs nothing, fails on request, and keeps a ledger."""
