"""Hear what devices tell: each alert once, at its newest, and what is missing said out loud.

Belongs here: what any consumer needs: de-duplication, gaps, presence, corrected times, asking and answering.
Does not belong here: a database (collector), a screen (cli), another broker library (alerts).
May import: types, alerts, clock, errors.
Called by: collector, runtime, cli; dashboards of others.
To add one, copy `presence.py`: a pure state machine that is fed messages and answers with news.
"""

from edgeguard.alerts.link import Tls
from edgeguard.client.client import Client
from edgeguard.client.connect import connect, open_client
from edgeguard.client.news import ConnectionChanged, GapChanged, News, PresenceChanged, Told, ToldUnknown
from edgeguard.client.sequence import Gap

__all__ = [
    "Client",
    "ConnectionChanged",
    "Gap",
    "GapChanged",
    "News",
    "PresenceChanged",
    "Tls",
    "Told",
    "ToldUnknown",
    "connect",
    "open_client",
]
