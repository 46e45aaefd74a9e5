"""The centre's end: take what devices tell into a database, and only then say so.

Belongs here: the database, taking in and receipts, the audit for gaps and silence, the reading API.
Does not belong here: threads; the configuration object; what a device decides.
May import: types, alerts, client, clock, files, errors; SQLAlchemy, FastAPI, uvicorn.
Called by: runtime, cli.
To add one, copy `_Steps` in `writing.py`: what a message of a further kind leaves in the database.
"""
