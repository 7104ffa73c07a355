"""Utility: what a model that learnt from synthetic rows is worth on real ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reinforge.evaluation.catalogue import UTILITY
from reinforge.evaluation.groups import sensitive_groups
from reinforge.evaluation.independent import independent_rows
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.measure.classifiers import class_scores, classifier, fit_quietly, regressor
from reinforge.measure.intervals import Estimate, from_influence
from reinforge.measure.ranking import auc_influence, roc_curve
from reinforge.records import Score

_ARMS = {
    "r2r": ("train", "holdout"),
    "s2r": ("synthetic", "holdout"),
    "r2s": ("train", "synthetic"),
}
_CONTROL = "independent"  # an arm that is no score: the control of s2r
_ARMS_ASKED = {**_ARMS, _CONTROL: (_CONTROL, "holdout")}


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the judges said about one table: labels, and a prediction a judge."""

    label: np.ndarray
    predictions: list[np.ndarray]  # a judge: [row, class] scores, or [row] amounts


def utility_scores(
    judged: Judged, *, judges: tuple[str, ...]
) -> tuple[list[Score], list[dict[str, Any]]]:
    """`r2r_* s2r_* r2s_*` for everybody and for each sensitive group, with ROC curves.

    AUC (one-vs-rest macro over the classes that occur in the judged rows) or R^2, as the mean over
    judges.
    The control `independent` of `s2r_*` learnt from train rows whose columns were shuffled apart.
    Intervals are DeLong's and speak of the judged rows; they leave out how another fit would
    differ.

    Args:
        judged: The three tables.
        judges: Names of the classifiers whose mean is the score.
    """
    if judged.target is None:
        return [unscored(f"{arm}_auc", "no target column was given") for arm in UTILITY], []
    if judged.target not in judged.train.columns:
        reason = f"the target {judged.target!r} is not a modelled column"
        return [unscored(f"{arm}_auc", reason) for arm in UTILITY], []
    judged = _with_target(judged)
    is_class = _is_class(judged)
    answers = _answers(judged, judges, is_class)
    groups = [("all", None), *((g.name, g) for g in sensitive_groups(judged))]
    scores = []
    for arm, (_, table) in _ARMS.items():
        name = f"{arm}_{'auc' if is_class else 'r2'}"
        answer = answers[arm]
        for group, members in groups:
            rows = None if members is None else getattr(members, table)
            control = answers[_CONTROL] if arm == "s2r" else None
            scores.append(_score(name, group, answer, rows, is_class, control=control))
    return scores, _curves(answers) if is_class else []


def _with_target(judged: Judged) -> Judged:
    """Rows whose target is known."""
    tables = (judged.train, judged.holdout, judged.synthetic)
    train, holdout, synthetic = (table[judged.target].notna().to_numpy() for table in tables)
    return judged.where(train=train, holdout=holdout, synthetic=synthetic)


def _is_class(judged: Judged) -> bool:
    """Discrete targets, and amounts that take only two values, are classes."""
    values = judged.train[judged.target]
    return not judged.schema[str(judged.target)].is_numeric or values.nunique() <= 2


def _answers(judged: Judged, judges: tuple[str, ...], is_class: bool) -> dict[str, _Answer | str]:
    """Fit every judge once a learning table and ask it about the rows of every arm."""
    others = tuple(name for name in judged.train.columns if name != judged.target)
    if not others:
        return dict.fromkeys(_ARMS_ASKED, "the target is the only modelled column")
    encoder = judged.encoder(others)
    tables = {"train": judged.train, "holdout": judged.holdout, "synthetic": judged.synthetic}
    tables[_CONTROL] = independent_rows(judged)
    features = {name: encoder.transform(table) for name, table in tables.items()}
    labels = {name: table[judged.target].to_numpy() for name, table in tables.items()}
    if is_class:  # whole numbers for the models, the same for all tables
        values = np.unique(np.concatenate(list(labels.values())))
        labels = {name: np.searchsorted(values, label) for name, label in labels.items()}
    answers: dict[str, _Answer | str] = {}
    for learnt in ("train", "synthetic", _CONTROL):
        asked = [(arm, table) for arm, (source, table) in _ARMS_ASKED.items() if source == learnt]
        if fault := _unlearnable(labels[learnt], learnt, is_class):
            answers |= {arm: fault for arm, _ in asked}
            continue
        for arm, table in asked:
            answers[arm] = _Answer(label=labels[table], predictions=[])
        for judge in judges:
            seed = judged.seed_for(f"utility/{judge}/{learnt}")
            model = classifier(judge, seed=seed) if is_class else regressor(judge, seed=seed)
            model = fit_quietly(model, features[learnt], labels[learnt])
            for arm, table in asked:
                answer = answers[arm]
                assert isinstance(answer, _Answer)
                answer.predictions.append(_ask(model, features[table], labels, is_class))
    return answers


def _unlearnable(label: np.ndarray, table: str, is_class: bool) -> str | None:
    n_values = len(np.unique(label))
    if n_values == 0:
        return f"the target is missing in every row of the {table} table"
    if n_values == 1:
        what = "class" if is_class else "value"
        return f"the target has a single {what} in the {table} table; nothing can be learnt from it"
    return None


def _ask(
    model: Any, features: np.ndarray, labels: dict[str, np.ndarray], is_class: bool
) -> np.ndarray:
    if not len(features):
        return np.zeros((0, 1))
    if not is_class:
        return model.predict(features)
    n_classes = 1 + max(int(label.max()) for label in labels.values() if len(label))
    return class_scores(model, features, classes=np.arange(n_classes))


def _score(
    name: str,
    group: str,
    answer: _Answer | str,
    rows: np.ndarray | None,
    is_class: bool,
    *,
    control: _Answer | str | None,
) -> Score:
    if isinstance(answer, str):
        return unscored(name, answer, group=group)
    rows = np.ones(len(answer.label), bool) if rows is None else rows
    if group != "all" and (reason := too_small(int(rows.sum()), "rows to judge")):
        return unscored(name, reason, group=group)
    if len(np.unique(answer.label[rows])) < 2:
        what = "class" if is_class else "value"
        return unscored(name, f"the rows to judge hold a single {what} of the target", group=group)
    estimate = _judgement(answer, rows, is_class)
    baseline = {}
    if isinstance(control, _Answer):
        baseline[_CONTROL] = _judgement(control, rows, is_class).value
    return scored(name, estimate, group=group, baseline=baseline)


def _judgement(answer: _Answer, rows: np.ndarray, is_class: bool) -> Estimate:
    label, predictions = answer.label[rows], [p[rows] for p in answer.predictions]
    return macro_auc(label, predictions) if is_class else mean_r2(label, predictions)


def macro_auc(label: np.ndarray, predictions: list[np.ndarray]) -> Estimate:
    """One-vs-rest AUC, mean over the classes that occur and over judges, with DeLong's interval.

    With two classes this is the ordinary AUC. A class that a judge never saw scores alike for all
    rows and so counts 0.5.

    Args:
        label: Class numbers of the judged rows; at least two occur.
        predictions: A judge: scores of every class, [row, class].
    """
    occurring = np.unique(label)
    positives = occurring[-1:] if len(occurring) == 2 else occurring
    parts = [
        auc_influence(label == c, _margin(p, int(c), occurring))
        for p in predictions
        for c in positives
    ]
    value = float(np.mean([auc for auc, _ in parts]))
    influence = np.mean([each for _, each in parts], axis=0)
    return from_influence(value, influence, bounds=(0.0, 1.0))


def _margin(prediction: np.ndarray, positive: int, occurring: np.ndarray) -> np.ndarray:
    """Score of a class; with two classes its lead over the other."""
    if len(occurring) == 2:
        return prediction[:, positive] - prediction[:, occurring[0]]
    return prediction[:, positive]


def mean_r2(label: np.ndarray, predictions: list[np.ndarray]) -> Estimate:
    """R^2 = 1 - SSE/SST, mean over judges, with the interval of its rows' influences."""
    deviation = (label - label.mean()) ** 2
    total = deviation.sum()
    values, influences = [], []
    for prediction in predictions:
        error = (label - prediction) ** 2
        ratio = error.sum() / total
        values.append(1 - ratio)
        influences.append(-(error - ratio * deviation) / total)
    return from_influence(
        float(np.mean(values)), np.mean(influences, axis=0), bounds=(-np.inf, 1.0)
    )


def _curves(answers: dict[str, _Answer | str]) -> list[dict[str, Any]]:
    """ROC curves of the judges' mean rank, for targets with two classes."""
    curves = []
    for arm in _ARMS:
        answer = answers[arm]
        if isinstance(answer, str) or len(np.unique(answer.label)) != 2:
            continue
        occurring = np.unique(answer.label)
        lead = [_margin(p, int(occurring[1]), occurring) for p in answer.predictions]
        rank = np.mean([pd.Series(x).rank().to_numpy() for x in lead], axis=0)
        positive = answer.label == occurring[1]
        fpr, tpr = roc_curve(positive, rank)
        auc = auc_influence(positive, rank)[0]
        curves.append(
            {"name": f"{arm}_auc", "family": "utility", "fpr": fpr, "tpr": tpr, "auc": auc}
        )
    return curves
