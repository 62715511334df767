"""Interlock: intent routers that are measured, gated, signed, and fail to a person."""
