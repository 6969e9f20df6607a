"""The disk that forgets: the next process finds what was synced, under the names that were synced."""

from pathlib import Path

from broker.storage.files import replace, write_all
from broker.testing.forgetful import ForgetfulDisk


def test_what_was_synced_is_there_and_nothing_else(tmp_path: Path) -> None:
    disk, data = ForgetfulDisk([tmp_path]), tmp_path / "orders-0"
    disk.make_directory(data)
    file = disk.create(data / "log")
    write_all(file, b"durable", 0)
    file.sync()
    assert list(tmp_path.iterdir()) == []
    disk.sync_directory(data)
    disk.sync_directory(tmp_path)
    write_all(file, b" lost", 7)
    disk.create(data / "nameless").sync()
    assert disk.contents(data / "log") == b"durable lost"
    again = ForgetfulDisk([tmp_path])
    assert (again.names(data), again.contents(data / "log")) == (["log"], b"durable")


def test_what_was_synced_later_is_added_and_cuts_are_cut(tmp_path: Path) -> None:
    disk = ForgetfulDisk([tmp_path])
    file = disk.create(tmp_path / "log")
    disk.sync_directory(tmp_path)
    for data, position in ((b"0123", 0), (b"45", 4)):
        write_all(file, data, position)
        file.sync()
    assert (tmp_path / "log").read_bytes() == b"012345"
    file.cut(2)
    write_all(file, b"x", 2)
    file.sync()
    assert (tmp_path / "log").read_bytes() == b"01x"


def test_renames_and_removals_are_durable_with_their_directory(tmp_path: Path) -> None:
    disk = ForgetfulDisk([tmp_path])
    replace(disk, tmp_path / "checkpoint", b"old")
    replace(disk, tmp_path / "checkpoint", b"new")
    disk.make_directory(tmp_path / "a")
    disk.create(tmp_path / "a" / "log").sync()
    disk.sync_directory(tmp_path / "a")
    disk.sync_directory(tmp_path)
    disk.rename(tmp_path / "a", tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "checkpoint"]
    disk.sync_directory(tmp_path)
    assert (tmp_path / "checkpoint").read_bytes() == b"new"
    assert (tmp_path / "b" / "log").exists()
    disk.remove_tree(tmp_path / "b")
    disk.sync_directory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
