"""Free loopback ports. The kernel chooses; on Linux the choice stays reserved until it is closed.

A bound socket that does not listen keeps the port from being chosen again, for listening or for an outgoing connection,
while a server that sets SO_REUSEADDR (as Go does) can listen on it. So a restarted server finds its port free.
Elsewhere the socket is closed at once, and a conflict shows when the server starts; it is then tried again on other
ports.
"""

import socket
import sys

ADDRESS_IN_USE = "address already in use"
"""What a Go program says when its port is taken."""


class Port:
    """One TCP port on 127.0.0.1."""

    def __init__(self) -> None:
        reservation = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(("127.0.0.1", 0))
        self.number: int = reservation.getsockname()[1]
        self._reservation: socket.socket | None = reservation
        if sys.platform != "linux":
            self.close()

    def close(self) -> None:
        """Give the port up. Idempotent."""
        if self._reservation is not None:
            self._reservation.close()
            self._reservation = None
