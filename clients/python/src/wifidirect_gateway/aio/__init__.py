"""The client for asyncio.

It has the same methods as the blocking client and uses the types of `wifidirect_gateway`.
"""

from .client import Client, connect
from .sessions import HeldSession

__all__ = ["Client", "HeldSession", "connect"]
