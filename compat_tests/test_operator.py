"""An operator's mistake, as the operator meets it: what, why, what to do, exit code 1, and no traceback."""

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from compat_tests.broker_process import BrokerProcess, free_port
from compat_tests.command import Started, barnabas
from compat_tests.tools_at_hand import needs


def file_of(folder: Path, *lines: str, data: Path | None = None) -> str:
    """A server.properties of a broker that would start, and these lines below it."""
    file = folder / "server.properties"
    head = ["broker.id=0", f"listeners=PLAINTEXT://127.0.0.1:{free_port()}", f"log.dirs={data or folder / 'data'}"]
    file.write_text("\n".join([*head, *lines, ""]))
    return str(file)


def refused(*arguments: str, folder: Path, before: Sequence[str] = ()) -> tuple[str, str, str]:
    """What, why and what to do; asserts that there is nothing else on stderr but log lines."""
    ended = barnabas(*arguments, folder=folder, before=before)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    what, why, do_this = [line for line in ended.stderr.splitlines() if not line.startswith("[")]
    assert what.startswith("barnabas: ")
    assert why.startswith("  why: ")
    assert do_this.startswith("  do:  ")
    return what.removeprefix("barnabas: "), why.removeprefix("  why: "), do_this.removeprefix("  do:  ")


def test_a_bad_value_names_file_line_and_range(tmp_path: Path) -> None:
    file = file_of(tmp_path, "# ours", "num.partitions=0")
    what, why, do_this = refused("broker", file, folder=tmp_path)
    assert what == f"{file}, line 5: num.partitions is '0'."
    assert why == "It must be a whole number, at least 1."
    assert "default (1)" in do_this


def test_a_bad_value_of_the_environment_names_the_variable(tmp_path: Path) -> None:
    ended = barnabas("--port", "0", folder=tmp_path, KAFKA_NUM_PARTITIONS="many")
    assert ended.returncode == 1
    assert "environment variable KAFKA_NUM_PARTITIONS: num.partitions is 'many'." in ended.stderr
    assert not (tmp_path / "barnabas-data").exists()


def test_an_unknown_option_is_told_and_the_broker_starts_all_the_same(tmp_path: Path) -> None:
    file = file_of(tmp_path, "log.retentoin.hours=5", "num.io.threads=16")
    with Started("broker", file, folder=tmp_path) as broker:
        said = broker.until("[KafkaServer id=0] started")
    assert "line 4: log.retentoin.hours is not an option. Did you mean log.retention.hours?" in said
    assert "Known, checked and without effect in this version: num.io.threads." in said
    assert said.count(" WARN ") == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    what, why, _ = refused("broker", "none.properties", folder=tmp_path)
    assert "none.properties" in what + why


def test_a_taken_port_names_its_holder_and_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        what, why, do_this = refused("--port", str(port), folder=tmp_path)
        assert what == f"Cannot listen on 127.0.0.1:{port}."
        assert f"(pid {os.getpid()})" in why
        assert "--any-port" in do_this
        with Started("--port", str(port), "--any-port", folder=tmp_path) as broker:
            said = broker.until("Ctrl-C stops")
        assert "Kafka at localhost:" in said
        assert f"localhost:{port} " not in said


@pytest.mark.parametrize("options", [["--port", "0"], ["--any-port"]], ids=" ".join)
def test_a_host_that_is_none_of_this_machine_is_told(tmp_path: Path, options: list[str]) -> None:
    what, why, _ = refused("--host", "203.0.113.7", *options, folder=tmp_path)
    assert "203.0.113.7" in what
    assert "not an address of this machine" in why
    _, why, _ = refused("--host", "host.invalid", *options, folder=tmp_path)
    assert "host.invalid is not an address of this machine" in why


def test_a_damaged_registry_is_told(tmp_path: Path) -> None:
    data = directory_of_broker(0, tmp_path)
    (data / "registry.db").write_bytes(b"no database" * 1000)
    what, why, _ = refused("broker", file_of(tmp_path, data=data), folder=tmp_path)
    assert f"{data / 'registry.db'} cannot be opened" in what
    assert "not a database" in why


def test_a_lost_registry_is_told_instead_of_losing_the_topics(tmp_path: Path) -> None:
    """Without it the records would have no names; a fresh registry would hide that."""
    data = directory_of_broker(0, tmp_path)
    for file in data.glob("registry.db*"):
        file.unlink()
    what, why, do_this = refused("broker", file_of(tmp_path, data=data), folder=tmp_path)
    assert "belong to cluster" in what
    assert "no cluster yet" in why
    assert "lost registry" in do_this


def test_a_directory_in_use_names_the_process_that_uses_it(own_broker: BrokerProcess, tmp_path: Path) -> None:
    what, why, do_this = refused("--port", "0", "--data", str(own_broker.data), folder=tmp_path)
    assert what == f"The data directory {own_broker.data} is in use."
    assert f"process {own_broker.pid}," in why
    assert "log.dirs" in do_this


@pytest.mark.parametrize("beneath", ["", "fresh"], ids=["the directory", "its parent"])
def test_a_directory_that_may_not_be_written_to_is_told(tmp_path: Path, beneath: str) -> None:
    """By a file with options, and by the bare command."""
    locked = tmp_path / "locked"
    locked.mkdir()
    data = locked / beneath
    file = file_of(tmp_path, data=data)
    before = without_rights(locked)
    for arguments in (["broker", file], ["--port", "0", "--data", str(data)]):
        what, why, _ = refused(*arguments, folder=tmp_path, before=before)
        assert str(data) in what
        assert "Permission denied" in why


def without_rights(directory: Path) -> list[str]:
    """A command to run others with, to whom the directory is not writable: root needs to lose its exemption."""
    directory.chmod(0o555)
    return [needs("setpriv"), "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def test_a_file_where_the_directory_should_be_is_told(tmp_path: Path) -> None:
    what, why, _ = refused("broker", file_of(tmp_path, data=tmp_path / "server.properties"), folder=tmp_path)
    assert "server.properties cannot be used" in what
    assert "Not a directory" in why


def test_the_directory_of_another_broker_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    data = directory_of_broker(3, tmp_path)
    before = (data / "meta.properties").read_text()
    what, why, do_this = refused("broker", file_of(tmp_path, data=data), folder=tmp_path)
    assert what == f"The data directory {data} belongs to broker.id 3, not 0."
    assert "meta.properties" in why
    assert "broker.id 3" in do_this
    assert (data / "meta.properties").read_text() == before


def test_a_copied_directory_is_refused_until_its_meta_properties_is_deleted(tmp_path: Path) -> None:
    """Five machines by scp: all carry one meta.properties."""
    copied = tmp_path / "copied"
    shutil.copytree(directory_of_broker(3, tmp_path), copied)
    file = file_of(tmp_path, data=copied)
    _, why, do_this = refused("broker", file, folder=tmp_path)
    assert "was copied" in why
    assert f"delete {copied / 'meta.properties'}" in do_this
    (copied / "meta.properties").unlink()
    with Started("broker", file, folder=tmp_path) as broker:
        broker.until("[KafkaServer id=0] started")


def test_a_java_keystore_is_refused_with_the_line_that_converts_it(tmp_path: Path) -> None:
    keystore = tmp_path / "kafka.keystore.jks"
    keystore.write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2")
    lines = ("listeners=SSL://127.0.0.1:0", "security.inter.broker.protocol=SSL", f"ssl.keystore.location={keystore}")
    what, why, do_this = refused("broker", file_of(tmp_path, *lines), folder=tmp_path)
    assert "Java keystore" in what
    assert "Only Java" in why
    assert f"keytool -importkeystore -srckeystore {keystore}" in do_this
    assert not (tmp_path / "data").exists()


def directory_of_broker(broker_id: int, folder: Path) -> Path:
    """Left by a broker of that number after a clean stop."""
    home = folder / "other"
    home.mkdir()
    BrokerProcess(home, properties={"broker.id": str(broker_id)}).start().stop()
    return home / "data"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("listeners=SASL_SSL://127.0.0.1:0", "SASL_SSL"),
        ("listeners=SASL_PLAINTEXT://127.0.0.1:0", "SASL_PLAINTEXT"),
        ("authorizer.class.name=kafka.security.authorizer.AclAuthorizer", "authorizer.class.name"),
        ("zookeeper.set.acl=true", "zookeeper.set.acl"),
    ],
)
def test_protection_that_is_not_built_is_not_promised(tmp_path: Path, line: str, named: str) -> None:
    """Who asks for it must not get an open port instead."""
    what, why, _ = refused("broker", file_of(tmp_path, line), folder=tmp_path)
    assert named in what
    assert "This version" in why
    assert not (tmp_path / "data").exists()
