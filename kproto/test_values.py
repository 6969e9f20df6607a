"""Values behave as the frozen dataclasses of Python do, but for who looks after the freezing."""

import dataclasses
import re

import pytest

from kproto.values import frozen


@frozen
class Place:
    """Somewhere."""

    host: str
    ports: tuple[int, ...] = dataclasses.field(default=(), kw_only=True)


@frozen
class Other:
    host: str
    ports: tuple[int, ...] = ()


@frozen
class Nothing:
    pass


def test_values_are_equal_if_their_class_and_all_their_fields_are() -> None:
    assert Place("a", ports=(1,)) == Place("a", ports=(1,))
    assert Place("a", ports=(1,)) != Place("a", ports=(2,))
    other: object = Other("a")
    assert Place("a") != other
    assert Nothing() == Nothing()


def test_equal_values_are_one_key() -> None:
    assert {Place("a", ports=(1,)), Place("a", ports=(1,)), Place("b"), Nothing(), Nothing()} == {
        Place("b"),
        Nothing(),
        Place("a", ports=(1,)),
    }


def test_a_value_shows_its_fields_by_name() -> None:
    assert repr(Place("a", ports=(1, 2))) == "Place(host='a', ports=(1, 2))"
    assert repr(Nothing()) == "Nothing()"


def test_a_value_can_be_taken_apart_and_copied_with_a_change() -> None:
    match Place("a", ports=(1,)):
        case Place(host, ports=(port,)):
            assert (host, port) == ("a", 1)
        case _:
            pytest.fail("no match")
    assert dataclasses.replace(Place("a", ports=(1,)), host="b") == Place("b", ports=(1,))


def test_a_value_has_no_room_for_other_attributes() -> None:
    with pytest.raises(AttributeError, match=re.escape("'Place' object has no attribute 'colour'")):
        Place("a").colour = "red"  # type: ignore[attr-defined]
