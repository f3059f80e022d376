"""Serve moto, corrected towards AWS, on a loopback port: `python moto_server.py PORT`.

Ready when the port accepts connections. Ends on SIGTERM or SIGINT.
"""

import logging
import os
import signal
import sys
import warnings


def main() -> None:
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: moto_server.py PORT")
    port = int(sys.argv[1])
    os.environ["MOTO_PORT"] = str(port)  # moto reads it when imported, for the links in its own answers

    from corrections import apply_all
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    apply_all()
    # A line per request would bury what matters; failures inside moto are still printed.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    warnings.simplefilter("ignore", UserWarning)  # moto warns of every error code that is in no service model
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
