"""Text to decision, with whatever scorer a bundle holds. Knows nothing of training, files' origins or HTTP."""
