"""The client for asyncio: the same as the blocking one of `wifidirect_gateway`, awaited. All types are there."""

from .client import Client, connect
from .sessions import HeldSession

__all__ = ["Client", "HeldSession", "connect"]
