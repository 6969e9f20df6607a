"""A broker that another program holds: its address in one line of JSON, its end with the end of its stdin."""

import json
import os
import signal
import sys
import threading

from tools.ready import ReadyInfo, bootstrap_of


def tell_holder(ready: ReadyInfo) -> None:
    """One line: `{"host": "localhost", "port": 41234, "broker_id": 0, "pid": 77, "web": "127.0.0.1:9644"}`."""
    host, port = bootstrap_of(ready)
    web = [str(address) for address in ready.web]
    line = {"host": host, "port": port, "broker_id": ready.broker_id, "pid": os.getpid(), "web": ",".join(web)}
    print(json.dumps(line), flush=True)


def end_with_holder() -> None:
    """From now on the end of stdin is an order to stop, like SIGTERM: the holder closed it, or is dead."""

    def wait_for_the_end() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_the_end, name="holder", daemon=True).start()
