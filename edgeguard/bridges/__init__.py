"""What devices tell, in the words of what people already run: Frigate's topics, Home Assistant's discovery.

Belongs here: pure mappings from EdgeGuard's messages to publications for others, and what they must remember.
Does not belong here: connections, threads, anything that a device does differently because of a bridge.
May import: types, alerts, client, clock, errors.
Called by: runtime, cli.
To add one, copy `home_assistant.py`; `bridge.py` says what a bridge is asked.
"""

from edgeguard.bridges.bridge import Bridge, Publication
from edgeguard.bridges.frigate import FrigateBridge
from edgeguard.bridges.home_assistant import HomeAssistantBridge

__all__ = ["Bridge", "FrigateBridge", "HomeAssistantBridge", "Publication"]
