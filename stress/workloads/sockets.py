"""An echo service on the loopback interface: the system writes into blocks, and reads from them.

Each client sends the contents of a block, each server receives them into a block of its own, with one thread a
connection, and sends them back from there; the client receives them into a second block. What a block holds in the end
must be, byte for byte, what the referee once put into the first: so the oracle reaches through the system.
"""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Any, Final

from ..allocators.protocol import ANYTHING
from ..errors import UnavailableError
from ..pattern import view
from .loopback import Loopback
from .model import Workload

if TYPE_CHECKING:
    import socket

    from ..client import Client, Held
    from ..stage import Stage

SMALLEST: Final = 64
LARGEST: Final = 1 << 16
"""Bytes of a message; every order of magnitude in between is as likely."""
ALIGNMENTS: Final = (ANYTHING, 128, 512, 4096)
"""Of a client's blocks: two cache lines, a sector, a page."""
HEADER: Final = struct.Struct("!QQ")
"""Before each message: how long it is, and where its contents begin in the noise."""
END: Final = HEADER.pack(0, 0)
"""A client's last word, and the answer to it: only then is it certain that a server has heard it."""


class Peer:
    """One end of connections, and the blocks it has in hand."""

    def __init__(self, stage: Stage[Any], loopback: Loopback) -> None:
        self._stage = stage
        self._loopback = loopback
        self._held: list[Held[Any]] = []  # a lost connection, or a thread that died, leaves them to be freed

    def _allocate(self, client: Client[Any], size: int, alignment: int = ANYTHING) -> Held[Any] | None:
        held = client.allocate(size, alignment)
        if held is not None:
            self._held.append(held)
        return held

    def _free(self, client: Client[Any]) -> None:
        while self._held:
            client.free(self._held.pop())


class Server(Peer):
    """Serves one connection after another."""

    def work(self, client: Client[Any]) -> None:
        """Until a client has said that it will not come again."""
        while True:
            self._free(client)
            connection = self._loopback.accept()
            with self._loopback.unless_lost(), connection:
                while self._echo(client, connection):
                    pass
                connection.sendall(END)
                return

    def _echo(self, client: Client[Any], connection: socket.socket) -> bool:
        header = bytearray(HEADER.size)
        _fill(connection, memoryview(header))
        if header == END:
            return False
        size, start = HEADER.unpack(header)
        held = self._allocate(client, size)
        if held is None:
            raise ConnectionAbortedError
        client.check(held, "is about to receive")
        _receive(connection, held, start)
        client.check(held, "has received")
        connection.sendall(_memory(held))
        self._free(client)
        return True


class Asker(Peer):
    """Sends messages, and looks at what comes back."""

    def __init__(self, stage: Stage[Any], loopback: Loopback, number: int) -> None:
        super().__init__(stage, loopback)
        self._numbers = stage.random("sockets", number)
        self._asked = False

    def work(self, client: Client[Any]) -> None:
        """Ask until the time is up, at least once; connect again where the server is lost."""
        while True:
            self._free(client)
            connection = self._loopback.connect()
            with self._loopback.unless_lost(), connection:
                while self._stage.going or not self._asked:
                    self._asked = True
                    self._ask(client, connection)
                connection.sendall(END)
                _fill(connection, memoryview(bytearray(HEADER.size)))
                return

    def _ask(self, client: Client[Any], connection: socket.socket) -> None:
        size = self._stage.scaled(round(SMALLEST * (LARGEST / SMALLEST) ** self._numbers.random()))
        sent, echoed = (self._allocate(client, size, self._numbers.choice(ALIGNMENTS)) for _ in range(2))
        if sent is not None and echoed is not None:
            connection.sendall(HEADER.pack(size, sent.start))
            connection.sendall(_memory(sent))
            _receive(connection, echoed, sent.start)
            client.check(echoed, "has come back")
        self._free(client)


def _memory(held: Held[Any]) -> memoryview:
    """A block's bytes, which must not be touched once it is freed."""
    return view(held.address, held.size)


def _receive(connection: socket.socket, held: Held[Any], start: int) -> None:
    """Have the system overwrite a block with contents that begin at ``start`` in the noise."""
    _fill(connection, _memory(held))
    held.start = start


def _fill(connection: socket.socket, memory: memoryview) -> None:
    while memory:
        received = connection.recv_into(memory)
        if not received:
            raise ConnectionResetError
        memory = memory[received:]


def play(stage: Stage[Any]) -> None:
    """A server and a client for each thread there is to be."""
    if not stage.allocator.has_memory:
        raise UnavailableError("the system cannot receive into addresses without memory")
    with contextlib.closing(Loopback(stage.threads)) as loopback:
        stage.on_abort(loopback.let_go)
        stage.play(
            *(Server(stage, loopback).work for _ in range(stage.threads)),
            *(Asker(stage, loopback, number).work for number in range(stage.threads)),
        )


WORKLOAD: Final = Workload(
    "sockets",
    "an echo service on the loopback interface, receiving into blocks, one thread a connection",
    "our own: what a network server does",
    play,
)
