"""Context: what somebody needs to repeat an evaluation and to know what it left out."""

import hashlib
import platform
from importlib.metadata import version
from typing import Any

import pandas as pd

from reinforge import __version__
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.records import Split

_DETECTOR = "scikit-learn HistGradientBoostingClassifier, 5 folds"


def context_of(
    split: Split,
    synthetic: pd.DataFrame,
    *,
    whole: Judged,
    part: Judged,
    level: Level,
    judges: tuple[str, ...],
) -> dict[str, Any]:
    """Versions, seed, level, row counts, judges, digests and warnings.

    Args:
        split: The real rows as given.
        synthetic: The synthetic rows as given.
        whole: All coded rows.
        part: The rows that utility and fidelity used.
        level: The level of the evaluation.
        judges: Classifiers of the utility scores.
    """
    tables = {"train": whole.train, "holdout": whole.holdout, "synthetic": whole.synthetic}
    used = {"train": part.train, "holdout": part.holdout, "synthetic": part.synthetic}
    return {
        "level": level.name,
        "seed": whole.seed,
        "target": split.target,
        "sensitive": list(split.sensitive),
        "rows": {name: len(table) for name, table in tables.items()},
        "rows_used": {name: len(table) for name, table in used.items()}
        | {"synthetic_attacked": min(len(synthetic), level.attack_rows)},
        "columns": {
            "modelled": [column.name for column in split.schema.modelled],
            "left_out": [c.name for c in split.schema.columns if not c.is_modelled],
        },
        "judges": {"utility": list(judges), "detection": _DETECTOR},
        "split_digest": table_digest(split.train, split.holdout),
        "synthetic_digest": table_digest(synthetic),
        "versions": {
            "reinforge": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "pandas", "scipy", "scikit-learn")},
        },
        "warnings": warnings_of(whole, part),
    }


def table_digest(*tables: pd.DataFrame) -> str:
    """SHA-256 over column names and all values of the tables, whatever the dtypes' storage."""
    digest = hashlib.sha256()
    for table in tables:
        text = table.astype(object).where(table.notna(), None)
        digest.update(repr([str(name) for name in table.columns]).encode())
        digest.update(
            pd.util.hash_pandas_object(text.astype(str), index=False).to_numpy().tobytes()
        )
    return digest.hexdigest()


def warnings_of(whole: Judged, part: Judged) -> list[str]:
    """What a reader must be told before the numbers."""
    said = []
    if _same_rows(whole.train, whole.synthetic):
        said.append("The synthetic rows are the train rows: this is a release of the real data.")
    if _same_rows(whole.train, whole.holdout):
        said.append("Train and holdout are the same rows: no score has a control.")
    for name in ("train", "holdout", "synthetic"):
        n, n_used = len(getattr(whole, name)), len(getattr(part, name))
        if n_used < n:
            said.append(
                f"Utility and fidelity used {n_used:,} of {n:,} {name} rows, drawn by seed."
            )
        if n < 50:
            said.append(f"Only {n} {name} rows: every interval is wide.")
    if whole.target is None:
        said.append("No target column was given, so there is no utility score.")
    return said


def _same_rows(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    if len(a) != len(b):
        return False
    names = list(a.columns)
    left, right = (t.sort_values(names).reset_index(drop=True) for t in (a, b))
    return bool(left.equals(right))
