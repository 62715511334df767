"""Labelled rows in, findings out: what is wrong with the data and what to do. Knows no model that will serve."""

from interlock.data.audit.finding import Finding
from interlock.data.audit.run import Audit, audit

__all__ = ["Audit", "Finding", "audit"]
