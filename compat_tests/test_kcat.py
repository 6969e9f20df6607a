"""kcat, the command line client on librdkafka."""

import json
import subprocess

from compat_tests.broker_process import BrokerProcess
from compat_tests.tools_at_hand import needs


def kcat(broker: BrokerProcess, *arguments: str, stdin: str = "") -> str:
    command = [needs("kcat"), "-b", broker.bootstrap, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_metadata_names_the_broker(broker: BrokerProcess) -> None:
    """`kcat -L`, the first thing that anybody types."""
    told = json.loads(kcat(broker, "-L", "-J"))
    assert [entry["id"] for entry in told["brokers"]] == [0]
    assert told["controllerid"] == 0


def test_lines_go_in_and_come_out_with_keys_and_headers(broker: BrokerProcess, topic: str) -> None:
    """Keys, headers, and the end of the partition."""
    kcat(broker, "-P", "-t", topic, "-K:", "-H", "colour=red", stdin="a:1\nb:2\na:3\n")
    assert kcat(broker, "-C", "-t", topic, "-e", "-q", "-f", "%k=%s %h\n").splitlines() == [
        "a=1 colour=red",
        "b=2 colour=red",
        "a=3 colour=red",
    ]


def test_a_group_reads_every_partition(broker: BrokerProcess, topic: str) -> None:
    """The balanced consumer, `-G`."""
    kcat(broker, "-P", "-t", topic, stdin="".join(f"{n}\n" for n in range(100)))
    lines = kcat(broker, "-G", topic, "-e", "-q", "-c", "100", "-X", "auto.offset.reset=earliest", topic).splitlines()
    assert sorted(map(int, lines)) == list(range(100))


def test_offsets_are_asked_by_time(broker: BrokerProcess, topic: str) -> None:
    """`kcat -Q`."""
    kcat(broker, "-P", "-t", topic, stdin="x\ny\n")
    assert kcat(broker, "-Q", "-t", f"{topic}:0:-2").strip().endswith("offset 0")
    assert kcat(broker, "-Q", "-t", f"{topic}:0:-1").strip().endswith("offset 2")
