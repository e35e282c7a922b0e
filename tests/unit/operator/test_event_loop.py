"""A connection that fails half-way must not take another connection's descriptor with it."""

import asyncio
import os
import socket
import ssl

import pytest

from hydatis.operator.event_loop import new_event_loop


async def _half_way(cancel: bool) -> tuple[int, int]:
    """Begin a TLS connection to a peer that never answers, or resets; the socket's number before and after."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        client.setblocking(False)
        number = client.fileno()
        peer, _ = server.accept()
        connecting = asyncio.ensure_future(
            loop.create_connection(
                asyncio.Protocol, sock=client, ssl=ssl.create_default_context(), server_hostname="localhost"
            )
        )
        await asyncio.sleep(0)
        if cancel:
            connecting.cancel()
        else:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.close()
        with pytest.raises((asyncio.CancelledError, OSError)):
            await connecting
        peer.close()
        await asyncio.sleep(0.05)
        return number, client.fileno()


@pytest.mark.parametrize("cancel", [True, False])
def test_the_descriptor_of_a_failed_connection_is_closed_once_and_by_the_loop(cancel: bool) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        number, left = runner.run(_half_way(cancel))
        assert left == -1, "the socket object must not close the number a second time"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
