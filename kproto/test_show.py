"""`python -m kproto show`."""

import pytest

from kproto.__main__ import main


def test_an_api_shows_reader_and_writer_of_request_and_response(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "Heartbeat", "4"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("# HeartbeatRequest v4\ndef decode(") == shown.count("# HeartbeatResponse v4\ndef decode(") == 1
    assert shown.count("def encode(m, out):") == 2
    compile(shown, "shown", "exec")


def test_one_message_is_shown_at_its_newest_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "OffsetCommitValue"]) == 0
    assert capsys.readouterr().out.startswith("# OffsetCommitValue v4\n")
    assert main(["show", "ProduceResponse"]) == 0
    assert "Request" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Hartbeat", "4"], "no message is called 'Hartbeat'; did you mean Heartbeat"),
        (["Zzzzzz"], "no message is called 'Zzzzzz'\n"),
        (["Heartbeat", "9"], "HeartbeatRequest has versions 0 to 4, not 9"),
    ],
)
def test_what_does_not_exist_gets_one_line_and_exit_code_1(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", *arguments]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
