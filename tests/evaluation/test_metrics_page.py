from pathlib import Path

import pytest

from reinforge.evaluation.catalogue import BETTER

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(BETTER))
def test_the_page_defines_every_score(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", ["anonymous", "anonymised", "compliant", "compliance"])
def test_the_page_and_the_meanings_give_no_verdict(word):
    from reinforge.evaluation.catalogue import MEANINGS

    assert word not in PAGE.lower()
    assert not any(word in meaning.lower() for meaning in MEANINGS.values())
