"""Detection: can a classifier tell synthetic rows from train rows?"""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from reinforge.evaluation.groups import sensitive_groups
from reinforge.evaluation.judged import Judged, thinned
from reinforge.evaluation.levels import Level
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.measure.ranking import auc_interval
from reinforge.records import Score

NAME = "detection_auc"
_FOLDS = 5


def detection_scores(judged: Judged, *, level: Level) -> list[Score]:
    """`detection_auc` for everybody and for each sensitive group.

    Gradient boosting on coded columns (missing stays missing), as many synthetic as train rows, 5
    stratified
    folds; every row is scored by the model that did not see it, and groups are read off the same
    scores. Control `holdout` (level full): holdout rows in the place of synthetic ones.
    """
    n_rows = min(len(judged.train), len(judged.synthetic))
    if n_rows < 2 * _FOLDS:
        reason = f"needs at least {2 * _FOLDS} train and synthetic rows, got {n_rows}"
        return [unscored(NAME, reason, n=n_rows)]
    made = thinned(judged.synthetic, n_rows, judged.rng("detection/synthetic"))
    real = thinned(judged.train, n_rows, judged.rng("detection/train"))
    flag, score = out_of_fold(real, made, seed=judged.seed_for("detection"))
    baseline = {}
    if level.slow_controls and len(judged.holdout) >= 2 * _FOLDS:
        baseline["holdout"] = _holdout_control(judged)
    scores = [scored(NAME, auc_interval(flag, score), baseline=baseline)]
    for name, rows in _groups_among(judged, real, made):
        small = min(int((rows & flag).sum()), int((rows & ~flag).sum()))
        if hidden := too_small(small, "train or synthetic rows"):
            scores.append(unscored(NAME, hidden, group=name))
        else:
            scores.append(scored(NAME, auc_interval(flag[rows], score[rows]), group=name))
    return scores


def out_of_fold(
    real: pd.DataFrame, synthetic: pd.DataFrame, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are synthetic (real come first), and the score of a model that never saw each."""
    features = np.concatenate([real.to_numpy(), synthetic.to_numpy()])
    features = features[:, ~np.isnan(features).all(axis=0)]
    flag = np.repeat([False, True], [len(real), len(synthetic)])
    score = np.zeros(len(flag))
    if not features.shape[1]:
        return flag, score
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    for learnt, asked in folds.split(features, flag):
        model = HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.15,
            max_leaf_nodes=15,
            early_stopping=False,
            random_state=seed,
        ).fit(features[learnt], flag[learnt])
        score[asked] = model.decision_function(features[asked])
    return flag, score


def _holdout_control(judged: Judged) -> float:
    n_rows = min(len(judged.train), len(judged.holdout))
    fresh = thinned(judged.holdout, n_rows, judged.rng("detection/control"))
    real = thinned(judged.train, n_rows, judged.rng("detection/control train"))
    return auc_interval(*out_of_fold(real, fresh, seed=judged.seed_for("detection"))).value


def _groups_among(
    judged: Judged, real: pd.DataFrame, made: pd.DataFrame
) -> list[tuple[str, np.ndarray]]:
    part = replace(judged, train=real, synthetic=made)
    return [(g.name, np.concatenate([g.train, g.synthetic])) for g in sensitive_groups(part)]
