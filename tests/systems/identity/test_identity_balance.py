import numpy as np
import pytest

from reinforge.errors import InputError
from reinforge.records import ImageSet
from reinforge.systems.identity.balance import group_amounts

NAMES = ("ann", "bo", "cy", "di")


def _real(counts, groups):
    """So many pictures of each person, who is of that group."""
    return ImageSet(
        pixels=np.zeros((sum(counts), 4, 4, 1), dtype=np.uint8),
        identity=np.repeat(np.arange(len(counts)), counts),
        names=NAMES[: len(counts)],
        group=None if groups is None else tuple(np.repeat(list(groups), counts)),
    )


def test_real_and_synthetic_pictures_of_groups_are_level():
    # one each: 10 and 5; five more to "y": 10 and 10; the last three in turn, "x" first
    amounts = group_amounts(_real([4, 4, 2, 1], "xxyy"), 3)
    assert amounts == {"ann": 2, "bo": 2, "cy": 4, "di": 4}


def test_inside_a_group_whoever_has_fewest_real_pictures_gets_the_odd_one():
    # one each: 6 and 6, then in turn; below 7 and 9, then "x" thrice and "y" once
    assert group_amounts(_real([2, 2, 3, 1], "xxyy"), 2) == {"ann": 2, "bo": 2, "cy": 2, "di": 2}
    assert group_amounts(_real([3, 2, 5, 2], "xxyy"), 2) == {"ann": 2, "bo": 3, "cy": 1, "di": 2}


def test_a_group_that_is_far_ahead_still_gets_a_picture_of_each():
    amounts = group_amounts(_real([50, 50, 1, 1], "xxyy"), 3)
    assert amounts == {"ann": 1, "bo": 1, "cy": 5, "di": 5}


def test_as_many_pictures_are_drawn_as_without_balance():
    for per_identity in (1, 2, 7):
        amounts = group_amounts(_real([9, 1, 4, 4], "xyzz"), per_identity)
        assert sum(amounts.values()) == 4 * per_identity
        assert min(amounts.values()) >= 1


@pytest.mark.parametrize(
    ("groups", "expected"), [(None, "not known; .*column 'group'"), ("xxxx", "all people are of")]
)
def test_without_groups_to_level_it_is_refused(groups, expected):
    with pytest.raises(InputError, match=expected):
        group_amounts(_real([2, 2, 2, 2], groups), 2)


def test_no_picture_is_refused():
    with pytest.raises(InputError, match="at least 1 picture"):
        group_amounts(_real([2, 2, 2, 2], "xxyy"), 0)
