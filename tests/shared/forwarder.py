"""A TCP forwarder on loopback that can be switched off: what is behind it is away, and keeps its state."""

import contextlib
import socket
from threading import Thread


class Forwarder:
    """Listens on a port of its own.

    Attributes:
        port: of its own.
        on: whether connections are passed on; off, each one is closed at once.
        refused: connections that were closed.
    """

    def __init__(self, port: int) -> None:
        """Start passing connections on to a port."""
        self._target, self.on, self.refused = port, True, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                if not self.on:
                    self.refused += 1
                    connection.close()
                    continue
                other = socket.create_connection(("127.0.0.1", self._target))
                for one, two in ((connection, other), (other, connection)):
                    Thread(target=self._pump, args=(one, two), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, two: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                two.sendall(data)
        for end in one, two:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
