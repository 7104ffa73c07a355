"""Classifiers and regressors that judge by name: how well can one table be learnt from another?

They belong to the judges. A reward brings a classifier of its own, so that no generator is trained
against the models that score it.
"""

import importlib.util
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from reinforge.errors import InputError

JUDGES = ("boosting", "logistic", "forest")  # their mean is the default utility score
PAPER_JUDGES = (
    "svm",
    "lightgbm",
)  # RLSyn's classifiers for AI-READI and MIMIC-IV (arXiv:2512.21395)


def check_judges(names: tuple[str, ...]) -> None:
    """Refuse judges that are unknown or not installed, before any work starts."""
    known = (*JUDGES, *PAPER_JUDGES)
    for name in names:
        if name not in known:
            raise InputError(f"no judge {name!r}; choose from {', '.join(known)}.")
        if name == "lightgbm" and importlib.util.find_spec("lightgbm") is None:
            raise InputError("judge 'lightgbm' needs LightGBM; install reinforge[lightgbm].")
    if not names:
        raise InputError(f"at least one judge is needed; choose from {', '.join(known)}.")


def classifier(name: str, *, seed: int) -> BaseEstimator:
    """An unfitted classifier.

    `boosting`, `logistic` and `forest` are ours; `svm` (RBF, C = 1, gamma "scale") and `lightgbm`
    have the settings of RLSyn's evaluation.

    Args:
        name: One of `JUDGES` or `PAPER_JUDGES`.
        seed: A number below 2^32 from the caller's generator.
    """
    if name == "boosting":
        return HistGradientBoostingClassifier(random_state=seed, **_BOOSTING)
    if name == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    if name == "forest":
        return RandomForestClassifier(random_state=seed, **_FOREST)
    if name == "svm":
        return make_pipeline(StandardScaler(), SVC(C=1.0, kernel="rbf", gamma="scale"))
    if name == "lightgbm":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(random_state=seed, **_LIGHTGBM)
    raise InputError(f"no judge {name!r}; choose from {', '.join((*JUDGES, *PAPER_JUDGES))}.")


def regressor(name: str, *, seed: int) -> BaseEstimator:
    """An unfitted regressor; `logistic` stands for its linear sibling, ridge regression."""
    if name == "boosting":
        return HistGradientBoostingRegressor(random_state=seed, **_BOOSTING)
    if name == "logistic":
        return make_pipeline(StandardScaler(), Ridge(alpha=1.0))
    if name == "forest":
        return RandomForestRegressor(random_state=seed, **_FOREST)
    if name == "svm":
        return make_pipeline(StandardScaler(), SVR(C=1.0, kernel="rbf", gamma="scale"))
    if name == "lightgbm":
        from lightgbm import LGBMRegressor

        return LGBMRegressor(random_state=seed, **_LIGHTGBM)
    raise InputError(f"no judge {name!r}; choose from {', '.join((*JUDGES, *PAPER_JUDGES))}.")


def class_scores(
    model: BaseEstimator,
    features: Float[np.ndarray, "row feature"],
    *,
    classes: Int[np.ndarray, " class"],
) -> Float[np.ndarray, "row class"]:
    """A fitted classifier's score of every class; a class that it never saw scores 0 everywhere.

    Probabilities where the model has them, else its decision function (the same ranking, and for
    the SVM no second fit inside).
    """
    if hasattr(model, "predict_proba"):
        given = model.predict_proba(features)
    else:
        given = model.decision_function(features)
        given = np.column_stack([-given, given]) if given.ndim == 1 else given
    scores = np.zeros((len(features), len(classes)))
    for place, label in enumerate(classes):
        column = np.flatnonzero(model.classes_ == label)
        if len(column):
            scores[:, place] = given[:, column[0]]
    return scores


def fit_quietly(
    model: BaseEstimator, features: Float[np.ndarray, "row feature"], label: np.ndarray
) -> BaseEstimator:
    """Fit without warnings that a user can do nothing about: early stops, few rows a class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return model.fit(features, label)


_BOOSTING: dict[str, Any] = {
    "max_iter": 100,
    "learning_rate": 0.1,
    "max_leaf_nodes": 15,
    "early_stopping": False,
}
_FOREST: dict[str, Any] = {"n_estimators": 100, "min_samples_leaf": 2, "n_jobs": 1}
_LIGHTGBM: dict[str, Any] = {
    "boosting_type": "gbdt",
    "learning_rate": 0.01,
    "n_estimators": 500,
    "max_depth": 15,
    "num_leaves": 50,
    "colsample_bytree": 0.9,
    "subsample": 0.9,
    "subsample_freq": 40,
    "reg_alpha": 1.3,
    "min_split_gain": 0.3,
    "n_jobs": 1,
    "verbose": -1,
}
