from pathlib import Path

import pytest

from reinforge.evaluation.catalogue import BETTER, MEANINGS
from reinforge.evaluation.picture_catalogue import PICTURE_BETTER, PICTURE_MEANINGS

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(BETTER))
def test_the_page_defines_every_score(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", ["anonymous", "anonymised", "compliant", "compliance"])
def test_the_page_and_the_meanings_give_no_verdict(word):
    assert word not in PAGE.lower()
    for meanings in (MEANINGS, PICTURE_MEANINGS):
        assert not any(word in meaning.lower() for meaning in meanings.values())


def test_scores_that_tables_and_pictures_share_have_one_direction():
    shared = set(MEANINGS) & set(PICTURE_MEANINGS)
    assert shared == {"density", "coverage", "membership_auc", "membership_tpr_at_1pct_fpr"}
    assert {name: PICTURE_BETTER[name] for name in shared} == {
        name: BETTER[name] for name in shared
    }
