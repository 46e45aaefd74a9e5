"""Decide and tell: observations become alerts, alerts reach the broker and none is lost on the way.

Belongs here: policy (cooldown, schedule, lives), wording, messages and their schemas, outbox, MQTT.
Does not belong here: how something was noticed; threads; the configuration object.
May import: types, clock, files, errors; paho and sqlite3 in their doors only, see `test_architecture.py`.
Called by: runtime, cli.
To add one, copy `_keyword` in `summary.py`: a new alert kind needs nothing else here.
"""
