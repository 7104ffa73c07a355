"""The scorecard: every score of a synthetic table, with what is needed to read and repeat it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reinforge.errors import InputError
from reinforge.evaluation.context import context_of
from reinforge.evaluation.detection import detection_scores
from reinforge.evaluation.fidelity import fidelity_scores
from reinforge.evaluation.figures import figures_of
from reinforge.evaluation.judged import Judged, judged_tables
from reinforge.evaluation.levels import Level, level_of
from reinforge.evaluation.privacy import privacy_scores
from reinforge.evaluation.rules import Rule, rule_rates
from reinforge.evaluation.utility import utility_scores
from reinforge.files import write_atomic, write_json
from reinforge.measure.classifiers import JUDGES, check_judges
from reinforge.measure.threads import threads_for
from reinforge.records import Score, Split

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """Scores, how they came about, and aggregates for figures."""

    scores: tuple[Score, ...]
    context: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Score:
        """The score of that name for everybody."""
        for score in self.scores:
            if score.name == name and score.group == "all":
                return score
        known = ", ".join(dict.fromkeys(score.name for score in self.scores))
        raise InputError(f"the scorecard has no score {name!r}; it has {known}.")

    def to_frame(self) -> pd.DataFrame:
        """One row a score; controls in columns named `baseline: NAME`."""
        rows = []
        for score in self.scores:
            row = asdict(score)
            controls = row.pop("baseline")
            rows.append(row | {f"baseline: {name}": value for name, value in controls.items()})
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: `scores`, `context`, `figures`."""
        return {
            "scores": [asdict(score) for score in self.scores],
            "context": self.context,
            "figures": self.figures,
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Scorecard":
        """The scorecard that `to_dict` described."""
        try:
            scores = tuple(Score(**score) for score in content["scores"])
            return cls(scores=scores, context=content["context"], figures=content["figures"])
        except (KeyError, TypeError) as error:
            raise InputError(
                f"this is no scorecard ({error}); wanted scores, context and figures."
            ) from error

    def save(self, path: str | Path) -> None:
        """Write the scorecard as JSON, whole or not at all."""
        write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "Scorecard":
        """Read a scorecard that `save` wrote."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file; run `reinforge evaluate` first.") from error
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"{path}: not a scorecard in JSON ({error}).") from error
        if not isinstance(content, dict):
            raise InputError(f"{path}: not a scorecard; wanted scores, context and figures.")
        return cls.from_dict(content)

    def report(
        self,
        path: str | Path,
        *,
        history: list[dict[str, Any]] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        """Write the one-page HTML report.

        Args:
            path: Where the page goes.
            history: Training history, one dict a step, for learning curves.
            settings: Settings to print.
        """
        from reinforge.report.html import render

        write_atomic(path, render(self.to_dict(), history=history, settings=settings).encode())

    def _repr_html_(self) -> str:
        """The scores of everybody as a table in a notebook."""
        frame = self.to_frame()
        shown = frame[frame["group"] == "all"]
        columns = ["name", "value", "low", "high", "better", "reason"]
        return str(shown[columns].to_html(index=False, na_rep="", float_format="{:.3f}".format))


def evaluate(
    split: Split,
    synthetic: pd.DataFrame,
    *,
    level: str = "full",
    seed: int = 0,
    progress: Progress | None = None,
    judges: Sequence[str] = JUDGES,
    rules: Sequence[Rule] = (),
) -> Scorecard:
    """Score synthetic rows for utility, fidelity and privacy, for everybody and for groups.

    Args:
        split: Real rows: the part that the generator saw, and the part that it did not.
        synthetic: The rows to judge, from any generator, with the real table's columns.
        level: "quick" or "full": how many rows, attacks and controls.
        seed: Key of every draw; the same seed gives the same scorecard.
        progress: Called with the name of each stage and the share of stages done.
        judges: Classifiers whose mean is the utility score; "svm" and "lightgbm" are RLSyn's.
        rules: Pairs of a label and a function from rows to True where a row breaks the rule.

    Raises:
        InputError: The tables do not match, one is empty, or a setting is unknown.
    """
    depth = level_of(level)
    judges = tuple(judges)
    check_judges(judges)
    whole = judged_tables(split, synthetic, seed=seed)
    part = whole.capped(real=depth.real_rows, synthetic=depth.synthetic_rows)
    tell = progress or (lambda stage, share: None)
    with threads_for(len(part.train) + len(part.synthetic)):
        scores, figures = _scored(whole, part, depth, judges, tell)
    figures["rules"] = rule_rates(split, synthetic, rules)
    context = context_of(split, synthetic, whole=whole, part=part, level=depth, judges=judges)
    tell("done", 1.0)
    return Scorecard(scores=scores, context=plain(context), figures=plain(figures))


def _scored(
    whole: Judged, part: Judged, depth: Level, judges: tuple[str, ...], tell: Progress
) -> tuple[tuple[Score, ...], dict[str, Any]]:
    """All scores, and what figures are drawn from."""
    tell("utility", 0.0)
    scores, curves = utility_scores(part, judges=judges)
    tell("fidelity", 0.3)
    scores += fidelity_scores(part, level=depth)
    tell("detection", 0.5)
    scores += detection_scores(part, level=depth)
    tell("privacy", 0.6)
    privacy, attack_curves = privacy_scores(whole, level=depth)
    tell("figures", 0.95)
    return (*scores, *privacy), figures_of(part) | {"roc": curves + attack_curves}


def plain(value: Any) -> Any:
    """Numpy numbers as Python's; what is not finite as None, since JSON has no word for it."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
