"""Looks at the broker every few seconds while it is under load."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from barnabas.handle import Broker
from tools.soak.endings import how_it_ended
from tools.soak.sampling import Process, Sample, disk_use
from tools.soak.topics import KEPT, PROBED
from tools.soak.workers import Workers


class Watch:
    """Samples of a broker under load, and the probe whose round trips go into them."""

    def __init__(self, broker: Broker, data: Path, workers: Workers) -> None:
        self.samples: list[Sample] = []
        self._data, self._workers = data, workers
        host, port = broker.host, broker.port
        self._probe = subprocess.Popen(
            [sys.executable, "-m", "tools.soak.probe", host, str(port), PROBED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._broker = Process(broker.pid)
        self._clients = [Process(self._probe.pid), Process(os.getpid())]
        self._begun = time.monotonic()
        self._round_trips: list[dict[str, list[float]]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._probe.stdout is not None
        for line in self._probe.stdout:
            self._round_trips.append(json.loads(line))

    def look(self) -> Sample:
        broker_cores = self._broker.cores()
        all_cores = broker_cores + sum(client.cores() for client in self._clients)
        self._workers.pace.govern(all_cores)
        disk, kept, files = disk_use(self._data, KEPT)
        round_trips, self._round_trips = self._round_trips, []
        sample = Sample(
            at_s=time.monotonic() - self._begun,
            rss=self._broker.rss,
            descriptors=self._broker.descriptors,
            threads=self._broker.threads,
            disk=disk,
            kept=kept,
            files=files,
            broker_cores=broker_cores,
            all_cores=all_cores,
            share=self._workers.pace.share,
            written=sum(n for name, n in self._workers.tally.done.items() if name.startswith("records written")),
            broker_waited=self._broker.waited(),
            probe_waited=self._clients[0].waited(),
            loop_ms=[ms for each in round_trips for ms in each["loop_ms"]],
            produce_ms=[ms for each in round_trips for ms in each["produce_ms"]],
        )
        self.samples.append(sample)
        return sample

    def end(self) -> None:
        assert self._probe.stdin is not None
        self._probe.stdin.close()
        if code := self._probe.wait(60):
            self._workers.tally.fail("probe", f"it ended {how_it_ended(code)}")
