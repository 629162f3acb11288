"""Campaigns of tools/faults.py: commands whose calls to the system fail, or that are killed, and what is left then."""
