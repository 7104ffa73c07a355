"""A scorecard of pictures that looks like a real one, with pictures drawn by code."""

import math
from typing import Any

import numpy as np

from reinforge.data.drawn import draw_identities
from reinforge.randomness import generator

NAMES = (
    "Adalbertina Quillfeather",
    "Bogumila_Zantedeschia",
    "Cyriacus-Umbrella",
    "Deodatus Vantablack",
)
GROUPS = ("group=north", "group=south", "group=west")
PRIVATE_PATH = "/srv/clinic/photos/Adalbertina Quillfeather/visit_3.jpg"

# name -> (value, half width of the interval, better, baselines)
SCORES: dict[str, tuple[float, float, str, dict[str, float]]] = {
    "verification_accuracy": (
        0.842,
        0.014,
        "higher",
        {"real": 0.801, "random_erasing": 0.815, "cold_start": 0.823},
    ),
    "tar_at_1pct_far": (0.412, 0.035, "higher", {"real": 0.331, "random_erasing": 0.352}),
    "map": (0.531, 0.022, "higher", {"real": 0.472, "random_erasing": 0.495}),
    "rank1": (0.688, 0.025, "higher", {"real": 0.634, "random_erasing": 0.66}),
    "group_gap": (0.061, 0.022, "lower", {"limit": 0.052, "real": 0.081}),
    "identity_accuracy": (0.902, 0.021, "higher", {"train": 0.948}),
    "intra_identity_diversity": (0.931, 0.06, "near 1", {"train": 1.01}),
    "kid": (0.031, 0.004, "lower", {"train": 0.002}),
    "density": (0.871, 0.05, "near 1", {"train": 1.01}),
    "coverage": (0.822, 0.03, "higher", {"train": 0.93, "perfect": 0.95}),
    "identity_leakage": (0.041, 0.012, "lower", {"holdout": 0.038, "unseen": 0.022}),
    "identity_leakage_strict": (0.006, 0.004, "lower", {"holdout": 0.004, "unseen": 0.002}),
    "nearest_train_ratio": (0.981, 0.024, "near 1", {"copy": 0.0, "holdout": 1.0}),
    "copy_rate": (0.013, 0.007, "lower", {"holdout": 0.011, "unseen": 0.0}),
    "own_identity_match": (0.812, 0.03, "higher", {"holdout": 0.871}),
    "identity_leakage_second": (0.052, 0.013, "lower", {"holdout": 0.041, "unseen": 0.025}),
    "nearest_train_ratio_second": (0.942, 0.024, "near 1", {"copy": 0.0, "holdout": 1.0}),
    "near_duplicates": (0.0, 0.002, "lower", {"holdout": 0.01, "unseen": 0.0}),
    "membership_auc": (0.534, 0.03, "near 0.5", {"copy": 0.92}),
    "membership_tpr_at_1pct_fpr": (0.018, 0.011, "lower", {"naive": 0.009, "limit": 0.02}),
    "membership_auc_no_box": (0.511, 0.03, "near 0.5", {"copy": 1.0}),
    "membership_tpr_at_1pct_fpr_no_box": (0.012, 0.011, "lower", {"naive": 0.009, "limit": 0.02}),
    "newcomer_found": (0.88, 0.03, "higher", {"unseen": 0.96, "chance": 0.02}),
    "newcomer_spread": (1.32, 0.1, "near 1", {}),
    "newcomer_leakage": (0.071, 0.02, "lower", {"holdout": 0.038, "unseen": 0.022}),
    "newcomer_near_duplicates": (0.0, 0.002, "lower", {"holdout": 0.01, "unseen": 0.0}),
    "newcomer_membership_auc_no_box": (0.508, 0.03, "near 0.5", {"copy": 1.0}),
}
ARM_STEPS = {
    "real": 0.0,
    "random_erasing": 0.014,
    "cold_start": 0.021,
    "reinforced": 0.033,
    "selected": 0.041,
}


def drawn_samples(n: int = 6, *, size: int = 32, seed: int = 3) -> dict[str, np.ndarray]:
    """Identity -> pictures drawn by code, in the place of synthetic ones."""
    images = draw_identities(len(NAMES), n, size=size, seed=seed)
    pixels = np.asarray(images.pixels)
    return {name: pixels[images.identity == k] for k, name in enumerate(NAMES)}


def drawn_newcomers(n: int = 5, *, size: int = 32) -> dict[str, np.ndarray]:
    """People who do not exist -> pictures drawn by code."""
    images = draw_identities(9, n, size=size, seed=21)
    pixels = np.asarray(images.pixels)
    return {f"new-{k:05}": pixels[images.identity == k] for k in range(9)}


def newcomer_pairs(*, size: int = 32) -> list[tuple[np.ndarray, np.ndarray, float, str]]:
    """Pictures of those people, each with the "real" one nearest to it."""
    made, real = drawn_newcomers(1, size=size), drawn_samples(1, size=size, seed=9)
    return [(made[n][0], real[NAMES[1]][0], 0.5 + 0.01 * k, NAMES[1]) for k, n in enumerate(made)]


def drawn_pairs(*, size: int = 32) -> list[tuple[np.ndarray, np.ndarray, float, str]]:
    """Pairs of a picture and the "real" one nearest to it."""
    made, real = drawn_samples(2, size=size), drawn_samples(2, size=size, seed=9)
    return [(made[n][k], real[n][k], 0.2 + 0.1 * k, n) for n in NAMES for k in range(2)]


def _scores() -> list[dict[str, Any]]:
    found = []
    for name, (value, half, better, baseline) in SCORES.items():
        groups = GROUPS if name in ("verification_accuracy", "identity_leakage", "kid") else ()
        for j, group in enumerate(("all", *groups)):
            moved = value + (0.02 * (j - 2) if j else 0.0)
            wide = half * (1.7 if j else 1)
            found.append(
                {
                    "name": name,
                    "group": group,
                    "value": max(moved, 0.0),
                    "low": max(moved - wide, 0.0),
                    "high": moved + wide,
                    "better": better,
                    "n": 1200 if not j else 400,
                    "meaning": "",
                    "baseline": dict(baseline),
                    "reason": None,
                }
            )
    return found


def _arms() -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "score": score,
            "value": SCORES[score][0] - 0.041 + step,
            "low": SCORES[score][0] - 0.041 + step - 0.012,
            "high": SCORES[score][0] - 0.041 + step + 0.012,
        }
        for arm, step in ARM_STEPS.items()
        for score in ("verification_accuracy", "tar_at_1pct_far", "map", "rank1")
    ]


def _bell(edges: np.ndarray, centre: float, width: float) -> list[float]:
    middle = (edges[1:] + edges[:-1]) / 2
    raw = np.exp(-((middle - centre) ** 2) / (2 * width**2))
    return [float(share) for share in raw / raw.sum()]


def _roc(name: str, family: str, power: float) -> dict[str, Any]:
    fpr = [0.0, *[10 ** (-3 + 3 * k / 40) for k in range(41)]]
    tpr = [rate**power for rate in fpr]
    return {"name": name, "family": family, "fpr": fpr, "tpr": tpr, "auc": 1 / (1 + power)}


def make_sphere(n_each: int = 7, names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    """Clusters of three kinds of pictures on a sphere."""
    rng = generator(4, "sphere")
    points, kinds, identities = [], [], []
    for name in names:
        centre = rng.standard_normal(3)
        centre /= np.linalg.norm(centre)
        for kind, spread in (("real", 0.13), ("reinforced", 0.17), ("erased", 0.12)):
            for _ in range(n_each):
                place = centre + spread * rng.standard_normal(3)
                points.append([float(v) for v in place / np.linalg.norm(place)])
                kinds.append(kind)
                identities.append(name)
    return {"points": points, "kind": kinds, "identity": identities}


def make_picture_scorecard() -> dict[str, Any]:
    """A whole scorecard of pictures as `Scorecard.to_dict` writes it."""
    edges = np.linspace(0.0, 1.2, 25)
    return {
        "scores": _scores(),
        "context": {
            "level": "full",
            "seed": 2,
            "pictures": {"train": 200, "holdout": 120, "unseen": 480, "synthetic": 1600},
            "people": {"train": 40, "unseen": 60},
            "picture_shape": [32, 32, 3],
            "scored_arm": "selected",
            "judges": {"judge": "small, of other people", "second": "the rewarding recogniser"},
            "digests": {"train": "77be01c35d10" * 5},
            "versions": {"reinforge": "0.1.0", "torch": "2.13.0"},
            "warnings": ["Only 40 people: every interval is wide."],
        },
        "figures": {
            "leakage": {
                "bins": [float(edge) for edge in edges],
                "synthetic": _bell(edges, 0.55, 0.14),
                "holdout": _bell(edges, 0.52, 0.16),
                "copy_below": 0.25,
                "match_below": 0.6,
            },
            "newcomers": {
                "bins": [float(edge) for edge in edges],
                "synthetic": _bell(edges, 0.8, 0.12),
                "holdout": _bell(edges, 0.85, 0.1),
                "copy_below": 0.25,
                "match_below": 0.6,
            },
            "roc": [
                _roc("real", "utility", 0.25),
                _roc("selected", "utility", 0.2),
                _roc("membership_auc", "attack", 0.86),
            ],
            "arms": _arms(),
            "sphere": make_sphere(),
            "front": [
                {
                    "privacy_weight": weight,
                    "accuracy": 0.842 - 0.01 * k * k / 3,
                    "accuracy_low": 0.832 - 0.01 * k * k / 3,
                    "accuracy_high": 0.852 - 0.01 * k * k / 3,
                    "leakage": 0.02 + 0.05 * math.exp(-k),
                    "leakage_low": 0.012 + 0.05 * math.exp(-k),
                    "leakage_high": 0.028 + 0.05 * math.exp(-k),
                }
                for k, weight in enumerate((0.0, 0.25, 0.5, 1.0))
            ],
        },
    }


def make_picture_history() -> list[dict[str, Any]]:
    """Lines of a history of all phases."""
    lines: list[dict[str, Any]] = [
        {"phase": "recogniser", "step": k, "loss": 3 * math.exp(-k / 20), "accuracy": k / 60}
        for k in range(60)
    ]
    lines += [
        {"step": k, "phase": "cold start", "denoising_loss": 0.2 + math.exp(-k / 30)}
        for k in range(100)
    ]
    for k in range(100, 160):
        up = 1 - math.exp(-(k - 100) / 25)
        line = {"step": k, "phase": "reinforcement", "reward": 0.4 * up, "semantic": 0.6 + 0.2 * up}
        line |= {"coverage": 0.1 + 0.1 * up, "diversity": -0.6 * (1 - up), "kl": 3 * up}
        if k % 20 == 19:
            line |= {"watched_semantic": 0.6 + 0.2 * up, "watched_diversity": -0.5 * (1 - up)}
            line |= {"ratio_entropy": 1 - 0.1 * up, "ratio_sharpness": 1 + 0.4 * up, "alarms": []}
        lines.append(line)
    lines[-1]["alarms"] = ["sharpness is 2.6 times the cold start's: noise or hard outlines"]
    return lines
