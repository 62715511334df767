"""A decision over HTTP: server, worker processes, limits, metrics; the only room with a web server. Knows no models."""
