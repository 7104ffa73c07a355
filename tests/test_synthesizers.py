import json
import re
import shutil
import struct
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from reinforge import InputError, Schema, TabularSynthesizer, split_table
from reinforge.data.infer import infer_schema
from reinforge.files import sha256_file
from reinforge.systems.tabular.config import TabularConfig
from reinforge.systems.tabular.reward import Reward
from reinforge.training import Interrupted

QUICK = {
    "batch_rows": 32,
    "hidden": 16,
    "noise_dim": 4,
    "discriminator_hidden": 16,
    "n_steps": 6,
    "cold_start_steps": 2,
    "discriminator_warmup": 1,
}


def quick(**settings):
    return {k: v for k, v in {**QUICK, **settings}.items() if k in TabularConfig.model_fields}


def patients(n_rows=120, seed=0):
    """Columns of every kind and of many dtypes."""
    numbers = np.random.default_rng(seed)
    days = pd.to_timedelta(numbers.integers(0, 300, n_rows), unit="D")
    frame = pd.DataFrame(
        {
            "id": [f"P{k:06d}" for k in range(n_rows)],
            "weight": numbers.normal(70, 12, n_rows).round(1),
            "small": numbers.normal(size=n_rows).astype("float32"),
            "visits": numbers.integers(0, 9, n_rows).astype("int16"),
            "children": pd.array(numbers.integers(0, 4, n_rows), dtype="Int64"),
            "smoker": numbers.random(n_rows) < 0.3,
            "consent": pd.array(numbers.random(n_rows) < 0.5, dtype="boolean"),
            "sex": numbers.choice(["F", "M"], n_rows),
            "blood": pd.Categorical(numbers.choice(["A", "B", "0"], n_rows)),
            "stage": pd.Categorical(
                numbers.choice(["I", "II", "III"], n_rows), ["I", "II", "III"], ordered=True
            ),
            "born": pd.Timestamp("1950-01-01") + days,
            "seen": (pd.Timestamp("2020-03-01 10:00") + days).tz_localize("Europe/Berlin"),
            "stay": days,
            "text day": (pd.Timestamp("2020-03-01") + days).strftime("%d.%m.%Y"),
            "site": "Ulm",
            "nothing": np.full(n_rows, np.nan),
        }
    )
    frame.loc[::5, "children"] = pd.NA
    frame.loc[::7, "sex"] = None
    frame.loc[::9, "weight"] = np.nan
    return frame


def fitted(frame=None, **settings):
    return TabularSynthesizer(seed=0, **quick(**settings)).fit(
        patients() if frame is None else frame
    )


@pytest.fixture(scope="module")
def model():
    return fitted()


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model.save(folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    """A saved model that a test may damage."""
    return shutil.copytree(saved, tmp_path / "model")


def test_columns_and_dtypes_come_back_as_they_went_in(model):
    real, made = patients(), model.sample(200)
    assert list(made.columns) == list(real.columns)
    pd.testing.assert_series_equal(made.dtypes, real.dtypes)
    assert made["stage"].cat.ordered
    assert list(made["stage"].cat.categories) == ["I", "II", "III"]


def test_values_are_of_the_kind_that_the_columns_hold(model):
    made = model.sample(300)
    assert set(made["sex"].dropna()) == {"F", "M"}
    assert set(made["blood"]) <= {"A", "B", "0"}
    assert made["visits"].between(0, 9).all()
    assert (made["weight"].dropna() == made["weight"].dropna().round(1)).all()
    assert (made["born"] == made["born"].dt.normalize()).all()
    assert made["seen"].dt.second.eq(0).all()
    assert pd.to_datetime(made["text day"], format="%d.%m.%Y").dt.year.isin([2020]).all()


def test_only_columns_with_gaps_get_gaps(model):
    gaps = model.sample(400).isna().any()
    assert set(gaps[gaps].index) == {"children", "sex", "weight", "nothing"}


def test_identifiers_are_made_up_constants_and_empty_columns_repeated(model):
    made = model.sample(50)
    assert made["id"].is_unique
    assert not set(made["id"]) & set(patients()["id"])
    assert (made["site"] == "Ulm").all()
    assert made["nothing"].isna().all()


def test_made_up_identifiers_go_on_from_block_to_block(model):
    assert model.sample(9000)["id"].is_unique


def test_a_saved_model_samples_the_same_rows(model, saved):
    again = TabularSynthesizer.load(saved)
    pd.testing.assert_frame_equal(again.sample(50, seed=3), model.sample(50, seed=3))
    where = {"stage": "II"}
    pd.testing.assert_frame_equal(again.sample(9, where=where), model.sample(9, where=where))
    assert again.schema == model.schema
    assert again.config == model.config
    assert (again.preset, again.seed) == (model.preset, model.seed)


def test_a_loaded_model_saves_to_the_same_bytes(saved, tmp_path):
    TabularSynthesizer.load(saved).save(tmp_path)
    for name in ("model.safetensors", "schema.json"):
        assert (tmp_path / name).read_bytes() == (saved / name).read_bytes()


def test_rules_and_preset_survive_saving(tmp_path):
    model = TabularSynthesizer("rlsyn-aireadi", seed=7, rules=["visits >= 0"], **quick()).fit(
        patients()
    )
    model.save(tmp_path)
    again = TabularSynthesizer.load(tmp_path)
    assert again.preset == "rlsyn-aireadi"
    assert again.seed == 7
    assert [rule.text for rule in again.rules] == ["visits >= 0"]
    pd.testing.assert_frame_equal(again.sample(20), model.sample(20))


@pytest.mark.parametrize("heads", ["auto", "gaussian", "bins", "minmax"])
@pytest.mark.parametrize("deviation", ["shared", "state", "fixed"])
def test_every_layout_survives_saving(heads, deviation, tmp_path):
    model = fitted(heads=heads, deviation=deviation)
    model.save(tmp_path)
    pd.testing.assert_frame_equal(TabularSynthesizer.load(tmp_path).sample(20), model.sample(20))


def test_a_model_is_two_files_without_code(saved):
    assert sorted(path.name for path in saved.iterdir()) == ["model.safetensors", "schema.json"]
    json.loads((saved / "schema.json").read_text(encoding="utf-8"))
    load_file(saved / "model.safetensors")


def refused(folder):
    with pytest.raises(InputError) as refusal:
        TabularSynthesizer.load(folder)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("name", ["model.safetensors", "schema.json"])
@pytest.mark.parametrize("harm", ["missing", "empty", "truncated", "flipped"])
def test_a_damaged_file_is_refused_by_name(copy, name, harm):
    path = copy / name
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        flipped = bytearray(content)
        flipped[len(content) // 2] ^= 4
        path.write_bytes({"empty": b"", "truncated": content[:-9], "flipped": bytes(flipped)}[harm])
    told = refused(copy)
    assert str(copy) in told
    assert name in told
    assert "no model here" in told if harm == "missing" else "damaged" in told


@pytest.mark.parametrize("digit", range(40))
def test_a_changed_digit_anywhere_in_the_description_is_noticed(copy, digit):
    path = copy / "schema.json"
    text = path.read_text(encoding="utf-8")
    places = [found.start() for found in re.finditer(r"(?<![\d.])[1-9]", text)]
    at = places[digit * len(places) // 40]
    path.write_text(text[:at] + str(int(text[at]) % 9 + 1) + text[at + 1 :], encoding="utf-8")
    refused(copy)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (99, "written by a newer reinforge (9.9); upgrade to load it"),
        (1, "written by an older reinforge (9.9); train again"),
    ],
)
def test_a_model_of_another_format_is_refused_with_its_version(copy, number, told):
    path = copy / "schema.json"
    content = json.loads(path.read_text()) | {"format": number, "version": "9.9", "sha256": None}
    path.write_text(json.dumps(content))
    assert told in refused(copy)


@pytest.mark.parametrize("text", ["[]", "{}", '{"system": "identity"}', "3"])
def test_a_description_of_something_else_is_refused(copy, text):
    (copy / "schema.json").write_text(text)
    assert "describes no tabular model" in refused(copy)


def seal(folder, edit=lambda content: None):
    """Make digests right again after an edit, as somebody would who means harm."""
    from reinforge.systems.tabular.saved import _digest

    path = folder / "schema.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["sha256"] = sha256_file(folder / "model.safetensors")
    content.pop("digest")
    edit(content)
    path.write_text(json.dumps({**content, "digest": _digest(content)}), encoding="utf-8")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(copy, number):
    weights = load_file(copy / "model.safetensors")
    weights["mean.weight"][0, 0] = number
    save_file(weights, copy / "model.safetensors")
    seal(copy)
    assert "NaN or infinite numbers; train again" in refused(copy)


def test_weights_of_another_shape_are_refused(copy):
    weights = load_file(copy / "model.safetensors")
    weights["mean.weight"] = torch.zeros(2, 3)
    save_file(weights, copy / "model.safetensors")
    seal(copy)
    assert "the model cannot be read" in refused(copy)


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.pop("layout"),
        lambda content: content.pop("config"),
        lambda content: content.update(schema={"columns": 3}),
        lambda content: content.update(config={"n_stepz": 3}),
        lambda content: content.update(preset="no such"),
        lambda content: content.update(rules=["import os"]),
        lambda content: content["layout"].update(heads=[]),
        lambda content: content["layout"]["heads"][0].pop("role"),
        lambda content: content["schema"]["columns"][1].update(kind="number"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused_even_with_right_digests(copy, edit):
    seal(copy, edit)
    assert str(copy) in refused(copy)


def test_pickles_are_never_opened(copy):
    torch.save({"weights": 3}, copy / "model.safetensors")
    assert "damaged" in refused(copy)
    seal(copy)
    assert "cannot be read" in refused(copy)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, path: m.sample(3),
        lambda m, path: m.sample_to(path / "rows.csv", 3),
        lambda m, path: m.save(path / "model"),
        lambda m, path: m.schema,
    ],
)
def test_before_fit_everything_else_says_so(call, tmp_path):
    with pytest.raises(InputError, match="nothing is learnt yet; call fit"):
        call(TabularSynthesizer(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_model_is_refused_by_name(tmp_path):
    assert "no model here" in refused(tmp_path / "nowhere")


def test_a_second_fit_forgets_the_first():
    twice = fitted()
    twice.fit(pd.DataFrame({"x": np.random.default_rng(1).normal(size=60)}))
    once = TabularSynthesizer(seed=0, **quick()).fit(
        pd.DataFrame({"x": np.random.default_rng(1).normal(size=60)})
    )
    pd.testing.assert_frame_equal(twice.sample(20), once.sample(20))
    assert [r["step"] for r in twice.history] == [r["step"] for r in once.history]
    assert twice.schema.names == ("x",)


def test_a_fit_that_fails_leaves_the_model_that_was_there():
    model = fitted()
    before = model.sample(10)
    with pytest.raises(InputError):
        model.fit(patients(10))
    pd.testing.assert_frame_equal(model.sample(10), before)


def test_the_training_table_is_not_changed():
    table = patients()
    fitted(table)
    pd.testing.assert_frame_equal(table, patients())


@pytest.mark.parametrize("order", ["index", "rows"])
def test_the_index_of_the_table_does_not_matter(model, order):
    table = patients()
    table.index = range(500, 620) if order == "index" else [3] * 120
    pd.testing.assert_frame_equal(fitted(table).sample(20), model.sample(20))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (patients(19), "19 training rows are too few to learn from; at least 20"),
        (patients(0), "the table has 0 rows"),
        (pd.DataFrame({"x": [1.0, np.inf] * 20}), "x"),
        (pd.DataFrame({"x": ["k"] * 40}), "no column is left to learn"),
        (
            pd.DataFrame(
                {
                    "x": np.arange(40) / 7,
                    "note": [
                        f"The patient, number {k}, felt rather well today." for k in range(40)
                    ],
                }
            ),
            "free text cannot be learnt, and column 'note' holds it",
        ),
        (
            pd.DataFrame({"x": np.arange(60) / 7, "rare": np.repeat([*"abcdefghijklmno"], 4)}),
            "column 'rare': no level is held by at least 5 rows",
        ),
    ],
)
def test_a_table_that_cannot_be_learnt_is_refused_before_work_starts(frame, message):
    seen = []
    with pytest.raises(InputError, match=message) as refusal:
        TabularSynthesizer(**quick()).fit(frame, on_step=seen.append)
    assert seen == []
    assert "\n" not in str(refusal.value)


def test_a_target_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no column 'outcome'; the table has 'id'"):
        TabularSynthesizer(**quick()).fit(patients(), target="outcome")


def test_more_rows_behind_a_number_than_there_are_rows_is_refused():
    with pytest.raises(InputError, match="min_rows = 200 is more than the 120 training rows"):
        fitted(min_rows=200)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "rlsin"}, "preset 'rlsin' is not known"),
        ({"n_stepz": 3}, "did you mean 'n_steps'"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"rules": ["eval(x)"]}, "rule"),
    ],
)
def test_bad_settings_are_refused_when_they_are_given(settings, message):
    with pytest.raises(InputError, match=message):
        TabularSynthesizer(**settings)


def test_overrides_and_a_whole_schema_are_followed():
    told = fitted_with({"visits": {"kind": "categorical"}})
    assert told.schema["visits"].kind == "categorical"
    whole = infer_schema(patients(), overrides={"site": {"kind": "categorical"}})
    assert isinstance(whole, Schema)
    assert set(fitted_with(whole).sample(20)["site"]) == {"Ulm"}


def fitted_with(schema):
    return TabularSynthesizer(seed=0, **quick()).fit(patients(), schema=schema)


def test_of_a_split_only_the_training_rows_and_the_users_words_are_used():
    table = patients(150)
    table["grade"] = np.random.default_rng(0).choice(["low", "mid", "high"], 150)
    split = split_table(
        table,
        seed=0,
        schema={
            "grade": {"kind": "ordinal", "categories": ["low", "mid", "high"]},
            "weight": {"minimum": 0, "maximum": 500},
            "id": {"kind": "identifier", "remake": False},
        },
    )
    model = TabularSynthesizer(seed=0, **quick()).fit(split)
    assert model.schema["grade"].categories == ("low", "mid", "high")
    assert (model.schema["weight"].minimum, model.schema["weight"].maximum) == (0, 500)
    assert "id" not in model.sample(5)
    split.holdout.loc[:, "weight"] = 9999.5
    split.holdout.loc[:, "sex"] = "unheard of"
    again = TabularSynthesizer(seed=0, **quick()).fit(split)
    pd.testing.assert_frame_equal(again.sample(50), model.sample(50))


def test_ordered_levels_that_only_the_holdout_holds_are_not_learnt():
    table = patients(150).drop(columns=["stage"])
    table["grade"] = np.where(np.arange(150) < 3, "top", np.where(np.arange(150) % 2, "b", "a"))
    words = {"grade": {"kind": "ordinal", "categories": ["a", "b", "top"]}}
    model = TabularSynthesizer(seed=0, **quick()).fit(split_table(table, seed=0, schema=words))
    assert model.schema["grade"].categories == ("a", "b")
    assert set(model.sample(300)["grade"]) <= {"a", "b"}


def test_a_column_that_few_rows_fill_is_left_empty_with_a_warning():
    table = patients()
    table["rare"] = np.where(np.arange(120) < 4, 987654.321, np.nan)
    with pytest.warns(UserWarning, match="column 'rare' holds values in 4 rows"):
        model = fitted(table)
    assert model.schema["rare"].kind == "empty"
    assert model.sample(100)["rare"].isna().all()


def test_a_declared_column_without_values_stays_empty():
    model = fitted_with({"nothing": {"kind": "continuous"}})
    assert model.sample(30)["nothing"].isna().all()


@pytest.mark.parametrize("keep", [["weight"], ["sex"], ["smoker"], ["born"], ["visits", "site"]])
@pytest.mark.parametrize("heads", ["auto", "minmax"])
def test_a_table_of_one_column_is_learnt_too(keep, heads):
    made = fitted(patients()[keep], heads=heads).sample(40)
    assert list(made.columns) == keep
    assert len(made) == 40


def test_equal_rows_are_learnt_as_equal_rows():
    table = pd.DataFrame({"x": [1.5] * 20 + [2.5] * 20, "c": ["a"] * 20 + ["b"] * 20})
    made = fitted(table).sample(100)
    assert set(made["x"]) <= {1.5, 2.5}


def test_huge_and_tiny_numbers_stay_finite():
    numbers = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "huge": numbers.normal(size=100) * 1e307,
            "tiny": numbers.normal(size=100) * 1e-300,
            "zero": np.where(numbers.random(100) < 0.5, 0.0, -0.0),
            "c": numbers.choice(["a", "b"], 100),
        }
    )
    for heads in ("auto", "minmax"):
        made = fitted(table, heads=heads).sample(200)
        assert np.isfinite(made[["huge", "tiny", "zero"]].to_numpy()).all()


def interrupted(folder, after, table=None, **settings):
    calls = []
    with pytest.raises(Interrupted):
        TabularSynthesizer(seed=0, **settings).fit(
            patients() if table is None else table,
            run_dir=folder,
            stop=lambda: calls.append(1) or len(calls) >= after,
        )


@pytest.mark.parametrize("after", [1, 2, 3, 7])
def test_an_interrupted_fit_resumes_to_the_straight_one(tmp_path, after):
    settings = quick(checkpoint_every=4)
    straight = TabularSynthesizer(seed=0, **settings).fit(patients(), run_dir=tmp_path / "a")
    straight.save(tmp_path / "straight")
    interrupted(tmp_path / "b", after, **settings)
    resumed = TabularSynthesizer(seed=0, **settings)
    resumed.fit(patients(), run_dir=tmp_path / "b", resume=True)
    resumed.save(tmp_path / "resumed")
    first, second = (tmp_path / name / "model.safetensors" for name in ("straight", "resumed"))
    assert first.read_bytes() == second.read_bytes()
    assert resumed.history == straight.history
    states = [sorted((tmp_path / x / "checkpoint").iterdir())[-1] for x in "ab"]
    assert states[0].name == states[1].name
    contents = [(state / "state.safetensors").read_bytes() for state in states]
    assert contents[0] == contents[1]
    histories = [(tmp_path / x / "history.jsonl").read_bytes() for x in "ab"]
    assert histories[0] == histories[1]


OTHERS = {
    "seed": {"seed": 1},
    "settings": {"entropy_weight": 0.5},
    "rules": {"rules": ["visits > 1"]},
    "data": {"table": patients(seed=1)},
    "schema": {"schema": {"weight": {"maximum": 900}}},
    "target": {"target": "smoker"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_a_run_of_another_seed_setting_table_rule_or_schema_is_not_resumed(tmp_path, other):
    interrupted(tmp_path, 3, **quick())
    told = dict(other)
    fit = {key: told.pop(key) for key in ("schema", "target") if key in told}
    table = told.pop("table", patients())
    model = TabularSynthesizer(**{"seed": 0, **quick(), **told})
    with pytest.raises(InputError, match="other settings or other data"):
        model.fit(table, run_dir=tmp_path, resume=True, **fit)


def test_a_run_folder_is_made_where_there_is_none(tmp_path):
    TabularSynthesizer(**quick()).fit(patients(), run_dir=tmp_path / "runs" / "new")
    assert (tmp_path / "runs" / "new" / "history.jsonl").exists()


NUMBER, WHOLE, DATE = 987654.321, 8_675_309, pd.Timestamp("1899-12-31 03:14:15")
WORD = "SENTINEL-ZQ"


def planted():
    """A table in which one person stands out in every column."""
    table = patients(300)
    table["visits"] = table["visits"].astype("int64")
    table["exact"] = np.random.default_rng(5).normal(size=300)
    table["dose"] = np.where(np.arange(300) % 2, 0.0, np.random.default_rng(6).gamma(2, size=300))
    for name in ("weight", "exact", "dose"):
        table.loc[17, name] = NUMBER
    table.loc[17, "visits"] = WHOLE
    table.loc[17, "born"] = DATE
    table.loc[17, "sex"] = WORD
    table["blood"] = table["blood"].astype(str)
    table.loc[17, "blood"] = WORD
    table["blood"] = pd.Categorical(table["blood"])
    table["stage"] = table["stage"].cat.add_categories([WORD])
    table.loc[17, "stage"] = WORD
    table.loc[17, "id"] = WORD
    table["almost"] = np.where(np.arange(300) == 17, WORD, "same")
    table["alone"] = np.where(np.arange(300) == 17, NUMBER, np.nan)
    table["word alone"] = pd.Series([WORD if k == 17 else None for k in range(300)], dtype=object)
    return table


def traces():
    """Every form in which the planted values could lie in a file."""
    seconds = (DATE - pd.Timestamp(0)).total_seconds()
    # "987654" alone would stand among the decimals of some number or other by chance
    found = {b"987654.", b",987654,", b"8675309", b"1899-12-31", str(int(seconds)).encode()}
    found.add(WORD.encode())
    for number in (NUMBER, float(WHOLE), seconds):
        for form in ("<d", ">d", "<f", ">f"):
            found.add(struct.pack(form, number))
    for whole in (WHOLE, int(seconds), int(DATE.as_unit("ns").value)):
        found |= {struct.pack("<q", whole), struct.pack(">q", whole)}
    return found


@pytest.mark.parametrize("heads", ["auto", "gaussian", "bins", "minmax"])
def test_no_artefact_holds_a_value_that_one_person_alone_has(tmp_path, heads):
    settings = quick(heads=heads, checkpoint_every=3)
    model = TabularSynthesizer(
        seed=0, rewards=[Reward(lambda t: np.zeros(len(t)), name="flat")], **settings
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # columns that one person alone fills
        model.fit(planted(), run_dir=tmp_path / "run")
    model.save(tmp_path / "run" / "model")
    model.sample_to(tmp_path / "run" / "rows.csv", 3000)
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"history.jsonl", "state.safetensors", "model.safetensors", "schema.json"} <= names
    for path in files:
        content = path.read_bytes()
        for trace in traces():
            assert trace not in content, f"{path.name} holds {trace!r}"


def test_the_search_for_traces_finds_them_where_they_are(tmp_path):
    table = planted()
    table.to_csv(tmp_path / "real.csv")
    content = (tmp_path / "real.csv").read_bytes()
    content += table[["weight"]].to_numpy().tobytes()
    content += table[["exact"]].to_numpy().astype("float32").tobytes()
    found = {trace for trace in traces() if trace in content}
    assert {WORD.encode(), b"987654.", b"8675309", b"1899-12-31"} <= found
    assert struct.pack("<d", NUMBER) in found
    assert struct.pack("<f", NUMBER) in found


def test_the_real_rows_do_not_come_back_among_the_samples():
    table = patients(300)[["weight", "small", "visits", "smoker"]].dropna()
    made = fitted(table).sample(2000)
    both = made.merge(table, on=list(table.columns))
    assert len(both) == 0


def test_overrides_beside_a_split_leave_what_the_split_knows():
    frame = patients()
    frame["grade"] = np.arange(len(frame)) % 4
    split = split_table(frame, target="grade", seed=0)
    levels = {"blood": {"categories": ["AB", "A", "B", "0"]}}
    model = TabularSynthesizer(**quick()).fit(split, schema=levels)
    assert model.schema["blood"].categories == ("AB", "A", "B", "0")
    assert model.schema["grade"].kind == "categorical"
    assert model.schema["id"].remake


def test_what_is_looked_up_is_told_by_name_and_after_loading(tmp_path):
    frame = patients()[["weight", "blood"]]
    frame = frame.assign(found=frame["blood"].map({"A": "on A", "B": "on B", "0": "on none"}))
    model = fitted(frame)
    assert model.looked_up == {"found": "blood"}
    model.save(tmp_path / "m")
    assert TabularSynthesizer.load(tmp_path / "m").looked_up == {"found": "blood"}
    assert fitted(frame, look_up=False).looked_up == {}


def test_many_rows_of_rare_levels_are_told_once():
    rows = np.arange(200)
    often, single = [f"c{k % 2}" for k in rows], [f"r{k}" for k in rows]
    frame = pd.DataFrame({"x": rows / 7, "code": np.where(rows % 5 < 2, often, single)})
    said = r"column 'code': \d+% of the rows hold levels that fewer than 5 rows share; these are"
    with pytest.warns(UserWarning, match=said) as told:
        TabularSynthesizer(**quick()).fit(split_table(frame, seed=0))
    assert len(told) == 1
    with pytest.warns(UserWarning, match="one of the other 2 stands in their place") as told:
        fitted(frame)
    assert len(told) == 1


def test_levels_that_look_alike_are_told_once_and_learnt_as_they_stand():
    rows = np.arange(200)
    sex = pd.Series(rows % 4).map({0: "f", 1: "m", 2: "F ", 3: "x"}).to_numpy()
    frame = pd.DataFrame({"x": rows / 7, "sex": sex, "code": rows % 3})
    said = r"column 'sex': levels 'F ' and 'f' look alike; they are learnt as they stand"
    with pytest.warns(UserWarning, match=said) as told:
        model = TabularSynthesizer(**quick()).fit(split_table(frame, seed=0))
    assert len(told) == 1
    assert model.schema["sex"].categories == ("F ", "f", "m", "x")
    with pytest.warns(UserWarning, match=said) as told:
        fitted(frame)
    assert len(told) == 1
