import re
from base64 import b64decode
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from picture_scorecard import (
    NAMES,
    PRIVATE_PATH,
    drawn_newcomers,
    drawn_pairs,
    drawn_samples,
    make_picture_history,
    make_picture_scorecard,
    newcomer_pairs,
)
from PIL import Image

from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.report import picture_grid
from reinforge.report.picture_page import render_pictures

ALLOWED = frozenset(
    "html head meta link title style body header main section nav article footer h1 h2 h3 p b i a "
    "ul ol li dl dt dd div span table caption thead tbody tr th td code figure figcaption details "
    "summary bdi svg desc text line rect path circle img".split()
)
VERDICTS = r"\b(anonym\w*|complian\w*|compliant|safe\w*|pass|passes|passed|fail|fails|failed)\b"
EDITIONS = ("internal", "releasable")
STRANGER = "Zedekiah Outsider"  # a person of no sample


@cache
def whole(edition):
    """A page of everything; written once for the tests that only read it."""
    return render_pictures(**everything(), edition=edition)


@pytest.fixture
def scorecard_of_pictures():
    """A whole scorecard, made anew for every test."""
    return make_picture_scorecard()


@pytest.fixture
def arguments():
    """Arguments that a test may change."""
    return everything()


def everything():
    """Everything that a page can hold."""
    return {
        "scorecard": make_picture_scorecard(),
        "samples": drawn_samples(2, size=16),
        "pairs": drawn_pairs(size=16),
        "newcomers": drawn_newcomers(2, size=16),
        "newcomer_pairs": newcomer_pairs(size=16),
        "history": make_picture_history(),
        "settings": {"verb": "run", "system": "identity", "seed": 7},
    }


def planted(arguments):
    """The same with a private name or a path wherever foreign text can stand."""
    card = arguments["scorecard"]
    text = f"picture 3 of {NAMES[0]} in {PRIVATE_PATH}"
    named = f"{NAMES[1].replace('_', ' ')} and {STRANGER.upper()} have one picture"
    score = {**card["scores"][0], "value": None, "baseline": {NAMES[2]: 0.4, PRIVATE_PATH: 0.5}}
    card["scores"] += [
        {**score, "group": f"identity={NAMES[0]}", "value": 0.3},
        {**score, "group": STRANGER, "value": 0.3},
        {**score, "name": "density", "reason": text},
        {**score, "name": "kid", "reason": named, "meaning": named},
        {**score, "name": NAMES[3], "value": 0.4},
        {**score, "name": "rank1", "value": 0.4},
    ]
    card["context"] |= {
        "warnings": [text, named],
        "not_tested": [named],
        "generator": PRIVATE_PATH,
        "sensitive": [NAMES[0]],
        "files": [PRIVATE_PATH, "visit_3.jpg"],
        NAMES[2]: 3,
        "deep": {PRIVATE_PATH: 3, "who": NAMES[3], "people": list(NAMES)},
    }
    card["figures"]["arms"].append({"arm": NAMES[0], "score": "map", "value": 0.5})
    card["figures"]["roc"].append({**card["figures"]["roc"][0], "name": NAMES[1]})
    card["figures"][NAMES[0]] = {"nearest": [PRIVATE_PATH]}
    arguments["settings"] |= {"photos": PRIVATE_PATH, "names": list(NAMES), NAMES[1]: 2}
    arguments["history"][-1] |= {NAMES[2]: 1.0, "alarms": [named, text]}
    arguments["history"][-2] |= {NAMES[2]: 2.0}
    return arguments | {"title": f"Faces of {NAMES[3]}"}


def images_of(page):
    """Every picture in a page, decoded."""
    found = []
    for _, name, value in page.attributes:
        if name == "src":
            head, _, body = value.partition(",")
            assert head == "data:image/png;base64"
            with Image.open(BytesIO(b64decode(body))) as image:
                assert image.info == {}
                found.append(np.array(image))
    return found


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_page_has_no_script_no_handler_and_no_foreign_address(edition, read_page):
    page = read_page(whole(edition))
    assert set(page.tags) <= ALLOWED
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    addresses = [v for _, name, v in page.attributes if name in {"href", "src", "srcset", "action"}]
    assert all(a.startswith(("#", "data:image/png;base64,")) or a == "data:," for a in addresses)
    assert not re.search(r"url\(|@import|https?:", page.source)
    targets = {value for _, name, value in page.attributes if name == "id"}
    assert {a[1:] for a in addresses if a.startswith("#")} <= targets


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_page_speaks_no_verdict_but_shows_every_score(edition, arguments, read_page):
    page = read_page(whole(edition))
    assert not re.search(VERDICTS, page.text, re.IGNORECASE)
    for score in arguments["scorecard"]["scores"]:
        assert score["name"] in page.text
        assert score["group"] == "all" or score["group"] in page.text
    n_named = sum(tag == "svg" and name == "aria-label" for tag, name, _ in page.attributes)
    n_decoration = sum(tag == "svg" and name == "aria-hidden" for tag, name, _ in page.attributes)
    assert n_named + n_decoration == page.tags.count("svg")
    n_described = sum(tag == "img" and name == "alt" for tag, name, _ in page.attributes)
    assert n_described == page.tags.count("img")


def test_the_releasable_page_holds_no_name_and_no_path(arguments):
    source = render_pictures(**planted(arguments), private=[STRANGER], edition="releasable")
    parts = [part for name in (*NAMES, STRANGER) for part in re.split(r"[\W_]", name)]
    found = re.search("|".join((*parts, "/srv", "clinic", "visit_3")), source, re.IGNORECASE)
    assert not found
    assert "left out of this edition" in source


def test_planted_names_and_paths_do_stand_on_the_internal_page(arguments, read_page):
    text = read_page(render_pictures(**planted(arguments), edition="internal")).text
    for name in NAMES:
        assert name in text
    assert PRIVATE_PATH in text


def test_every_picture_of_the_releasable_page_is_a_synthetic_one(arguments, read_page):
    made = {
        picture.tobytes()
        for part in ("samples", "newcomers")
        for pictures in arguments[part].values()
        for picture in pictures
    }
    pairs = [*arguments["pairs"], *arguments["newcomer_pairs"]]
    real = {pair[1].tobytes() for pair in pairs}
    internal, public = (
        [image.tobytes() for image in images_of(read_page(whole(edition)))] for edition in EDITIONS
    )
    assert set(public) == made
    assert not real & set(public)
    assert set(internal) == made | real | {pair[0].tobytes() for pair in pairs}


def test_the_source_of_the_releasable_page_holds_no_real_picture(arguments):
    internal, source = whole("internal"), whole("releasable")
    for _, real, _, _ in [*arguments["pairs"], *arguments["newcomer_pairs"]]:
        uri = picture_grid.picture_view(real)["uri"]
        assert uri not in source
        assert uri in internal


def test_a_sample_that_is_all_but_a_real_picture_is_withheld(arguments, read_page):
    name = NAMES[2]
    real = arguments["pairs"][5][1]
    assert arguments["pairs"][5][3] == name
    noise = generator(0, "noise").integers(-3, 4, real.shape)
    arguments["samples"][name][1] = np.clip(real.astype(int) + noise, 0, 255).astype(np.uint8)
    copied = arguments["samples"][name][1].tobytes()
    arguments["scorecard"] = {}
    page = read_page(render_pictures(**arguments, edition="releasable"))
    assert copied not in {image.tobytes() for image in images_of(page)}
    assert "1 synthetic picture was withheld" in page.text
    page = read_page(render_pictures(**arguments, edition="internal"))
    assert copied in {image.tobytes() for image in images_of(page)}


def test_a_newcomer_who_is_all_but_a_real_picture_is_withheld(arguments, read_page):
    real = arguments["newcomer_pairs"][0][1]
    arguments["newcomers"]["new-00003"][0] = copied = real ^ 1
    pages = {e: read_page(render_pictures(**arguments, edition=e)) for e in EDITIONS}
    shown = {e: {i.tobytes() for i in images_of(page)} for e, page in pages.items()}
    assert copied.tobytes() in shown["internal"]
    assert copied.tobytes() not in shown["releasable"]
    assert "1 synthetic picture was withheld" in pages["releasable"].text


def test_newcomers_go_by_their_folders_inside_and_by_numbers_outside(arguments, read_page):
    arguments["newcomers"][NAMES[0]] = arguments["newcomers"].pop("new-00004")
    inside, outside = (read_page(render_pictures(**arguments, edition=e)).text for e in EDITIONS)
    assert "new-00008" in inside
    assert "who should look like nobody" in inside
    assert inside.index("By pixels, and by asking") < inside.index(
        "Newcomers, who should look like"
    )
    assert "new-00008" not in outside
    assert "newcomer 9" in outside
    assert NAMES[0] not in outside
    assert "Newcomers beside real strangers" in outside
    nobody = read_page(render_pictures({}, edition="internal", samples=drawn_samples(1, size=16)))
    assert "do not exist" not in nobody.text.split("Scores without")[0]


def test_names_have_no_part_in_the_order_of_the_numbers(arguments, read_page):
    pages = []
    for names in (NAMES, NAMES[::-1]):
        given = dict(zip(names, drawn_samples(2, size=16).values(), strict=True))
        given = {name: given[name] for name in sorted(given)}
        page = read_page(render_pictures({}, samples=given, edition="releasable"))
        pages.append([image.tobytes() for image in images_of(page)])
    assert pages[0] == pages[1]


def test_the_map_of_the_releasable_page_shows_synthetic_pictures_alone(read_page):
    hollow = {}
    for edition in EDITIONS:
        page = read_page(whole(edition))
        marks = [v for _, name, v in page.attributes if name == "class" and v and " id-" in v]
        hollow[edition] = sum(mark.startswith("hollow") for mark in marks)
        assert sum(mark.startswith("solid") for mark in marks) == 7 * len(NAMES) + 1  # the key
    assert hollow == {"internal": 2 * (7 * len(NAMES) + 1), "releasable": 0}


@pytest.mark.parametrize("edition", EDITIONS)
def test_hostile_text_stays_text_wherever_it_stands(edition, payloads, read_page):
    payload = " ".join(payloads)
    card = make_picture_scorecard()
    card["scores"][0] |= {"group": payload, "meaning": payload, "baseline": {payload: 0.4}}
    card["scores"].append({"name": payload, "value": None, "reason": payload})
    card["context"] |= {"warnings": [payload], payload: {payload: payload}}
    card["figures"]["arms"][0] |= {"arm": payload, "score": payload}
    card["figures"]["sphere"]["identity"][0] = payload
    page = read_page(
        render_pictures(
            card,
            edition=edition,
            samples={payload: drawn_samples(1, size=16)[NAMES[0]]},
            pairs=[(*drawn_pairs(size=16)[0][:3], payload)],
            newcomers={payload: drawn_samples(1, size=16)[NAMES[1]]},
            newcomer_pairs=[(*drawn_pairs(size=16)[1][:3], payload)],
            settings={payload: payload},
            history=[{"step": 0, payload: 1.0}, {"step": 1, payload: 2.0, "alarms": [payload]}],
            title=payload,
        )
    )
    assert set(page.tags) <= ALLOWED
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.tags.count("title") == 1 + page.tags.count("desc")
    assert (payload in page.text) == (edition == "internal")


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_page_of_many_large_noisy_pictures_stays_small_and_says_what_it_leaves_out(
    edition, read_page
):
    noise = generator(1, "noise").integers(0, 256, (10, 160, 160, 3), dtype=np.uint8)
    samples = {f"p{k:03d}": np.roll(noise[:4], k, axis=1) for k in range(30)}
    pairs = [(noise[0], noise[1], 0.1, "p001")] * 40
    both = {"samples": samples, "pairs": pairs}
    both |= {"newcomers": samples, "newcomer_pairs": pairs}
    page = read_page(render_pictures({}, edition=edition, **both))
    assert len(page.source) < 5_000_000
    assert "of 30 people, spread evenly" in page.text
    assert "shrunk to 128 pixels" in page.text
    assert max(max(image.shape[:2]) for image in images_of(page)) == picture_grid.LARGEST


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_empty_scorecard_gives_a_page_that_says_so(edition, read_page):
    text = read_page(render_pictures({}, edition=edition)).text
    assert "The scorecard holds no score" in text
    assert "Nothing here says that there is no risk" in text
    assert "What was not tested" in text


@pytest.mark.parametrize("value", [None, [], [{}]])
@pytest.mark.parametrize("edition", EDITIONS)
def test_the_page_works_without_its_figures(edition, value, scorecard_of_pictures):
    for key in scorecard_of_pictures["figures"]:
        scorecard_of_pictures["figures"][key] = value
    page = render_pictures(scorecard_of_pictures, edition=edition)
    assert "What was not tested" in page


def test_equal_arguments_give_equal_bytes(arguments):
    for edition in EDITIONS:
        assert whole(edition) == render_pictures(**arguments, edition=edition)


def test_learning_curves_stand_by_phase_and_alarms_once(arguments, read_page):
    arguments["history"][-2]["alarms"] = arguments["history"][-1]["alarms"]
    history = arguments["history"]
    text = read_page(render_pictures({}, history=history, edition="internal")).text
    assert text.index("The generator") < text.index("The recogniser that rewards")
    assert text.count("noise or hard outlines") == 1
    assert "Step 158: sharpness" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": {"Ada": np.zeros((2, 8, 8, 3))}}, "samples of 'Ada' must hold uint8"),
        ({"samples": {"Ada": np.zeros((2, 8, 8, 4), np.uint8)}}, "with 1 or 3 channels"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(change, message):
    with pytest.raises(InputError, match=message) as caught:
        render_pictures({}, **{"edition": "internal", **change})
    assert "\n" not in str(caught.value)
