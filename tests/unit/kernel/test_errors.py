"""Messages say what is wrong, where, and what to do next."""

from __future__ import annotations

import pytest

from cds_service.kernel import errors
from cds_service.kernel.errors import BoneCdsError, ContentError, InputError


@pytest.mark.parametrize(
    ("where", "next_step", "message"),
    [
        ("", "", "it is broken."),
        ("line 3", "", "it is broken (at line 3)."),
        ("", "Mend it.", "it is broken. Mend it."),
        ("line 3", "Mend it.", "it is broken (at line 3). Mend it."),
    ],
)
def test_an_input_error_in_one_line(where: str, next_step: str, message: str) -> None:
    assert str(InputError("it is broken", where, next_step)) == message


def test_place_and_next_step_may_be_left_out() -> None:
    problem = InputError("it is broken")
    assert (str(problem), problem.what, problem.where, problem.next_step) == ("it is broken.", "it is broken", "", "")
    assert str(ContentError("a.toml", "k", "wrong")) == "a.toml: k: wrong"


@pytest.mark.parametrize(("fix", "message"), [("", "a.toml: k: wrong"), ("Mend it.", "a.toml: k: wrong. Mend it.")])
def test_a_content_error_names_file_and_key(fix: str, message: str) -> None:
    problem = ContentError("a.toml", "k", "wrong", fix)
    assert (str(problem), problem.file, problem.key) == (message, "a.toml", "k")


def test_a_problem_that_is_a_sentence_already_gets_no_second_full_stop() -> None:
    assert str(ContentError("a.toml", "k", "It is wrong.", "Mend it.")) == "a.toml: k: It is wrong. Mend it."


@pytest.mark.parametrize(
    "name", ["JsonRefused", "RequestRefused", "PayloadTooLarge", "PatientMismatch", "Unassessable"]
)
def test_what_came_from_outside_can_be_caught_as_one(name: str) -> None:
    assert issubclass(getattr(errors, name), InputError)


def test_our_own_content_is_not_the_senders_fault() -> None:
    assert issubclass(ContentError, BoneCdsError)
    assert not issubclass(ContentError, InputError)
