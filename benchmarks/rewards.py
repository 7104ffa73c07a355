"""What rewards beyond realism are worth and what they cost; what the privacy knobs trade.

    python benchmarks/rewards.py --tables adult compas --rows 500 --seeds 0 1 2

Each arm is the default preset with one thing added. Measurements go to `results/rewards.csv`;
`rewards.md` and the drawn fronts `rewards_TABLE.svg` are written from that file.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import harness
import measurements
import reinforge
import tables
from arms import Arm
from harness import Cell
from reinforge.evaluation.judged import Judged, judged_tables
from reinforge.measure.classifiers import class_scores, classifier, fit_quietly
from reinforge.records import Split
from reinforge.report.front import front_file
from reinforge.synthesizers import TabularSynthesizer
from reinforge.synthesizers.leakage import RUNGS, leakage_on_halves
from reinforge.systems.tabular.rules import parse_rule
from tabular import common_arguments

PLAIN = "default"
SENSITIVE = {"adult": "sex", "compas": "race", "heart_all": "sex", "diabetes130": "gender"}
RULES = {  # met by nearly all real rows, broken by some
    "adult": 'relationship == "Husband" -> sex == "Male"',
    "compas": "juv_fel_count + juv_misd_count + juv_other_count <= priors_count",
}
_RUNG_NAMES = {
    (hidden, share): f"max_leakage: {hidden:g} hidden"
    + (f", {share:g} of the steps" if share < 1 else "")
    for hidden, share in RUNGS
}
SCORES = {
    "s2r_auc": "S2R AUC ↑",
    "membership_auc": "membership AUC → 0.5",
    "membership_on_halves": "the same on halves",
    "outcome_gap": "outcome gap in the rows ↓",
    "predicted_gap": "gap of a classifier's forecasts ↓",
    "rule_broken": "rule broken ↓",
    "detection_auc": "detection AUC → 0.5",
    "coverage": "coverage ↑",
    "column_distance": "column distance ↓",
}


def settings_of(table: str) -> dict[str, dict[str, object]]:
    """Arm -> what it adds to the default preset."""
    fair = {"sensitive": SENSITIVE.get(table, "")}
    found: dict[str, dict[str, object]] = {
        PLAIN: {},
        "utility 0.25": {"rewards": {"UtilityReward": {"weight": 0.25}}},
        "utility 0.5": {"rewards": {"UtilityReward": {"weight": 0.5}}},
        "privacy 1": {"rewards": {"PrivacyReward": {"weight": 1.0}}},
        "privacy 3": {"rewards": {"PrivacyReward": {"weight": 3.0}}},
        "fairness 1": {"rewards": {"FairnessReward": {**fair, "weight": 1.0}}},
        "fairness 3": {"rewards": {"FairnessReward": {**fair, "weight": 3.0}}},
        "fairness 10": {"rewards": {"FairnessReward": {**fair, "weight": 10.0}}},
        "rule 5": {"rules": [RULES.get(table, "")]},
        "nothing hidden": {"hidden_from_encoder": 0.0},
        "hidden 0.25": {"hidden_from_encoder": 0.25},
        "imitation, four times as long": {"cold_start_steps": "x4"},
        **{_RUNG_NAMES[rung]: _rung(*rung) for rung in RUNGS if rung[0] > 0.5},  # .5 is the default
    }
    absent = [name for name in found if name.startswith("fairness") and not fair["sensitive"]]
    absent += ["rule 5"] if table not in RULES else []
    return {name: given for name, given in found.items() if name not in absent}


def _rung(hidden: float, share: float) -> dict[str, object]:
    """What a rung of `max_leakage` sets."""
    steps = {} if share == 1 else {"cold_start_steps": f"x{share:g}"}
    return {"hidden_from_encoder": hidden, **steps}


def plan(chosen: object) -> Iterator[Cell]:
    """Every arm on every split."""
    for text in chosen.tables:
        table, _, rows = text.partition("@")
        n_rows = int(rows) if rows else chosen.rows
        for seed in chosen.seeds:
            for name, given in settings_of(table).items():
                if chosen.only and name not in chosen.only:
                    continue
                yield Cell(
                    table=table,
                    rows=n_rows,
                    name=name,
                    arm=Arm(
                        what=name,
                        program_arm="reinforge",
                        settings=_with_length(given, n_rows),
                        is_ours=True,
                    ),
                    seed=seed,
                    level=chosen.level,
                    folder=tables.data_folder(chosen.data),
                )


def _with_length(given: dict[str, object], n_rows: int) -> dict[str, object]:
    """The same with "x4" turned into steps."""
    factor = given.get("cold_start_steps")
    if not isinstance(factor, str):
        return dict(given)
    from reinforge.systems.tabular.config import TabularConfig

    usual = TabularConfig().for_rows(n_rows).cold_start_steps
    return {**given, "cold_start_steps": round(usual * float(factor[1:]))}


def measure(cell: Cell) -> list[dict[str, object]]:
    """The usual scores, and those that only rewards of this page care about."""
    split, synthetic, costs = harness.draw(cell)
    extra: dict[str, float] = {}
    if not cell.name.startswith(("fairness", "rule", "utility")):
        extra["membership_on_halves"] = _on_halves(cell, split)
    if cell.table in RULES:
        extra["rule_broken"] = float(parse_rule(RULES[cell.table]).broken(synthetic).mean())
    if cell.table in SENSITIVE:
        judged = judged_tables(split, synthetic, seed=cell.seed)
        extra |= _gaps(judged, SENSITIVE[cell.table])
    return harness.judge(cell, split, synthetic, costs) + [
        dict(zip(measurements.FIELDS, (*cell.key, name, value), strict=True))
        for name, value in extra.items()
    ]


def _on_halves(cell: Cell, split: Split) -> float:
    """Membership AUC where each train row is learnt once and kept out once."""
    given = settings_of(cell.table)[cell.name]

    def fit(half: pd.DataFrame) -> TabularSynthesizer:
        settings = _with_length(given, len(half))
        named = settings.pop("rewards", {})
        rewards = [getattr(reinforge, name)(**how) for name, how in named.items()]
        model = TabularSynthesizer(seed=cell.seed, rewards=rewards, **settings)
        return model.fit(half, target=split.target, schema=split.schema)

    return leakage_on_halves(fit, split.train, split.schema, seed=cell.seed).value


def _gaps(judged: Judged, sensitive: str) -> dict[str, float]:
    """Difference between the two largest groups: share of the last class, and its forecast.

    The forecast is a logistic regression's, learnt from the synthetic rows, asked about the
    holdout: the difference of its mean probability (demographic parity).
    """
    target = str(judged.target)
    largest = judged.train[sensitive].value_counts().index[:2]
    positive = len(judged.schema[target].categories) - 1
    share = [
        float(
            (judged.synthetic.loc[judged.synthetic[sensitive] == group, target] == positive).mean()
        )
        for group in largest
    ]
    others = tuple(name for name in judged.train.columns if name != target)
    encoder = judged.encoder(others)
    label = (judged.synthetic[target] == positive).to_numpy().astype(int)
    forecast = [float("nan")] * 2
    if len(np.unique(label)) == 2:
        model = classifier("logistic", seed=judged.seed_for("rewards/forecast"))
        model = fit_quietly(model, encoder.transform(judged.synthetic), label)
        score = class_scores(model, encoder.transform(judged.holdout), classes=np.arange(2))[:, 1]
        groups = judged.holdout[sensitive].to_numpy()
        forecast = [float(score[groups == group].mean()) for group in largest]
    return {
        "outcome_gap": abs(share[0] - share[1]),
        "predicted_gap": abs(forecast[0] - forecast[1]),
    }


def write_page(path: Path, page: Path) -> None:
    """Write `rewards.md` and the fronts anew from the CSV alone."""
    measured = measurements.read(path)
    parts = [
        "# What rewards beyond realism are worth, and what privacy costs\n\n"
        "Written by `benchmarks/rewards.py` from `results/rewards.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "First row of a table: the default preset, mean ± half a 95 % interval over seeds. Other "
        "rows: the paired difference when one thing is added or changed, in bold where its "
        "interval leaves out 0. The outcome gap is the difference in the share of the last class "
        "between the two largest groups; forecasts are a logistic regression's that learnt from "
        "the synthetic rows, on the holdout. Membership on halves: generators learn half of the "
        "train rows each, so that every row is learnt once and kept out once; its interval is a "
        "fraction of the other's, and halves leak more than the whole. adult and compas are tables "
        "that the default was chosen on. Differences without an interval are of one seed. In a "
        "drawing a dot is the default's mean moved by the arm's paired difference.\n"
    ]
    for (dataset, setting), part in measured.groupby(["dataset", "setting"], sort=True):
        drawing = page.parent / f"rewards_{dataset}.svg"
        drawing.write_text(_front(part, str(dataset)))
        rule = f" Rule: `{RULES[dataset]}`." if dataset in RULES else ""
        group = f" Groups: `{SENSITIVE[dataset]}`." if dataset in SENSITIVE else ""
        parts.append(f"## {dataset}, {setting}\n\n{group}{rule}\n\n{_table(part)}")
        parts.append(f"![membership against utility on {dataset}]({drawing.name})\n")
    page.write_text("\n".join(parts))


def _wide(measured: pd.DataFrame) -> pd.DataFrame:
    return measured[measured["score"].isin(SCORES)].pivot_table(
        index=["arm", "seed"], columns="score", values="value"
    )


def _table(measured: pd.DataFrame) -> str:
    wide = _wide(measured)
    full = wide.xs(PLAIN, level="arm")
    names = [name for name in SCORES if name in full]
    rows = [[PLAIN, *(measurements.cell(full[name]) for name in names)]]
    for arm in settings_of(str(measured["dataset"].iloc[0])):
        if arm != PLAIN and arm in wide.index.get_level_values("arm"):
            change = wide.xs(arm, level="arm") - full
            rows.append([arm, *(measurements.signed(change[name].dropna()) for name in names)])
    return measurements.markdown_table(["", *(SCORES[name] for name in names)], rows)


_IN_SHORT = {
    "nothing hidden": "whole rows",
    "imitation, four times as long": "4 x longer",
    **{name: name.removeprefix("max_leakage: ") for name in _RUNG_NAMES.values()},
}


def _front(measured: pd.DataFrame, table: str) -> str:
    """Membership against utility, a dot an arm."""
    wide = _wide(measured)
    full = wide.xs(PLAIN, level="arm")
    change = wide.sub(full, level="seed").groupby(level="arm").mean()
    mean = full.mean() + change  # paired: an arm of fewer seeds is set beside the same ones
    points = [
        {
            "label": _IN_SHORT.get(str(arm), str(arm)),
            "x": float(row["s2r_auc"]),
            "y": float(row["membership_on_halves"]),
            "x_interval": None,
            "y_interval": None,
        }
        for arm, row in mean.iterrows()
        if "membership_on_halves" in row and np.isfinite(row["membership_on_halves"])
    ]
    domain = {
        axis: (min(p[axis] for p in points) - 0.01, max(p[axis] for p in points) + 0.02)
        for axis in ("x", "y")
    }
    return front_file(
        {
            "title": f"Leakage against usefulness on {table}",
            "description": "; ".join(f"{p['label']}: {p['x']:.3f}, {p['y']:.3f}" for p in points),
            "x_label": "S2R AUC →",
            "y_label": "↑ membership AUC on halves",
            "x_domain": domain["x"],
            "y_domain": domain["y"],
            "points": points,
            "trails": [],
        }
    )


def main() -> int:
    """Run what is missing, then write the page."""
    parser = common_arguments(__doc__ or "")
    parser.add_argument("--tables", nargs="+", default=["adult", "compas"], metavar="TABLE")
    parser.add_argument("--only", nargs="+", default=[], metavar="ARM")
    chosen, path = parser.parse_args(), measurements.csv_of("rewards")
    return harness.main(plan(chosen), chosen, path=path, write_page=write_page, measure=measure)


if __name__ == "__main__":
    sys.exit(main())
