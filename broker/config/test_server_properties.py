"""Properties files that Java would not read."""

from pathlib import Path

import pytest

from broker.config.problems import OperatorError
from broker.config.server_properties import read_properties


@pytest.mark.parametrize("escape", ["\\u", "\\u12", "\\u12g4", "\\u 123", "\\u+123"])
def test_an_escape_that_java_would_not_take_is_told_with_its_line(escape: str, tmp_path: Path) -> None:
    path = tmp_path / "server.properties"
    path.write_text(f"broker.id=1\nlog.dirs=C:{escape}\n")
    with pytest.raises(OperatorError) as caught:
        read_properties(path)
    assert caught.value.what == f"{path}, line 2: an escape cannot be read."
