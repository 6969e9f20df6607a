"""The whole bench: which brokers run, the sections in their order, and what happens when one of them fails."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kproto.values import frozen
from tools.bench import (
    calibration,
    codecs,
    compaction,
    goals,
    idle,
    latency,
    limits,
    programs,
    recovery,
    requests,
    starts,
    throughput,
)
from tools.bench.progress import Progress
from tools.bench.results import Results, Row
from tools.bench.servers import DidNotStart, Server, Target, free_port

MIB = 1 << 20
SECTIONS = 22
SECTION_S, LEAST_ROUNDS = 28.0, 3
"""After that a section makes three rounds and no more."""
LATE_S = 540.0
"""After that a section makes one round: the whole is to be over in 12 minutes."""
RUN_MIB = {throughput.KIB_BATCHES: 96, throughput.MB_BATCHES: 256}
"""Of values in one run, by the size of batches."""
RECOVERED_MIB, COMPACTED_MIB, COMPACTED_KEYS = 1024, 256, 25_000
RECOVERY = Row("first ack after kill -9, 1 GiB never flushed", "s")
WITHOUT_COMPACTION = Row("produce one by one: p99", "ms")
DURING_COMPACTION = Row("produce one by one, a log of 256 MiB is compacted: p99", "ms")


@frozen
class Doses:
    """How much. `scale` shrinks each run, for a look at whether all of it works."""

    rounds: int = 5
    scale: float = 1.0

    def of(self, amount: float, least: int = 1) -> int:
        return max(int(amount * self.scale), least)


class Bench:
    """One run: made, `run`, and then its `results` are read.

    Args:
        releases: of Apache Kafka; the first is the measure.
        others: brokers that run already.
    """

    def __init__(
        self, folder: Path, doses: Doses, releases: Sequence[str], others: Sequence[Target], progress: Progress
    ) -> None:
        self.results = Results()
        self._folder, self._doses, self._releases = folder, doses, releases
        self._others = list(others)
        self._progress = progress
        self._run = str(os.getpid())
        self._began = time.perf_counter()
        self._servers: list[Server] = []

    def run(self) -> None:
        """Raises: DidNotStart: our own broker did not start. Other trouble is in the results."""
        with contextlib.ExitStack() as stack:
            self._progress.step("builds and first starts")
            ours, plain, bare = self._ours(stack)
            peers = self._peers(stack)
            self._servers = [ours, *peers]
            targets = [*self._servers, *self._others]
            self._section("starts", partial(starts.measure_starts, self.results, self._servers), 3)
            self._section("kernel limits", self._limits)
            self._section("warming", lambda _: self._warm([*targets, *plain]), 1)
            self._section("one-record produce", partial(self._one_record, [*targets, *bare]))
            self._throughput(targets, plain)
            self._section("1 MiB fetches", partial(self._mib_fetches, targets))
            self._section("1000 partitions", partial(self._thousand, targets), 3)
            for per_s in latency.PACES:
                self._section(f"delivery at {per_s}/s", partial(self._latency, targets, per_s), 3)
            starts.note_memory(self.results, starts.MEMORY_AFTER_LOAD, [each for each in self._servers if each.runs])
            self._section("idle connections", lambda _: self._idle(targets), 1)
            self._section("kill -9", partial(self._kill, ours, peers[:1]), 3)
        self._section("recovery", self._recovery, 1)
        self._section("compaction", lambda _: self._compaction(), 1)
        self._section("codecs", lambda rounds: codecs.measure(self.results, rounds, self._doses.of(codecs.TURNS, 3)))

    # --- brokers ---

    def _ours(self, stack: contextlib.ExitStack) -> tuple[Server, list[Server], list[Server]]:
        """The measured one, then, as far as they can be run: the plain one, the bare loop.

        Raises: DidNotStart.
        """
        plain_program = programs.our_program(self._folder / "plain", compiled=False)
        program = plain_program
        try:
            program = programs.our_program(self._folder / "compiled", compiled=True)
        except programs.NotHere as reason:
            self.results.skipped.append(("compiled walker", f"{reason}: what follows is plain Python"))
        ours = programs.barnabas(goals.OURS, self._folder / "ours", program)
        stack.callback(ours.stop)
        ours.start()
        plain = programs.barnabas(goals.PLAIN, self._folder / "ours-plain", plain_program)
        bare = programs.bare_loop(self._folder / "bare", program, free_port())
        return ours, self._started([plain], stack), self._started([bare], stack)

    def _peers(self, stack: contextlib.ExitStack) -> list[Server]:
        makers: dict[str, Callable[[], Server]] = {
            f"kafka {each}": partial(programs.kafka, each, self._folder / f"kafka-{each}") for each in self._releases
        }
        makers[goals.KFAKE] = partial(programs.kfake, self._folder / "kfake")
        peers = []
        for name, make in makers.items():
            try:
                peers += self._started([make()], stack)
            except programs.NotHere as reason:
                self.results.skipped.append((name, str(reason)))
        return peers

    def _started(self, servers: Sequence[Server], stack: contextlib.ExitStack) -> list[Server]:
        running = []
        for server in servers:
            stack.callback(server.stop)
            try:
                server.start()
                running.append(server)
            except (DidNotStart, programs.NotHere) as reason:
                self.results.failed.append((server.name, str(reason)))
        return running

    # --- sections ---

    def _section(self, name: str, work: Callable[[Iterator[int]], None], rounds: int | None = None) -> None:
        """Its trouble ends here: the others are measured all the same."""
        self._progress.step(name)
        self.results.add(calibration.CALIBRATION, calibration.HERE, calibration.turn_us(self._doses.of(5000, 100)))
        wanted = self._doses.rounds if rounds is None else min(rounds, self._doses.rounds)
        late = time.perf_counter() - self._began > LATE_S
        began = time.perf_counter()
        try:
            work(self._progress.rounds(wanted, 0 if late else SECTION_S, 1 if late else LEAST_ROUNDS))
        except (programs.NotHere, ImportError) as reason:
            self.results.skipped.append((name, str(reason)))
        except Exception as error:
            self.results.failed.append((name, f"{type(error).__name__}: {error}"))
        self.results.seconds[name] = round(time.perf_counter() - began, 1)

    def _limits(self, rounds: Iterator[int]) -> None:
        limits.measure(self.results, self._doses.of(2000, 50), rounds, self._folder)

    def _warm(self, targets: Sequence[Target]) -> None:
        """Mostly for the JVM, whose compiler learns while it works."""
        thrown_away = Results()
        size = self._doses.of(192 * MIB, 8 * MIB)
        for shape in (throughput.PLAIN_SHAPE, throughput.LARGEST):
            throughput.measure(thrown_away, shape, targets, size, iter(range(2)), f"warm-{self._run}")
        count = self._doses.of(60_000, 500)
        requests.measure_one_record(thrown_away, targets, count, iter(range(2)), f"warm-one-{self._run}")

    def _one_record(self, targets: Sequence[Target], rounds: Iterator[int]) -> None:
        requests.measure_one_record(self.results, targets, self._doses.of(50_000, 500), rounds, f"one-{self._run}")

    def _throughput(self, targets: Sequence[Target], plain: Sequence[Target]) -> None:
        for shape in throughput.SHAPES:
            size = self._doses.of(RUN_MIB[shape.batch_bytes] * MIB, 8 * MIB)
            measured = [*targets, *plain] if shape == throughput.PLAIN_SHAPE else targets
            work = partial(self._produce_and_consume, shape, measured, size)
            self._section(f"produce and consume {shape.title}", work)

    def _produce_and_consume(
        self, shape: throughput.Shape, targets: Sequence[Target], size: int, rounds: Iterator[int]
    ) -> None:
        throughput.measure(self.results, shape, targets, size, rounds, self._run)

    def _mib_fetches(self, targets: Sequence[Target], rounds: Iterator[int]) -> None:
        requests.measure_mib_fetches(self.results, targets, self._doses.of(500, 20), rounds, f"mib-{self._run}")

    def _thousand(self, targets: Sequence[Target], rounds: Iterator[int]) -> None:
        requests.measure_thousand(self.results, targets, self._doses.of(200, 8), rounds, f"thousand-{self._run}")

    def _latency(self, targets: Sequence[Target], per_s: int, rounds: Iterator[int]) -> None:
        seconds = max(3 * self._doses.scale, 0.3)
        latency.measure(self.results, targets, per_s, seconds, rounds, f"latency-{per_s}-{self._run}")

    def _idle(self, targets: Sequence[Target]) -> None:
        possible = idle.possible()
        if possible < idle.WANTED:
            reason = f"{possible:,} instead: half of the descriptors that a process may open here (ulimit -n)"
            self.results.skipped.append(("10,000 idle connections", reason))
        idle.measure(self.results, targets, self._doses.of(possible, 100))

    def _kill(self, ours: Server, peers: Sequence[Server], rounds: Iterator[int]) -> None:
        mib, topic = self._doses.of(goals.ACK_MIB), f"killed-{self._run}"
        starts.measure_ack_after_kill(self.results, ours, mib, rounds, topic)
        for peer in peers:
            if peer.name != goals.KFAKE:
                starts.measure_ack_after_kill(self.results, peer, mib, iter(range(1)), topic)

    def _recovery(self, rounds: Iterator[int]) -> None:
        for _ in rounds:
            self.results.add(RECOVERY, goals.OURS, recovery.measured(self._doses.of(RECOVERED_MIB))[1])

    def _compaction(self) -> None:
        if shutil.which("kcat") is None:
            raise programs.NotHere("no kcat")
        mib, keys = self._doses.of(COMPACTED_MIB, 16), self._doses.of(COMPACTED_KEYS, 100)
        without, during, _ = compaction.measured(mib, keys, max(8 * self._doses.scale, 1))
        self.results.add(WITHOUT_COMPACTION, goals.OURS, compaction.p99_ms(without))
        self.results.add(DURING_COMPACTION, goals.OURS, compaction.p99_ms(during))
