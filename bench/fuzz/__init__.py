"""Requests of every kind, sent to a server that must answer each with a decision or a stable refusal."""
