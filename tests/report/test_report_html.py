import re
from pathlib import Path

import pytest

from reinforge.report import html
from reinforge.report.numbers import visible

ALLOWED = frozenset(
    "html head meta link title style body header main section nav article footer h1 h2 h3 p b i a "
    "ul ol li dl dt dd div span table caption thead tbody tr th td code figure figcaption details "
    "summary bdi svg desc text line rect path circle".split()
)
VERDICTS = r"\b(anonym\w*|complian\w*|compliant|safe\w*|pass|passes|passed|fail|fails|failed)\b"


@pytest.fixture
def page(scorecard, history, read_page):
    return read_page(html.render(scorecard, history=history, settings={"seed": 0}))


def test_the_page_has_no_script_no_handler_and_no_foreign_address(page):
    assert set(page.tags) <= ALLOWED
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    addresses = [v for _, name, v in page.attributes if name in {"href", "src", "srcset", "action"}]
    assert all(address.startswith("#") or address == "data:," for address in addresses)
    assert not re.search(r"url\(|@import|https?:", page.source)


def test_every_link_inside_the_page_has_its_target(page):
    targets = {value for _, name, value in page.attributes if name == "id"}
    links = {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
    assert links <= targets


def test_the_page_forbids_everything_but_its_own_style(page):
    policy = next(v for _, name, v in page.attributes if name == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_the_page_speaks_no_verdict(page):
    assert not re.search(VERDICTS, page.text, re.IGNORECASE)


def test_every_chart_has_a_name_for_screen_readers(page):
    n_named = sum(tag == "svg" and name == "aria-label" for tag, name, _ in page.attributes)
    n_decoration = sum(tag == "svg" and name == "aria-hidden" for tag, name, _ in page.attributes)
    assert n_named > 40
    assert n_named + n_decoration == page.tags.count("svg")


def test_all_score_names_and_groups_stand_on_the_page(page, scorecard):
    for score in scorecard["scores"]:
        assert score["name"] in page.text
        assert score["group"] == "all" or score["group"] in page.text


def test_the_page_is_small(page):
    assert len(page.source.encode()) < 400_000


def test_hostile_text_stays_text_wherever_it_stands(payload, hostile_arguments, read_page):
    page = read_page(html.render(**hostile_arguments(payload)))
    assert set(page.tags) <= ALLOWED
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.tags.count("title") == 1 + page.tags.count("desc")
    assert page.title == payload
    assert page.text.count(payload) > 20


def test_awkward_names_are_shown_and_can_be_written(awkward, hostile_arguments, read_page):
    page = read_page(html.render(**hostile_arguments(awkward)))
    page.source.encode("utf-8")
    assert visible(awkward) in page.text
    assert set(page.tags) <= ALLOWED


def test_the_page_of_a_hundred_columns_stays_below_two_megabytes(scorecard):
    name = "column " * 40
    level = "level " * 50
    figures = scorecard["figures"]
    figures["marginals"] = [
        {
            "column": f"{name}{k}",
            "kind": ("continuous", "categorical")[k % 2],
            "labels": [f"{level}{j}" for j in range(20)],
            "train": [0.05] * 20,
            "holdout": [0.05] * 20,
            "synthetic": [0.05 + (j - 9.5) / 1000 for j in range(20)],
        }
        for k in range(100)
    ]
    matrix = [[((i * 37 + j * 11) % 100) / 100 for j in range(100)] for i in range(100)]
    names = [f"{name}{k}" for k in range(100)]
    figures["association"] = {"columns": names, "train": matrix, "synthetic": matrix[::-1]}
    page = html.render(scorecard, history=[{"step": k, "reward": k % 7} for k in range(30_000)])
    assert len(page.encode()) < 1_000_000
    assert "60 of 100 columns" in page
    assert "40 of 100 columns" in page


@pytest.mark.parametrize("key", ["scores", "context", "figures"])
def test_the_page_works_without_one_part_of_the_scorecard(key, scorecard, read_page):
    del scorecard[key]
    page = read_page(html.render(scorecard))
    assert page.tags.count("h1") == 1
    assert "What was not tested" in page.text


@pytest.mark.parametrize("key", ["marginals", "association", "roc", "projection", "rules"])
def test_the_page_works_without_one_figure(key, scorecard):
    scorecard["figures"][key] = None
    assert "What was not tested" in html.render(scorecard)


def test_the_page_works_without_target_groups_and_history(scorecard, read_page):
    kept = [s for s in scorecard["scores"] if s["group"] == "all" and "2r" not in s["name"]]
    scorecard["scores"] = [s for s in kept if not s["name"].startswith("r2s")]
    text = read_page(html.render(scorecard)).text
    assert "No utility score has a value" in text
    assert "No sensitive column was named" in text
    assert "How the generator learnt" not in text


def test_the_page_of_a_table_with_one_column_is_written(scorecard):
    one = scorecard["figures"]["marginals"][:1]
    scorecard["figures"] = {
        "marginals": one,
        "association": {"columns": ["age"], "train": [[1.0]], "synthetic": [[1.0]]},
        "projection": {"real": [[1.0]], "synthetic": [[1.0]]},
    }
    assert "Columns two by two" not in html.render(scorecard)


def test_scores_without_any_value_are_listed_with_their_reasons(scorecard, read_page):
    for score in scorecard["scores"]:
        score |= {"value": None, "reason": f"{score['name']} had too few rows"}
    text = read_page(html.render(scorecard)).text
    assert "membership_auc had too few rows" in text
    assert "Nothing here says that there is no risk" in text


def test_the_same_scorecard_gives_the_same_bytes(scorecard, history):
    assert html.render(scorecard, history=history) == html.render(scorecard, history=history)


def test_the_style_prints_turns_dark_and_reaches_for_nothing():
    css = (Path(html.TEMPLATES) / "report.css").read_text(encoding="utf-8")
    assert "@media print" in css
    assert "prefers-color-scheme: dark" in css
    assert "</" not in css


def test_columns_that_others_decide_are_named_with_their_source(scorecard, read_page):
    sources = {"ward": "site <b>", **{f"c{k}": "age" for k in range(40)}}
    page = read_page(html.render(scorecard, settings={"looked_up": sources}))
    assert "ward (from site <b>), c0 (from age)" in page.text
    assert "c28 (from age), and 11 more." in page.text
    assert "Columns looked up" in page.text
    assert "ooked up" not in read_page(html.render(scorecard, settings={"looked_up": {}})).text


def test_leakage_on_halves_is_told_where_it_was_asked_for(scorecard, read_page):
    tried = [
        {"settings": {}, "membership_auc": {"value": 0.56, "low": 0.54, "high": 0.58}},
        {
            "settings": {"hidden_from_encoder": 0.75},
            "membership_auc": {"value": 0.53, "low": 0.5149, "high": 0.545},
        },
    ]
    text = read_page(html.render(scorecard, settings={"leakage": tried})).text
    assert "as they were: 0.560 (0.540 to 0.580); hidden_from_encoder 0.75: 0.530 (0.515" in text
    assert "kept out once" not in read_page(html.render(scorecard, settings={})).text


def test_a_curve_without_a_name_of_its_own_shows_its_key_once(scorecard, read_page):
    history = [{"step": k, "reward: mine": k / 7, "kl": k / 9} for k in range(5)]
    page = read_page(html.render(scorecard, history=history))
    assert page.text.count("reward: mine") == page.source.count("<title>reward: mine") + 1
    assert "<code>kl</code>" in page.source
