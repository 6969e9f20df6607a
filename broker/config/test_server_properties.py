"""Properties files, read as Java and as the library javaproperties read them."""

from pathlib import Path

import javaproperties
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.config.problems import OperatorError
from broker.config.server_properties import read_properties

PIECES = ("a", "Z", "é", " ", "\t", "\f", "=", ":", "#", "!", "\\", "\n", "\r\n", "\\u00e9", "\\ud83d\\ude00", "\\n")


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example("# comment \\\na=1\n! another\n\n  b : 2\nc 3\nd\n=e\n")
@example("\\\\ud83d\\ude00")
@example("a\\ key\\:\\== v \\\n   goes on\\\\\nb=\\\n\nc=1\\")
def test_any_file_is_read_as_the_library_reads_it(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "some.properties"
    path.write_bytes(text.encode())
    wanted, line = [], 1
    try:
        for element in javaproperties.parse(text.replace("\r\n", "\n")):
            if isinstance(element, javaproperties.KeyValue):
                wanted.append((element.key, element.value, f"{path}, line {line}"))
            line += element.source.count("\n")
    except javaproperties.InvalidUEscapeError:
        with pytest.raises(OperatorError):
            read_properties(path)
    else:
        assert [(each.name, each.text, each.place) for each in read_properties(path)] == wanted


@pytest.mark.parametrize("escape", ["\\u", "\\u12", "\\u12g4", "\\u 123", "\\u+123"])
def test_an_escape_that_java_would_not_take_is_told_with_its_line(escape: str, tmp_path: Path) -> None:
    path = tmp_path / "server.properties"
    path.write_text(f"broker.id=1\nlog.dirs=C:{escape}\n")
    with pytest.raises(OperatorError) as caught:
        read_properties(path)
    assert caught.value.what == f"{path}, line 2: an escape cannot be read."
