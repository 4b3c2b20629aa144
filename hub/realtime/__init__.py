"""The live edge: log -> feed -> rooms -> sockets."""

from hub.realtime.server import Realtime

__all__ = ["Realtime"]
