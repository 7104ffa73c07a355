"""The verdict by numbers: each question with two numbers and how they lie to each other."""

from collections.abc import Mapping, Sequence

from reinforge.report.catalogue import entry_of
from reinforge.report.numbers import decimals, interval
from reinforge.report.picture_catalogue import ARMS, PICTURES
from reinforge.report.score_view import View, control_view, is_all

Band = tuple[float, float] | None

_MAIN_SCORES = ("verification_accuracy", "map", "rank1", "tar_at_1pct_far")
_ARM_QUESTIONS = (  # beside which arm -> what is asked
    ("real", "Do the synthetic pictures help a recogniser?"),
    ("random_erasing", "Do they help more than blanking patches of real ones?"),
    ("cold_start", "Did rewards and selection help?"),
)
_CONTROL_QUESTIONS = (  # score -> the control that it is read beside (the first there is), question
    ("identity_accuracy", ("train", "holdout", "real"), "Do the pictures show whom they should?"),
    (
        "intra_identity_diversity",
        ("train", "holdout", "real"),
        "Are one person's pictures as varied as real ones?",
    ),
    ("group_gap", ("limit", "real"), "Are all groups recognised alike?"),
    (
        "identity_leakage",
        ("holdout", "train", "unseen"),
        "Do they look like other training people more than fresh pictures do?",
    ),
    ("identity_leakage_second", ("holdout", "train", "unseen"), "And in a second embedding?"),
    (
        "nearest_train_ratio",
        ("holdout", "train"),
        "Do they lie nearer to training pictures than fresh ones do?",
    ),
    ("near_duplicates", ("holdout", "unseen"), "Are any near-duplicates?"),
    (
        "newcomer_leakage",
        ("unseen", "holdout"),
        "Do newcomers look like training people more than real strangers do?",
    ),
    ("membership_auc", (), "Can an attacker tell what the model learnt from?"),
)


def verdict(scores: Sequence[View], arms: Sequence[View]) -> list[View]:
    """Each question with its number, the number it is read beside, and how their intervals lie."""
    everyone = {s["name"]: s for s in scores if is_all(s) and s["value"] is not None}
    asked = (_beside_control(everyone, *question) for question in _CONTROL_QUESTIONS)
    return _beside_arms(arms) + [row for row in asked if row is not None]


def reading(value: float, band: Band, beside: float, beside_band: Band) -> str:
    """How a value lies to the one beside it, in words that leave the judging to the reader."""
    if band is None:
        words = "Equal" if value == beside else ("Higher" if value > beside else "Lower")
        return f"{words}; without an interval."
    if beside_band is None:
        if band[0] <= beside <= band[1]:
            return "No difference shown: the interval holds it."
        return f"{'Higher' if value > beside else 'Lower'}: the interval does not reach it."
    if band[0] <= beside_band[1] and beside_band[0] <= band[1]:
        return "No difference shown: the intervals overlap."
    return f"{'Higher' if value > beside else 'Lower'}: the intervals lie apart."


def _beside_arms(arms: Sequence[View]) -> list[View]:
    by_arm = {(row["arm"], row["score"]): row for row in arms}
    rows = []
    for score in [name for name in _MAIN_SCORES if any(row["score"] == name for row in arms)][:1]:
        ours = [arm for arm in ARMS if (arm, score) in by_arm][-1:]
        for beside, question in _ARM_QUESTIONS:
            other = by_arm.get((beside, score))
            if ours and other is not None and ours[0] != beside:
                own = by_arm[ours[0], score]
                label = f"{ARMS[beside][0]} {_with_interval(other)}"
                said = reading(own["value"], own["band"], other["value"], other["band"])
                rows.append(_verdict_row(question, entry_of(score, PICTURES).title, own, said))
                rows[-1] |= {"name": f"{score} · {ARMS[ours[0]][0]}", "beside": label}
    return rows


def _beside_control(
    everyone: Mapping[str, View], name: str, controls: Sequence[str], question: str
) -> View | None:
    score = everyone.get(name)
    if score is None:
        return None
    control = next((c for c in controls if c in score["baseline"]), None)
    scale, known = score["scale"], score["known_controls"]
    if control is not None:
        beside = score["baseline"][control]
        label = f"{control_view(control, beside, known)['label']} {decimals(beside)}"
    elif scale.mark is not None or scale.low == 0.5:
        beside = scale.low if scale.mark is None else scale.mark
        label = f"{scale.mark_text or scale.low_text} {decimals(beside)}"
    else:
        return _verdict_row(question, score["title"], score, "No control was measured.") | {
            "name": name,
            "beside": "–",
        }
    said = reading(score["value"], band_of(score), beside, None)
    return _verdict_row(question, score["title"], score, said) | {"name": name, "beside": label}


def _verdict_row(question: str, title: str, score: View, said: str) -> View:
    ends = interval(score["low"], score["high"])
    return {
        "question": question,
        "title": title,
        "value": decimals(score["value"]),
        "interval": ends,
        "reading": said,
    }


def _with_interval(row: View) -> str:
    ends = interval(row["low"], row["high"])
    return f"{decimals(row['value'])} ({ends})" if ends else decimals(row["value"])


def band_of(score: View) -> Band:
    """The interval of a score where both ends are known."""
    known = score["low"] is not None and score["high"] is not None
    return (score["low"], score["high"]) if known else None
