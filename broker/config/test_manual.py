"""The manual of all options is what their lines say, and the page that is committed is that manual."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.config.keys import NO_EFFECT, WORKS, Key
from broker.config.manual import entry, names, page
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.config.unknown_names import ONLY_DYNAMIC

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "options.md"


def keys() -> Iterator[Key[Any]]:
    yield from BrokerSettings.KEYS.values()
    yield from TopicSettings.KEYS.values()


def test_the_committed_page_is_what_the_options_say_now() -> None:
    assert COMMITTED.read_text() == page(), "run: barnabas options --markdown > docs/options.md"


def test_every_option_has_its_entry_once() -> None:
    headings = [line.removeprefix("### ") for line in page().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted([*BrokerSettings.KEYS, *TopicSettings.KEYS])
    assert set(headings) == set(names())
    assert all(f"`{name}`" in page() for name in ONLY_DYNAMIC)


def test_what_has_no_effect_says_why_and_what_works_says_nothing_of_it() -> None:
    for key in keys():
        assert bool(key.because) is (key.standing is NO_EFFECT), key.name
        assert ("**Without effect**: " + key.because in entry(key)) is (key.standing is NO_EFFECT), key.name
        assert key.documentation.startswith(key.doc)
        assert (key.documentation == key.doc) is (key.standing is WORKS)


def test_every_sentence_is_whole() -> None:
    for key in keys():
        assert key.doc.endswith("."), key.name
        assert not key.because.endswith("."), key.name


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (
            BrokerSettings.log_retention_ms,
            "none; then `log.retention.minutes` or `log.retention.hours` counts.",
        ),
        (BrokerSettings.listeners, "Fixed at start here: sockets are bound once. Kafka can change it while it runs."),
        (BrokerSettings.ssl_keystore_location, "`listener.name.NAME.ssl.keystore.location`"),
        (BrokerSettings.authorizer_class_name, "**stops the start**"),
        (BrokerSettings.broker_id, "Fixed at start."),
        (TopicSettings.retention_ms, "Default: the broker's `log.retention.ms`."),
        (TopicSettings.retention_ms, "May change while the broker runs, for each topic."),
        (BrokerSettings.host_name, "Default: empty."),
    ],
)
def test_what_an_entry_says(key: Key[Any], line: str) -> None:
    assert line in entry(key)
