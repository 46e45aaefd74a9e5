"""From the configuration to a daemon that is ready to run.

The files here are the only readers of the configuration object; every constructor gets plain values.
"""

from edgeguard.runtime.assembly.governing import begin_anew, governed
from edgeguard.runtime.assembly.house import House

__all__ = ["House", "begin_anew", "governed"]
