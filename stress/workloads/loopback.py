"""Connections on the loopback interface that can all be told to let go."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from ..errors import AbandonedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Loopback:
    """A listening socket, and every connection made to it. Any thread may call anything here.

    Raises:
        UnavailableError: this machine does not let us listen.

    """

    def __init__(self, backlog: int) -> None:
        try:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        except OSError as error:
            raise UnavailableError(f"no service on the loopback interface: {error}") from error
        self._address = self._listener.getsockname()
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()  # protects the list, and the order of letting go and coming in
        self._gone = False

    def accept(self) -> socket.socket:
        """Wait for a client.

        Raises:
            AbandonedError: everybody was let go.

        """
        with self._unless_gone():
            return self._keep(self._listener.accept()[0])

    def connect(self) -> socket.socket:
        """Become one.

        Raises:
            AbandonedError: everybody was let go.

        """
        with self._unless_gone():
            return self._keep(socket.create_connection(self._address))

    @contextlib.contextmanager
    def unless_lost(self) -> Iterator[None]:
        """Go on behind the block if the connection is lost in it.

        Raises:
            AbandonedError: it was lost because everybody was let go.

        """
        with contextlib.suppress(OSError), self._unless_gone():
            yield

    def let_go(self) -> None:
        """Wake everybody who waits, for good."""
        with self._lock:
            self._gone = True
            for each in (self._listener, *self._connections):
                _shut(each)

    def close(self) -> None:
        """Stop listening; connections are their users' to close."""
        self._listener.close()

    def _keep(self, connection: socket.socket) -> socket.socket:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small messages are not to wait for more
        with self._lock:
            self._connections = [each for each in self._connections if each.fileno() >= 0]
            self._connections.append(connection)
            if self._gone:
                _shut(connection)
        return connection

    @contextlib.contextmanager
    def _unless_gone(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            if self._gone:
                raise AbandonedError from None
            raise


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected any more
        each.shutdown(socket.SHUT_RDWR)
