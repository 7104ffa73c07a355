from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from reinforge.errors import InputError
from reinforge.settings import validated


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = 1


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    size: float = Field(1.0, gt=0)
    colour: Literal["red", "green"] = "red"
    inner: Inner = Inner()


def refusal(settings, **more):
    with pytest.raises(InputError) as caught:
        validated(Shape, settings, **more)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_good_settings_become_the_model():
    made = validated(Shape, {"size": 2, "inner": {"depth": 3}})
    assert made == Shape(size=2.0, inner=Inner(depth=3))
    assert validated(Shape, {}) == Shape()


def test_a_typo_is_refused_with_the_nearest_name():
    assert refusal({"color": "red"}) == "setting 'color' is not known; did you mean 'colour'?"


def test_an_unknown_name_is_refused_with_the_known_ones():
    assert refusal({"zzz": 1}) == "setting 'zzz' is not known; known: size, colour, inner."


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"size": -1}, "setting 'size': input should be greater than 0, got -1."),
        ({"size": float("nan")}, "setting 'size': input should be a finite number, got nan."),
        ({"colour": "blue"}, "setting 'colour': input should be 'red' or 'green', got 'blue'."),
        ({"inner": {"depth": "x"}}, "setting 'inner.depth': input should be a valid integer"),
        ({"inner": 3}, "setting 'inner': input should be a valid dictionary"),
    ],
)
def test_a_bad_value_is_refused_by_its_path_with_what_came(settings, told):
    assert refusal(settings).startswith(told)


def test_a_typo_inside_a_group_is_named_by_its_path_with_the_groups_own_names():
    told = refusal({"inner": {"dept": 2}})
    assert told == "setting 'inner.dept' is not known; did you mean 'depth'?"


def test_the_file_is_named_where_settings_came_from_one():
    assert refusal({"size": 0}, where="run.yaml: ").startswith("run.yaml: setting 'size': ")


def test_the_first_of_several_errors_is_told():
    assert refusal({"size": -1, "colour": "blue"}).startswith("setting 'size'")
