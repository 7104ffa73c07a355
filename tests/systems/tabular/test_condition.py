import numpy as np
import pandas as pd
import pytest
from small_tables import mixed_table

from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.schema import Column, Schema
from reinforge.systems.tabular.condition import parse_where

FRAME = mixed_table().assign(
    tenths=np.round(np.arange(120) / 7, 1),
    text_day=[f"{1 + k % 28:02d}.{1 + k % 12:02d}.2020" for k in range(120)],
    local=pd.date_range("2020-03-01", periods=120, freq="D", tz="Europe/Berlin"),
    same="x",
)
SCHEMA = infer_schema(FRAME, overrides={"text_day": {"kind": "datetime"}})


def interval(*texts):
    (condition,) = parse_where(list(texts), SCHEMA)
    return condition.low, condition.high


def levels(where):
    (condition,) = parse_where(where, SCHEMA)
    names = SCHEMA.modelled[condition.column].categories
    return {names[level] for level in condition.levels}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("age>=60", 60, np.inf),
        ("age>60", 61, np.inf),
        ("age<60", -np.inf, 59),
        ("age <= 60", -np.inf, 60),
        ("age=60", 60, 60),
        ("age == 60", 60, 60),
        ("age>=40.5", 41, np.inf),
        ("age>40.5", 41, np.inf),
        ("age<40.5", -np.inf, 40),
        ("age<=40.5", -np.inf, 40),
    ],
)
def test_bounds_of_whole_numbers_are_whole(text, low, high):
    assert interval(text) == (low, high)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("tenths>=1.25", 1.3, np.inf),
        ("tenths>1.2", 1.3, np.inf),
        ("tenths<=1.25", -np.inf, 1.2),
        ("tenths<0.0", -np.inf, -0.1),
        ("tenths=0.3", 0.3, 0.3),
    ],
)
def test_bounds_of_decimals_have_the_columns_digits(text, low, high):
    assert interval(text) == pytest.approx((low, high))


def test_strict_bounds_of_unlimited_decimals_leave_the_bound_itself_out():
    low, _ = interval("smooth>50")
    _, high = interval("smooth<50")
    assert low > 50 > high
    assert low - high < 1e-12


def test_dates_are_read_in_the_columns_form_and_on_its_days():
    day = pd.Timestamp("2020-03-05").timestamp()
    assert interval("day>=2020-03-05") == (day, np.inf)
    assert interval("day>2020-03-05") == (day + 86400, np.inf)
    assert interval("text_day<05.03.2020") == (-np.inf, day - 86400)
    with pytest.raises(InputError, match="'text_day' holds 1 value that is no date"):
        interval("text_day<2020-03-05")


def test_dates_without_a_zone_are_meant_in_the_columns_zone():
    midnight = pd.Timestamp("2020-03-29", tz="Europe/Berlin").timestamp()  # a day of 23 hours
    assert interval("local=2020-03-29") == (midnight, midnight)
    low, _ = interval("local>2020-03-29")
    assert midnight + 43200 < low <= midnight + 82800


def test_several_conditions_on_one_column_must_all_hold():
    assert interval("age>=30", "age<40", "age>=31") == (31, 39)
    assert levels(["stage>=II", "stage!=III"]) == {"II"}


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ({"group": "a"}, {"a"}),
        ({"group": ["a", "c"]}, {"a", "c"}),
        ("group=b", {"b"}),
        (["group!=b"], {"a", "c"}),
        ({"yes": True}, {True}),
        (["yes=true"], {True}),
        (["yes = False"], {False}),
        (["stage>I"], {"II", "III"}),
        (["stage<=II"], {"I", "II"}),
    ],
)
def test_levels_are_chosen_by_value_text_and_order(where, chosen):
    assert levels(where) == chosen


def test_an_exact_level_comes_before_one_that_differs_in_letter_case():
    column = Column(name="c", kind="categorical", dtype="str", categories=("A", "a"))
    (condition,) = parse_where({"c": "a"}, Schema(columns=(column,)))
    assert condition.levels == {1}


def test_numbers_as_levels_are_found_however_they_are_spelt():
    column = Column(name="c", kind="categorical", dtype="int64", categories=(1, 2))
    for value in (2, 2.0, "2", "2.0", np.int64(2)):
        (condition,) = parse_where({"c": value}, Schema(columns=(column,)))
        assert condition.levels == {1}


def test_names_with_signs_and_names_that_begin_alike_are_told_apart():
    columns = tuple(
        Column(name=name, kind="integer", dtype="int64") for name in ("a", "a=b", "a >", "ab")
    )
    schema = Schema(columns=columns)
    for text, place in (("a=3", 0), ("a=b=3", 1), ("a >>3", 2), ("ab<3", 3)):
        (condition,) = parse_where([text], schema)
        assert condition.column == place


def test_no_conditions_are_no_conditions():
    assert parse_where(None, SCHEMA) == parse_where({}, SCHEMA) == parse_where([], SCHEMA) == ()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["nope=1"], "no column 'nope'; the table has 'smooth'"),
        ({"nope": 1}, "no column 'nope'"),
        (["group"], "write COLUMN=VALUE"),
        (["group=z"], "'z' is none of its values; allowed: 'a', 'b', 'c'"),
        ({"group": ["a", "z"]}, "allowed: 'a', 'b', 'c'"),
        (["group<b"], "< needs an order, and categorical values have none"),
        (["age=old"], "'old' is no value of this column"),
        ({"age": np.nan}, "no value of this column"),
        ({"age": [1, 2]}, "give one number"),
        (["age!=3"], "give one number"),
        (["age=40.5"], "'40.5' is no value of this column"),
        (["age>50", "age<40"], "exclude each other"),
        (["group=a", "group=b"], "exclude each other"),
        (["same=y"], "the column is always 'x'"),
        (["same!=x"], "the column is always 'x'"),
    ],
)
def test_a_condition_that_cannot_be_met_or_read_is_refused_in_one_line(where, message):
    with pytest.raises(InputError, match=message) as refusal:
        parse_where(where, SCHEMA)
    assert "\n" not in str(refusal.value)


def test_a_condition_that_a_constant_meets_is_no_condition():
    assert parse_where({"same": "x"}, SCHEMA) == ()
