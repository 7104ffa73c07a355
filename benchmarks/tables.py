"""The real tables that benchmarks run on: file, columns, target, and how they are split.

The files are public and stay outside the repository (see README.md); `breast_cancer` comes with
scikit-learn. Columns that hold codes are turned into text for every arm alike, so that no generator
wins or loses by guessing whether a chest-pain type of 3 is an amount.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.records import Split

ROOT = Path(__file__).resolve().parents[1]
HOLDOUT_ROWS = 4_000  # at most: attacks and classifiers gain nothing from more


@dataclass(frozen=True, kw_only=True)
class Table:
    """One real table, ready to be split."""

    target: str
    file: str | None = None  # inside the data folder; None: embedded in a dependency
    keep: tuple[str, ...] = ()  # columns in use; empty: all
    drop: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()  # numbers that name a class
    sensitive: tuple[str, ...] = ()
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None  # before columns are chosen
    max_rows: int | None = None  # a stratified subset, the same for every seed


def _cleveland(frame: pd.DataFrame) -> pd.DataFrame:
    return _disease(frame[frame["site"] == "cleveland"].drop(columns="site"))


def _disease(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(disease=(frame["num"] > 0).astype(int)).drop(columns="num")


def _hypothyroid(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(hypothyroid=(frame["Class"] != "negative").astype(int))


def _compas(frame: pd.DataFrame) -> pd.DataFrame:
    """ProPublica's own filter: screened within 30 days of an arrest that led to a charge."""
    within = frame["days_b_screening_arrest"].between(-30, 30)
    return frame[within & (frame["c_charge_degree"] != "O") & (frame["is_recid"] != -1)]


def _first_visits(frame: pd.DataFrame) -> pd.DataFrame:
    """One visit a patient, so that nobody stands on both sides of a split."""
    first = frame.sort_values("encounter_id").drop_duplicates("patient_nbr")
    return first.assign(readmitted_30=(first["readmitted"] == "<30").astype(int))


_HEART_CODES = ("sex", "cp", "fbs", "restecg", "exang", "slope", "thal", "disease")

TABLES: dict[str, Table] = {
    "breast_cancer": Table(target="diagnosis"),
    "heart": Table(
        file="heart_disease_uci.csv",
        target="disease",
        codes=_HEART_CODES,
        sensitive=("sex",),
        prepare=_cleveland,
    ),
    "heart_all": Table(
        file="heart_disease_uci.csv",
        target="disease",
        codes=_HEART_CODES,
        sensitive=("sex",),
        prepare=_disease,
    ),
    "pima": Table(file="pima_diabetes.csv", target="diabetes", codes=("diabetes",)),
    "wisconsin": Table(
        file="breast_cancer_wisconsin.csv", target="malignant", codes=("malignant",)
    ),
    "hypothyroid": Table(
        file="hypothyroid.csv.gz",
        target="hypothyroid",
        drop=("Class", "TBG", "TBG measured"),
        codes=("hypothyroid",),
        sensitive=("sex",),
        prepare=_hypothyroid,
    ),
    "compas": Table(
        file="compas.csv.gz",
        target="two_year_recid",
        keep=(
            *("sex", "age", "age_cat", "race", "juv_fel_count", "juv_misd_count"),
            *("juv_other_count", "priors_count", "c_charge_degree", "days_b_screening_arrest"),
            *("decile_score", "two_year_recid"),
        ),
        codes=("two_year_recid",),
        sensitive=("sex", "race"),
        prepare=_compas,
    ),
    "adult": Table(
        file="adult.csv.gz",
        target="income",
        drop=("split",),
        sensitive=("sex", "race"),
        max_rows=12_500,
    ),
    "diabetes130": Table(
        file="diabetes130.csv.gz",
        target="readmitted_30",
        keep=(
            *("race", "gender", "age", "admission_type_id", "discharge_disposition_id"),
            *("admission_source_id", "time_in_hospital", "num_lab_procedures", "num_procedures"),
            *("num_medications", "number_outpatient", "number_emergency", "number_inpatient"),
            *("number_diagnoses", "max_glu_serum", "A1Cresult", "metformin", "insulin"),
            *("change", "diabetesMed", "readmitted_30"),
        ),
        codes=(
            *("admission_type_id", "discharge_disposition_id", "admission_source_id"),
            "readmitted_30",
        ),
        sensitive=("race", "gender"),
        prepare=_first_visits,
        max_rows=12_500,
    ),
}
# all 48,842 rows, for sizes above that of the others
TABLES["adult_whole"] = replace(TABLES["adult"], max_rows=None)


def data_folder(chosen: Path | None = None) -> Path:
    """Where the files lie: the argument, else REINFORGE_DATA, else beside the repository."""
    return chosen or Path(os.environ.get("REINFORGE_DATA") or ROOT.parent / "shared/data/tabular")


def load(name: str, *, folder: Path) -> pd.DataFrame:
    """A table with its columns chosen and its codes as text.

    Raises:
        InputError: No table of that name, or its file is not in the folder.
    """
    if name not in TABLES:
        raise InputError(f"no benchmark table {name!r}; there are {', '.join(TABLES)}.")
    table = TABLES[name]
    frame = _read(table, folder=folder)
    if table.prepare is not None:
        frame = table.prepare(frame)
    frame = frame[list(table.keep)] if table.keep else frame.drop(columns=list(table.drop))
    for column in table.codes:
        frame = frame.assign(**{column: _as_text(frame[column])})
    if table.max_rows is not None and len(frame) > table.max_rows:
        frame, _ = train_test_split(
            frame, train_size=table.max_rows, stratify=frame[table.target], random_state=0
        )
    return frame.reset_index(drop=True)


def split(name: str, *, rows: int | None, seed: int, folder: Path) -> Split:
    """80/20 stratified by the target; with `rows`, that many train rows and the rest as holdout."""
    table, frame = TABLES[name], load(name, folder=folder)
    if rows is not None and rows >= 0.9 * len(frame):
        raise InputError(f"{name} has {len(frame)} rows, too few to train on {rows}; lower --rows.")
    target = frame[table.target]
    train, holdout = train_test_split(
        frame, train_size=0.8 if rows is None else rows, stratify=target, random_state=seed
    )
    if len(holdout) > HOLDOUT_ROWS:
        holdout, _ = train_test_split(
            holdout, train_size=HOLDOUT_ROWS, stratify=holdout[table.target], random_state=seed
        )
    return Split(
        train=train.reset_index(drop=True),
        holdout=holdout.reset_index(drop=True),
        schema=infer_schema(frame),
        target=table.target,
        sensitive=table.sensitive,
    )


def with_fresh_rows(split: Split, *, seed: int) -> tuple[Split, pd.DataFrame]:
    """As many rows of the holdout as there are train rows, and the split without them.

    Raises:
        InputError: Less than half as many rows would be left to judge with.
    """
    n = len(split.train)
    if 2 * len(split.holdout) < 3 * n:
        raise InputError(
            f"{len(split.holdout)} rows are held out, too few to take {n} fresh ones from; leave "
            "the arm fresh out, or lower --rows."
        )
    fresh, rest = train_test_split(
        split.holdout, train_size=n, stratify=split.holdout[split.target], random_state=seed
    )
    shorter = replace(split, holdout=rest.reset_index(drop=True))
    return shorter, fresh.reset_index(drop=True)


def _read(table: Table, *, folder: Path) -> pd.DataFrame:
    if table.file is None:
        from reinforge.data.embedded import breast_cancer

        return breast_cancer()
    path = folder / table.file
    if not path.exists():
        raise InputError(f"no file {path}; pass --data DIR or set REINFORGE_DATA.")
    # only an empty field is missing: "None" is a level of max_glu_serum
    return pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)


def _as_text(column: pd.Series) -> pd.Series:
    """0 and 1 as they are; of more codes, 3 becomes "c3", which nothing takes for an amount."""
    text = column.astype("Int64").astype(str)
    text = text if column.nunique() <= 2 else "c" + text
    return text.where(column.notna(), None)
