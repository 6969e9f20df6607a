"""`barnabas options` explains every option and names the one that was meant."""

import pytest

from broker.config.manual import page
from tools.cli import DONE, FAILED, main


def test_an_option_is_explained_with_its_values_and_what_it_does_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "log.segment.bytes"]) == DONE
    assert capsys.readouterr().out.splitlines() == [
        "### log.segment.bytes",
        "",
        "Size in bytes at which a new segment file is begun.",
        "",
        "- Type int: a whole number, at least 14. Default: `1073741824`.",
        "- May change while the broker runs, for one or for all.",
        "- Topics may have a value of their own: `segment.bytes`.",
        "- **Works.**",
    ]


def test_a_name_of_broker_and_topic_is_explained_as_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "compression.type", "port"]) == DONE
    out = capsys.readouterr().out
    assert (out.count("### compression.type"), out.count("### port")) == (2, 1)


def test_without_a_name_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options"]) == DONE
    listed = capsys.readouterr().out.split()
    assert {"broker.id", "cleanup.policy", "zookeeper.connect"} <= set(listed)
    assert listed == sorted(set(listed))


def test_the_whole_manual_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "--markdown"]) == DONE
    assert capsys.readouterr().out == page()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("log.segmant.bytes", "Did you mean log.segment.bytes?"),
        ("brokerid", "It is called broker.id since 0.8."),
        ("xyzzy", "No option has a similar name."),
    ],
)
def test_a_name_that_is_no_option_fails_with_the_one_that_was_meant(
    name: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["options", name]) == FAILED
    said = capsys.readouterr().err
    assert f"{name} is not an option." in said
    assert meant in said
