import warnings

import pytest

from reinforge.data.alike import look_alikes, warn_of_alike_levels
from reinforge.schema import Column, Schema


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["f", "m"], []),
        (["f", "F", "m", " f"], [("f", "F"), ("f", " f")]),
        (["Straße", "STRASSE"], [("Straße", "STRASSE")]),
        (["ﬁne", "fine"], [("ﬁne", "fine")]),  # a ligature
        (["a b", "ab"], []),
        ([], []),
    ],
)
def test_only_case_ends_and_forms_of_letters_are_looked_past(names, pairs):
    assert look_alikes(names) == pairs


def test_a_column_of_many_pairs_is_told_in_one_line():
    levels = [f"{way}{k}" for k in range(5) for way in ("a", "A")]
    column = Column(name="ward", dtype="str", kind="categorical", categories=tuple(levels))
    with pytest.warns(UserWarning, match=r"'a2' and 'A2' and 2 more pairs look alike") as told:
        warn_of_alike_levels(Schema(columns=(column,)))
    assert len(told) == 1
    assert "\n" not in str(told[0].message)


def test_numbers_as_levels_look_like_nothing():
    column = Column(name="code", dtype="int64", kind="categorical", categories=(1, 2, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_alike_levels(Schema(columns=(column,)))
