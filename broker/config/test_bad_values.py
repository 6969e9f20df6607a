"""Every option refuses what is outside of its type and range, in a file with its line, and takes what just passes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.config.keys import BadValue
from broker.config.load import load, settings_of
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.config.written import Written
from broker.testing.bad_options import Range, bad_texts, ranges


def passes(row: Range, text: str) -> bool:
    try:
        row.parse(text)
    except BadValue:
        return False
    return True


def edges() -> Iterator[tuple[Range, str]]:
    return ((row, edge) for row in ranges() for edge in row.edges())


def test_every_edge_of_kafkas_ranges_is_allowed() -> None:
    assert [(row.name, edge) for row, edge in edges() if not passes(row, edge)] == []


def test_everything_just_outside_of_kafkas_ranges_is_refused() -> None:
    outside = [(row, text) for row in ranges() for text in row.outside()]
    assert len(outside) > 240
    assert [(row.name, text) for row, text in outside if passes(row, text)] == []


def test_every_bad_value_stops_the_start_and_names_its_place() -> None:
    pairs = list(bad_texts("broker"))
    assert len(pairs) > 1500
    for name, text in pairs:
        with pytest.raises(OperatorError) as refusal:
            settings_of([Written(name, text, "server.properties, line 3")])
        assert refusal.value.what.startswith(f"server.properties, line 3: {name} is "), name
        assert refusal.value.why == f"It must be {BrokerSettings.KEYS[name].allowed}."
        assert refusal.value.do_this.startswith("Correct it")


def test_a_bad_value_in_a_file_is_found_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "server.properties"
    for name, text in list(bad_texts("broker"))[::100]:
        file.write_text(f"# a file\nbroker.id=0\n{name}={text}\n")
        with pytest.raises(OperatorError, match=re.escape(f"{file}, line 3: {name} is ")):
            load(file=file)


def test_every_bad_value_of_a_topic_is_refused_with_its_name_and_what_is_allowed() -> None:
    for name, text in bad_texts("topic"):
        with pytest.raises(BadValue) as refusal:
            TopicSettings.check({name: text})
        assert str(refusal.value) == f"{name} is {text!r}; it must be {TopicSettings.KEYS[name].allowed}"


def test_bad_values_that_lie_in_the_registry_already_are_passed_over() -> None:
    """A foreign tool may have written them."""
    plain = BrokerSettings().topic({})
    for name, text in bad_texts("topic"):
        topic = BrokerSettings().topic({name: text})
        attribute = TopicSettings.KEYS[name].attribute
        assert getattr(topic, attribute) == getattr(plain, attribute), name
