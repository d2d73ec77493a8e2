"""Errors are sentences, and stay what they are on their way from one process to another."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import kg
from kg import errors
from kg.errors import KGError, NoInput, NotAcceptable, NotFound, ReadError, UsageError
from kg.query.worker import _reply_of, error_of
from tests.small import small

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KGError)
]


def by_pickle(error: KGError) -> KGError:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert isinstance(again, KGError)
    return again


def by_reply(error: KGError) -> KGError:
    return error_of(_reply_of(error))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_of_any_kind_is_pickled(kind: type[KGError]) -> None:
    again = by_pickle(kind("paper.json: cannot be read"))
    assert (type(again), str(again)) == (kind, "paper.json: cannot be read")


@pytest.mark.parametrize("carried", [by_pickle, by_reply])
def test_what_is_not_found_keeps_its_sentence_and_the_nearest(
    carried: Callable[[KGError], KGError], tmp_path: Path
) -> None:
    with pytest.raises(NotFound) as caught:
        kg.KnowledgeGraph(small()).entity("Tinny")
    again = carried(caught.value)
    assert isinstance(again, NotFound)
    assert again.nearest == caught.value.nearest == ("Tiny",)
    assert str(again) == str(caught.value)
    assert str(again) == "no entity is called 'Tinny'; the nearest are: Tiny"
    with pytest.raises(NotFound) as caught:
        kg.load(tmp_path)
    assert str(carried(caught.value)) == str(caught.value)


@pytest.mark.parametrize("kind", [UsageError, NotAcceptable, ReadError, NoInput, NotFound])
def test_a_query_process_tells_of_which_kind_an_error_is(kind: type[KGError]) -> None:
    class Narrower(kind):  # type: ignore[misc, valid-type]
        """What the asker does not know by name."""

    assert type(by_reply(Narrower("no"))) is kind
