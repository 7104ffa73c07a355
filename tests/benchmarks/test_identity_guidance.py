"""Curves of right names against variety: what lies beyond one, and where nothing can be said."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("diffusers")

import identity
import identity_guidance
from identity_guidance import AFTER, BEFORE, FOUND, SPREAD, name_of


def scores(points):
    index = pd.MultiIndex.from_tuples(list(points), names=["arm", "seed"])
    return pd.DataFrame(list(points.values()), index=index, columns=[FOUND, SPREAD])


def curve(seed=0):
    return {(name_of(BEFORE, 1.0), seed): (0.2, 2.0), (name_of(BEFORE, 2.0), seed): (0.8, 1.0)}


def test_what_lies_beyond_a_curve_is_read_along_both_axes():
    wide = scores({**curve(), (name_of(AFTER, 2.0), 0): (0.65, 1.5)})
    told = identity_guidance.beyond(wide, 2.0)
    # at spread 1.5 the curve finds .5; where it finds .65 its spread is 1.25
    np.testing.assert_allclose(told, [[0.15, 0.25]])


def test_nothing_is_said_beyond_the_ends_of_a_curve_or_where_it_is_a_point():
    wide = scores({**curve(), (name_of(AFTER, 2.0), 0): (0.9, 1.5)})
    told = identity_guidance.beyond(wide, 2.0)
    assert told[FOUND].tolist() == pytest.approx([0.4])
    assert told[SPREAD].isna().all()
    lone = scores({(name_of(BEFORE, 1.0), 0): (0.2, 2.0), (name_of(AFTER, 2.0), 0): (0.2, 2.0)})
    assert identity_guidance.beyond(lone, 2.0).isna().all(axis=None)


def test_a_seed_is_compared_with_its_own_curve_and_the_table_counts_them():
    wide = scores(
        {
            **curve(),
            **{(arm, 1): (found, spread + 1) for (arm, _), (found, spread) in curve().items()},
            (name_of(AFTER, 2.0), 0): (0.65, 1.5),
            (name_of(AFTER, 2.0), 1): (0.65, 2.5),
            (name_of(AFTER, 3.0), 0): (0.9, 1.5),
        }
    )
    lines = identity_guidance.guidance_tables(wide).splitlines()[2:]
    assert lines[2].endswith("| **+0.150 ± 0.000** | **+0.250 ± 0.000** | 2 |")
    assert lines[3].startswith("| 3 | – | – | 0.900 | 1.500 |")
    assert lines[3].endswith("| +0.400 | – | 1 |")


def test_the_default_guidance_is_that_of_the_newcomers_who_are_judged_otherwise():
    assert not set(identity_guidance.GUIDED) & {*identity.PICTURES, *identity.EVERY}
    for policy in (BEFORE, AFTER):
        assert name_of(policy, identity_guidance.LIKENESS_GUIDANCE) in identity.PICTURES
