"""Crash proofs of the event store: the real writer, its system calls recorded, cut off and made to fail."""
