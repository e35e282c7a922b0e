import socket
import sys

import pytest

from hydatis.sandbox.ports import Port


def test_ports_are_loopback_and_distinct() -> None:
    ports = [Port() for _ in range(20)]
    assert len({port.number for port in ports}) == 20
    for port in ports:
        port.close()


def test_a_server_can_listen_on_a_reserved_port() -> None:
    port = Port()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port.number))
        server.listen()
        with socket.create_connection(("127.0.0.1", port.number), timeout=5) as client:
            assert client.getpeername()[1] == port.number
    port.close()
    port.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is not reserved")
def test_a_reserved_port_refuses_connections_until_a_server_listens() -> None:
    port = Port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port.number), timeout=5)
    port.close()
