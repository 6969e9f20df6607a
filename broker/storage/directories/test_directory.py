"""Whose a data directory is, and what an operator reads when it is somebody else's."""

from pathlib import Path

import pytest

from broker.config.problems import OperatorError
from broker.storage.contract import Identity
from broker.storage.directories.directory import DataDirectory
from broker.storage.files import SystemDisk
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, storage_on

META = DATA / "meta.properties"
OURS = Identity(3, "abcdefghijklmnopqrstuv")


def claimed(disk: FakeDisk) -> DataDirectory:
    directory = DataDirectory(DATA, disk)
    directory.claim()
    return directory


def test_a_new_directory_is_nobodys_until_it_is_written_whose_it_is() -> None:
    disk = FakeDisk()
    directory = claimed(disk)
    assert directory.identity == Identity(None, None)
    directory.identify(OURS, NOW_MS)
    text = "#\n#Tue Nov 14 22:13:20 UTC 2023\ncluster.id=abcdefghijklmnopqrstuv\nversion=0\nbroker.id=3\n"
    assert disk.after_crash().contents(META) == text.encode()


def test_what_kafka_wrote_is_read_and_kept() -> None:
    disk = FakeDisk()
    disk.make_directory(DATA)
    disk.put(META, b"#\n#Mon Jan 01 00:00:00 UTC 2024\nversion=0\nbroker.id = 3\ncluster.id=a\\=b\ndirectory.id=xyz\n")
    directory = claimed(disk)
    assert directory.identity == Identity(3, "a=b")
    before = disk.contents(META)
    directory.identify(Identity(3, "a=b"), NOW_MS)
    assert disk.contents(META) == before


def test_unknown_properties_outlive_a_rewrite() -> None:
    disk = FakeDisk()
    disk.make_directory(DATA)
    disk.put(META, b"version=0\nbroker.id=3\ndirectory.id=xyz\n")
    claimed(disk).identify(OURS, NOW_MS)
    assert b"directory.id=xyz\n" in disk.contents(META)
    assert b"cluster.id=abcdefghijklmnopqrstuv\n" in disk.contents(META)


def test_a_directory_with_another_brokers_id_is_refused_with_what_to_do() -> None:
    disk = FakeDisk()
    claimed(disk).identify(OURS, NOW_MS)
    again = storage_on(disk.after_crash())
    with pytest.raises(OperatorError) as refused:
        again.claim(4)
    assert "belongs to broker.id 3, not 4" in refused.value.what
    assert "copied" in refused.value.why
    assert "meta.properties" in refused.value.do_this
    again.claim(3)
    assert again.identity == OURS
    with pytest.raises(OperatorError, match=r"cluster\.id"):
        again.identify(Identity(3, "another"))


def test_a_directory_of_a_newer_kind_is_refused() -> None:
    disk = FakeDisk()
    disk.make_directory(DATA)
    disk.put(META, b"version=1\nnode.id=3\ncluster.id=x\n")
    with pytest.raises(OperatorError, match="version=1"):
        claimed(disk)
    DataDirectory(DATA, disk.after_crash())


@pytest.mark.parametrize("text", [b"version=x\n", b"version=0\nbroker.id=one\n", b"\xff\xfe"])
def test_an_unreadable_meta_properties_is_refused_and_the_lock_let_go(text: bytes) -> None:
    disk = FakeDisk()
    disk.make_directory(DATA)
    disk.put(META, text)
    for _ in range(2):
        with pytest.raises(OperatorError, match="cannot be read"):
            claimed(disk)


def test_a_directory_in_use_is_refused_and_the_holder_named(tmp_path: Path) -> None:
    first, second = storage_on(SystemDisk(), [tmp_path / "data"]), storage_on(SystemDisk(), [tmp_path / "data"])
    first.claim(0)
    with pytest.raises(OperatorError) as refused:
        second.claim(0)
    assert str(tmp_path / "data") in refused.value.what
    assert "process" in refused.value.why
    assert "log.dirs" in refused.value.do_this


def test_when_one_of_several_directories_is_taken_the_others_are_let_go(tmp_path: Path) -> None:
    first = storage_on(SystemDisk(), [tmp_path / "b"])
    first.claim(0)
    with pytest.raises(OperatorError):
        storage_on(SystemDisk(), [tmp_path / "a", tmp_path / "b"]).claim(0)
    storage_on(SystemDisk(), [tmp_path / "a"]).claim(0)


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OperatorError, match="cannot be used"):
            storage_on(SystemDisk(), [path]).claim(0)


def test_a_directory_that_cannot_be_written_is_refused() -> None:
    import errno

    disk = FakeDisk()
    disk.fail("create", errno.EROFS, path="meta.properties.tmp")
    with pytest.raises(OperatorError, match="Read-only"):
        claimed(disk)
    claimed(disk)


def test_a_new_directory_and_its_parents_outlive_a_power_cut() -> None:
    """What is flushed below is worth no more than the names above it."""
    disk = FakeDisk()
    path = Path("/var/lib/barnabas")
    DataDirectory(path, disk).claim()
    assert disk.after_crash().exists(path)
