"""Starts the AWS endpoints on loopback, runs a command with them, ends them.

    python run.py COMMAND [ARGUMENT ...]

EC2, Auto Scaling, both load balancing APIs, Route 53 Resolver and VPC Lattice are moto's (with
tests/endpoints/corrections), the rest is ministack's (with ministack_server.py). The command finds them by the SDKs' own
variables, as any program would. Mails of SNS become text files in MAIL_FOLDER, which the command is given if it is not set.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ACCOUNT = "123456789012"
MOTO_SERVICES = [
    "EC2",
    "AUTO_SCALING",
    "ELASTIC_LOAD_BALANCING",
    "ELASTIC_LOAD_BALANCING_V2",
    "ROUTE53RESOLVER",
    "VPC_LATTICE",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            sys.exit(f"the endpoint at {url} ended early:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except urllib.error.HTTPError:
            return  # It answers; that is enough.
        except OSError:
            time.sleep(0.1)
    sys.exit(f"the endpoint at {url} did not start within 30 s")


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command to its end and gives its exit code; an interrupt ends it first."""
    child = subprocess.Popen(command, env=environment)
    try:
        return child.wait()
    except KeyboardInterrupt:
        # Ctrl-C reaches the command as well, a signal to this process alone does not.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child.send_signal(signal.SIGINT)
        child.wait()
        return 130


def main() -> int:
    work = Path(tempfile.mkdtemp(prefix="brig-endpoints-"))
    moto_port, mini_port = free_port(), free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BRIG_"))}
    mails = Path(plain.get("MAIL_FOLDER") or work / "mail")
    mails.mkdir(parents=True, exist_ok=True)
    plain["MAIL_FOLDER"] = str(mails)
    servers = []
    # Ended from outside, the servers must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def start(command: list[str], log: Path, **settings: str) -> subprocess.Popen:
        with log.open("w") as output:
            server = subprocess.Popen(
                command, stdout=output, stderr=output, env={**plain, **settings}, cwd=work, start_new_session=True
            )
        servers.append(server)
        return server

    moto_url, mini_url = f"http://127.0.0.1:{moto_port}", f"http://127.0.0.1:{mini_port}"
    endpoints = {
        "AWS_ENDPOINT_URL": mini_url,
        **{f"AWS_ENDPOINT_URL_{service}": moto_url for service in MOTO_SERVICES},
    }
    try:
        moto = start([sys.executable, str(HERE / "moto_server.py"), str(moto_port)], work / "moto.log")
        mini = start(
            [sys.executable, str(HERE / "ministack_server.py")],
            work / "ministack.log",
            GATEWAY_PORT=str(mini_port),
            BIND_HOST="127.0.0.1",
            MINISTACK_HOST="127.0.0.1",
            MINISTACK_ACCOUNT_ID=ACCOUNT,
            AUTH="true",
            LAMBDA_EXECUTOR="local",
            # A function that is deployed there inherits these.
            **endpoints,
        )
        wait_for(moto_url + "/moto-api/", moto, work / "moto.log")
        wait_for(mini_url + "/", mini, work / "ministack.log")
        environment = {
            **plain,
            **endpoints,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return run(sys.argv[1:], environment)
    except KeyboardInterrupt:
        return 130
    finally:
        # Each server leads a process group of its own, which holds nothing but its own children.
        for server in servers:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
        for server in servers:
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main())
