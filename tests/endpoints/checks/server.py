"""The server that the checks ask."""

import atexit
import functools
import pathlib
import socket
import subprocess
import sys
import time

ENDPOINTS = pathlib.Path(__file__).resolve().parent.parent
UNCORRECTED = "--uncorrected" in sys.argv


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with status {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not listen")


@functools.cache
def server_url() -> str:
    """Where the server listens: it is started when first asked for, and serves all checks of this process."""
    port = free_port()
    command = ["-m", "moto.server", "-p"] if UNCORRECTED else [str(ENDPOINTS / "moto_server.py")]
    output = subprocess.DEVNULL if UNCORRECTED else None  # plain moto prints every request and its failures
    server = subprocess.Popen([sys.executable, *command, str(port)], stdout=output, stderr=output)

    def stop():
        server.terminate()
        server.wait(10)

    atexit.register(stop)  # not a cleanup of the tests: those are skipped when the output's reader goes away
    wait_until_listening(port, server)
    return f"http://127.0.0.1:{port}"
