"""The house keeper: threads, channels, health, and the wiring.

Belongs here: stages, their threads and what happens when they fail; assembly from the configuration.
Does not belong here: anything that could be said without a thread (it has its own room).
May import: everything but cli.
Called by: cli.
To add one, copy `sources.py` and give it a line in `assembly/`.
"""
