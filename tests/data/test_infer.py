"""Kinds from values: what each column is taken for, what is refused, what a schema may not hold."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from reinforge.data.coded import from_coded, to_coded
from reinforge.data.infer import describe, infer_schema, load_overrides, refuse_text
from reinforge.data.kinds import is_id_name
from reinforge.errors import InputError

RNG = np.random.default_rng(3)
N = 200

KINDS = {
    "integers": (RNG.integers(0, 40, N), "integer"),
    "few levels stay integer": (RNG.integers(1, 5, N), "integer"),
    "whole floats": (RNG.integers(0, 40, N).astype(float), "integer"),
    "money": (np.round(RNG.normal(size=N), 2), "continuous"),
    "unique floats are no identifier": (RNG.normal(size=N), "continuous"),
    "unique amounts over a wide range": (RNG.choice(10**9, N, replace=False), "integer"),
    "ten distinct ages": (np.arange(30, 40)[RNG.permutation(10)], "integer"),
    "0 and 1": (RNG.integers(0, 2, N), "boolean"),
    "0.0 and 1.0": (RNG.integers(0, 2, N).astype(float), "boolean"),
    "1 and 2": (RNG.integers(1, 3, N), "integer"),
    "bool": (RNG.random(N) < 0.5, "boolean"),
    "yes and no": (RNG.choice(["Yes", "No"], N), "boolean"),
    "true and false": (RNG.choice(["TRUE", "FALSE"], N), "boolean"),
    "male and female": (RNG.choice(["m", "f"], N), "categorical"),
    "sites": (RNG.choice(["north", "south", "east"], N), "categorical"),
    "unordered category": (pd.Categorical(RNG.choice(["a", "b"], N)), "categorical"),
    "ordered category": (pd.Categorical(RNG.choice(["a", "b"], N), ordered=True), "ordinal"),
    "dates": (
        pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 99, N), "D"),
        "datetime",
    ),
    "durations": (pd.to_timedelta(RNG.integers(0, 99, N), "h"), "timedelta"),
    "constant": (np.full(N, 3.5), "constant"),
    "nothing": (np.full(N, np.nan), "empty"),
    "row numbers": (np.arange(N), "identifier"),
    "shuffled row numbers": (RNG.permutation(N) + 1000, "identifier"),
    "patient_id": (RNG.integers(0, 10**6, N), "identifier"),
    "e-mail": ([f"p{i // 2}@clinic.example" for i in range(N)], "identifier"),
    "telephone": ([f"+49 30 {i:07d}" for i in range(N)], "identifier"),
    "MRN": ([f"M{i:06d}" for i in range(N)], "identifier"),
    "names": ([f"Ann Example{i}" for i in range(N)], "identifier"),
    "notes": ([f"patient {i} came back with a cough of {i} days" for i in range(N)], "text"),
    "zip codes": ([f"0{i % 50:04d}" for i in range(N)], "categorical"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_column_is_taken_for_its_kind(name):
    values, kind = KINDS[name]
    assert infer_schema(pd.DataFrame({name: values}))[name].kind == kind


@pytest.mark.parametrize("values", [["x", None, "x"], [3.5, np.nan, 3.5], [True, None, True]])
def test_a_constant_with_missing_values_is_a_modelled_column_of_one_level(values):
    column = infer_schema(pd.DataFrame({"c": values}))["c"]
    assert (column.kind, column.missing, len(column.categories)) == ("categorical", True, 1)


@pytest.mark.parametrize(
    ("name", "says_so"),
    [("patient_id", True), ("PatientID", True), ("MRN", True), ("caseNumber", True),
     ("patient_nbr", True), ("rapid", False), ("number_of_children", False), ("covid", False),
     ("n_no", False), ("paid", False), ("acid", False), ("SSN", True), ("x", False), ("", False)],
)  # fmt: skip
def test_only_whole_words_of_a_name_speak_for_an_identifier(name, says_so):
    assert is_id_name(name) is says_so


def test_bounds_are_natural_ones_and_never_the_extremes_of_the_data():
    frame = pd.DataFrame({"age": [34, 97, 51], "change": [-3.5, 2.0, 88.25]})
    schema = infer_schema(frame)
    assert (schema["age"].minimum, schema["age"].maximum) == (0.0, None)
    assert (schema["change"].minimum, schema["change"].maximum) == (None, None)
    text = schema.model_dump_json()
    assert not re.search("97|88|34|51", text)


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([0.1, 0.25], 2),
        ([1.5, 2.0], 1),
        ([1 / 3, 0.5], None),
        ([1e300, 0.5], None),
        ([1e-12, 0.5], None),
    ],
)
def test_decimals_are_those_that_all_values_carry(values, decimals):
    assert infer_schema(pd.DataFrame({"x": values}))["x"].decimals == decimals


def test_decimals_of_float32_are_those_that_were_meant():
    frame = pd.DataFrame({"x": np.array([0.1, 0.7, 12.3], dtype="float32")})
    assert infer_schema(frame)["x"].decimals == 1


def test_levels_held_by_few_rows_are_left_out_of_the_schema():
    frame = pd.DataFrame({
        "site": ["a"] * 10 + ["b"] * 5 + ["rare"] * 2,
        "cat": pd.Categorical(["u"] * 15 + ["v"] * 2, categories=["v", "u", "unused"]),
        "flag": [True] + [False] * 16,
    })  # fmt: skip
    schema = infer_schema(frame, min_level_count=3)
    assert schema["site"].categories == ("a", "b")
    assert schema["cat"].categories == ("u",)
    assert schema["flag"].categories == (False, True)
    declared = infer_schema(
        frame, overrides={"site": {"categories": ["a", "b", "rare"]}}, min_level_count=3
    )
    assert declared["site"].categories == ("a", "b", "rare")


def test_unused_levels_of_a_category_are_not_generated_unless_declared():
    frame = pd.DataFrame({"c": pd.Categorical(["u", "v", "u"], categories=["v", "u", "never"])})
    assert infer_schema(frame)["c"].categories == ("v", "u")
    asked = infer_schema(frame, overrides={"c": {"categories": ["v", "u", "never"]}})
    assert asked["c"].categories == ("v", "u", "never")


def test_an_ordered_category_keeps_its_order():
    levels = ["low", "mid", "high"]
    frame = pd.DataFrame({"c": pd.Categorical(["high", "low", "mid"], levels, ordered=True)})
    assert infer_schema(frame)["c"].categories == ("low", "mid", "high")


def test_too_many_levels_are_refused_with_an_estimate_and_a_remedy():
    frame = pd.DataFrame({"diagnosis": [f"code {i % 1500}" for i in range(6000)]})
    with pytest.raises(
        InputError, match=r"'diagnosis' has 1,500 levels in 6,000 rows \(4.0 rows a"
    ):
        infer_schema(frame)
    schema = infer_schema(frame, overrides={"diagnosis": {"kind": "identifier"}})
    assert schema["diagnosis"].kind == "identifier"


def test_numbers_with_one_bad_value_are_refused_by_row():
    values = [str(x) for x in range(30)]
    values[6] = "unknown"
    with pytest.raises(
        InputError, match=r"column 'dose' holds 1 value that is no number.*\(row 7;"
    ):
        infer_schema(pd.DataFrame({"dose": values}))
    schema = infer_schema(
        pd.DataFrame({"dose": values}), overrides={"dose": {"kind": "categorical"}}
    )
    assert len(schema["dose"].categories) == 30


def test_dates_with_one_bad_value_are_refused_by_row():
    values = [f"2020-01-{day:02d}" for day in range(1, 29)]
    values[4] = "05.01.2020"
    with pytest.raises(InputError, match=r"column 'seen' holds 1 value that is no date of.*row 5"):
        infer_schema(pd.DataFrame({"seen": values}))


def test_dates_of_several_forms_stay_text():
    values = ["2020-01-05", "05.01.2020", "01/05/2020"] * 10
    assert infer_schema(pd.DataFrame({"seen": values}))["seen"].kind == "categorical"


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2020-02-29", "1678-01-01"], "%Y-%m-%d"),
        (["29.02.2020", "01.01.1999"], "%d.%m.%Y"),
        (["13/02/2020", "01/01/1999"], "%d/%m/%Y"),
        (["02/13/2020", "01/01/1999"], "%m/%d/%Y"),
        (["2020-02-29 10:00", "1999-01-01 00:00"], "%Y-%m-%d %H:%M"),
        (["2020-02-29T10:00:00Z", "1999-01-01T00:00:00Z"], "%Y-%m-%dT%H:%M:%SZ"),
    ],
)
def test_dates_as_text_are_read_by_their_one_form(values, form):
    column = infer_schema(pd.DataFrame({"d": values}))["d"]
    assert (column.kind, column.datetime_format) == ("datetime", form)


@pytest.mark.parametrize("far", ["1677-01-01", "2262-12-31", "9999-12-31"])
def test_dates_beyond_the_nanosecond_range_come_back_equal(far):
    frame = pd.DataFrame({"d": ["2020-02-29", far, "2021-01-01"]})
    schema = infer_schema(frame)
    pd.testing.assert_frame_equal(from_coded(to_coded(frame, schema), schema), frame)


def test_generated_days_are_days():
    frame = pd.DataFrame({"d": pd.to_datetime(["2020-01-01", "2020-05-05"])})
    schema = infer_schema(frame)
    coded = to_coded(frame, schema) + 30_000.0
    assert from_coded(coded, schema)["d"].dt.hour.tolist() == [0, 0]


def test_whole_numbers_beyond_two_to_the_53_are_refused_unless_they_are_identifiers():
    values = [2**60 + 3 * i for i in range(10)]
    with pytest.raises(InputError, match=r"column 'token' holds whole numbers beyond 2\^53"):
        infer_schema(pd.DataFrame({"token": values}))
    schema = infer_schema(
        pd.DataFrame({"token": values}), overrides={"token": {"kind": "identifier"}}
    )
    assert schema["token"].kind == "identifier"


def test_free_text_is_refused_with_its_column_and_a_remedy():
    notes = [f"patient {i} came back with a cough of {i} days" for i in range(40)]
    schema = infer_schema(pd.DataFrame({"note": notes, "x": range(40)}))
    with pytest.raises(InputError, match="column 'note' holds it; drop it, or declare"):
        refuse_text(schema)


def test_what_was_inferred_is_told_row_by_row():
    frame = pd.DataFrame({"id": range(30), "sex": ["f", "m"] * 15, "dose": [0.5, 1.0, None] * 10})
    rows = {row["column"]: row for row in describe(infer_schema(frame))}
    assert rows["id"]["action"] == "made up anew"
    assert rows["sex"]["details"] == "2 levels: f, m"
    assert (rows["dose"]["missing"], rows["dose"]["details"]) == (True, "at least 0; 1 decimal")


def test_declared_kinds_win_over_the_guess():
    frame = pd.DataFrame({
        "grade": [3, 1, 2, 3], "code": [1, 2, 1, 2],
        "when": ["1.2.2020", "13.12.2020", "1.1.2020", "2.2.2020"],
    })  # fmt: skip
    schema = infer_schema(frame, overrides={
        "grade": {"kind": "ordinal"}, "code": {"kind": "categorical"},
        "when": {"kind": "datetime", "datetime_format": "%d.%m.%Y", "minimum": "2019-01-01"},
    })  # fmt: skip
    assert (schema["grade"].kind, schema["grade"].categories) == ("ordinal", (1, 2, 3))
    assert (schema["code"].kind, schema["code"].categories) == ("categorical", (1, 2))
    assert schema["when"].minimum == 1546300800.0
    assert from_coded(to_coded(frame, schema), schema)["grade"].tolist() == [3, 1, 2, 3]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"aeg": {"kind": "integer"}},
            r"names column 'aeg', which is not there; did you mean 'age'\?",
        ),
        ({"age": {"knd": "integer"}}, r"column 'age': no field 'knd'; did you mean 'kind'\?"),
        ({"age": {"kind": "number"}}, "column 'age': kind = 'number' is not valid"),
        ({"age": {"minimum": 40}}, r"'age' holds 1 value that is outside \[40, inf\] \(row 1;"),
        ({"age": {"maximum": "soon"}}, "maximum = 'soon' is neither a number nor a date"),
        ({"age": {"decimals": "two"}}, "column 'age': decimals = 'two' is not valid"),
        ({"name": {"kind": "integer"}}, "column 'name' holds 3 values that are no number"),
        (
            {"name": {"categories": ["a", "b"]}},
            "'name' holds 1 value that is not among the declared",
        ),
        ({"name": {"kind": "datetime"}}, "'name' is declared as datetime, but no one form fits"),
        ({"age": {"kind": "timedelta"}}, "'age' is declared as timedelta, but its dtype is int64"),
    ],
)
def test_a_wrong_override_is_refused_with_the_remedy(overrides, message):
    frame = pd.DataFrame({"age": [34, 97, 51], "name": ["a", "b", "c"]})
    with pytest.raises(InputError, match=message):
        infer_schema(frame, overrides=overrides)


def test_schema_files_of_both_forms_say_the_same(tmp_path):
    fields = {"kind": "integer", "minimum": 0}
    forms = {"a.yaml": "age: {kind: integer, minimum: 0}", "b.json": json.dumps({"age": fields}),
             "c.json": json.dumps({"columns": [{"name": "age", **fields}]})}  # fmt: skip
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        assert load_overrides(tmp_path / name) == {"age": fields}


def test_a_saved_schema_can_be_given_again(tmp_path):
    frame = pd.DataFrame({"age": [34, 97, 51], "sex": ["f", "m", "f"], "k": [1, 1, 1]})
    schema = infer_schema(frame)
    path = tmp_path / "schema.json"
    path.write_text(schema.model_dump_json())
    assert infer_schema(frame, overrides=load_overrides(path)) == schema


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age: [", "is no valid YAML or JSON"),
        ("- 3", "should map column names to fields"),
        ("age: integer", "should map column names to fields"),
        ("x: !!python/object/apply:os.system ['true']", "is no valid YAML or JSON"),
        ("a: &a [x]\nb: [" + "*a," * 60 + "]", "holds 60 YAML aliases"),
    ],
)
def test_a_bad_schema_file_is_refused(tmp_path, text, message):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        load_overrides(tmp_path / "s.yaml")


def test_a_schema_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the schema file .*none.yaml"):
        load_overrides(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("form", "mark"), [("{:,}", ","), ("{:,.2f}", ","), ("{:_}", "'"), ("{:_}", " "), ("{:_}", ".")]
)
def test_numbers_with_marks_between_their_thousands_are_refused(form, mark):
    cells = [form.format(3 + 731 * k).replace("_", mark) for k in range(60)]
    said = f"'income' holds numbers with .{re.escape(mark)}. between the thousands"
    with pytest.raises(InputError, match=said):
        infer_schema(pd.DataFrame({"income": cells}))


def test_numbers_of_one_length_in_groups_are_identifiers():
    cells = [f"{732829320 + 7919 * k:,}".replace(",", " ") for k in range(60)]
    assert infer_schema(pd.DataFrame({"register": cells}))["register"].kind == "identifier"


def test_numbers_with_decimal_commas_are_refused():
    cells = [f"{k},{k % 7}" for k in range(60)]
    with pytest.raises(InputError, match="'weight' holds numbers with a decimal comma"):
        infer_schema(pd.DataFrame({"weight": cells}))


@pytest.mark.parametrize("mark", [",", "."])
def test_a_word_among_numbers_is_refused_with_its_row_and_the_setting(mark):
    cells = [None, None, *(f"{k}{mark}{k % 7}" for k in range(60))]
    cells[40] = "k.A."
    said = r"'weight' holds 1 value .* \(row 41; .*data.na_values=\['k.A.'\]"
    with pytest.raises(InputError, match=said):
        infer_schema(pd.DataFrame({"weight": cells}))
