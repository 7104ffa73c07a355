"""Every score of identity pictures: its direction, and its meaning in one sentence."""

from reinforge.records import Better

UTILITY = ("map", "rank1", "verification_accuracy", "tar_at_1pct_far", "group_gap")
FIDELITY = ("kid", "density", "coverage", "intra_identity_diversity", "identity_accuracy")
IN_A_SPACE = (  # measured in the judge's space, and with SECOND in another one
    "nearest_train_ratio",
    "copy_rate",
    "identity_leakage",
    "identity_leakage_strict",
    "own_identity_match",
)
NEWCOMERS_IN_A_SPACE = ("newcomer_leakage", "newcomer_copy_rate")
SECOND = "_second"
WHITE_BOX = ("membership_auc", "membership_tpr_at_1pct_fpr")
NO_BOX = ("membership_auc_no_box", "membership_tpr_at_1pct_fpr_no_box")
NEWCOMERS_NO_BOX = (
    "newcomer_membership_auc_no_box",
    "newcomer_membership_tpr_at_1pct_fpr_no_box",
)

_ROWS: tuple[tuple[str, Better, str], ...] = (
    (
        "map",
        "higher",
        "How near the top of the list a recogniser puts the other pictures of a person whom it "
        "never saw, among all pictures of such people.",
    ),
    (
        "rank1",
        "higher",
        "Share of pictures of people whom the recogniser never saw whose most similar picture "
        "shows the same person.",
    ),
    (
        "verification_accuracy",
        "higher",
        "Share of pairs of pictures of unseen people that a recogniser rightly calls one person "
        "or two; 0.5 is guessing.",
    ),
    (
        "tar_at_1pct_far",
        "higher",
        "Share of pairs of one unseen person that a recogniser accepts while accepting at most "
        "1 % of the pairs of two.",
    ),
    (
        "group_gap",
        "lower",
        "Verification accuracy of the best served group less that of the worst served.",
    ),
    (
        "kid",
        "lower",
        "How far the cloud of synthetic pictures lies from real ones of the same people, in the "
        "judge's eyes; 0 is no distance.",
    ),
    (
        "density",
        "near 1",
        "How densely the synthetic pictures of a person fill the neighbourhoods of that person's "
        "real pictures.",
    ),
    (
        "coverage",
        "higher",
        "Share of a person's real pictures with a synthetic picture of that person in their "
        "neighbourhood.",
    ),
    (
        "intra_identity_diversity",
        "near 1",
        "How much the synthetic pictures of one person differ, as a ratio to that person's real "
        "pictures; near 0 is one picture repeated.",
    ),
    (
        "identity_accuracy",
        "higher",
        "Share of synthetic pictures whom the judge takes for the person that was asked for; "
        "copies are recognised as well.",
    ),
    (
        "nearest_train_ratio",
        "near 1",
        "Distance of a synthetic picture to the nearest training picture of its person, as a "
        "ratio to that of a fresh real picture; a copy has 0.",
    ),
    (
        "copy_rate",
        "lower",
        "Share of synthetic pictures that are nearer to a training picture than 99 % of the pairs "
        "of real pictures of one person are to each other.",
    ),
    (
        "identity_leakage",
        "lower",
        "Share of synthetic pictures that match a training person whom they were not asked to "
        "show, where 1 in 1,000 pairs of real pictures of two people match.",
    ),
    (
        "identity_leakage_strict",
        "lower",
        "Share of synthetic pictures that match a training person whom they were not asked to "
        "show, where only 1 in 10,000 pairs of real pictures of two people match.",
    ),
    (
        "own_identity_match",
        "higher",
        "Share of synthetic pictures that match the training person whom they were asked to show: "
        "what the generator is for, and why its pictures speak of real people.",
    ),
    (
        "near_duplicates",
        "lower",
        "Share of synthetic pictures, mirrored or not, that look all but the same as a training "
        "picture, by their slow waves of grey.",
    ),
    (
        "membership_auc",
        "near 0.5",
        "How well an attacker who holds the generator tells training pictures from others by one "
        "query of it; 0.5 is guessing.",
    ),
    (
        "membership_tpr_at_1pct_fpr",
        "lower",
        "Share of training pictures that the holder of the generator finds while naming at most "
        "1 % of the others.",
    ),
    (
        "membership_auc_no_box",
        "near 0.5",
        "How well an attacker who holds the synthetic pictures alone tells training pictures from "
        "others by the distance to the nearest one; 0.5 is guessing.",
    ),
    (
        "membership_tpr_at_1pct_fpr_no_box",
        "lower",
        "Share of training pictures that the holder of the synthetic pictures finds while naming "
        "at most 1 % of the others.",
    ),
    (
        "newcomer_found",
        "higher",
        "Share of pictures of people who do not exist that the judge puts nearer to the other "
        "pictures of the same one than to those of any other.",
    ),
    (
        "newcomer_spread",
        "near 1",
        "How much the pictures of one person who does not exist differ, as a ratio to those of a "
        "real person; near 0 is one picture repeated.",
    ),
    (
        "newcomer_leakage",
        "lower",
        "Share of pictures of people who do not exist that match a training person, where 1 in "
        "1,000 pairs of real pictures of two people match.",
    ),
    (
        "newcomer_copy_rate",
        "lower",
        "Share of pictures of people who do not exist that are nearer to a training picture than "
        "99 % of the pairs of real pictures of one person are to each other.",
    ),
    (
        "newcomer_near_duplicates",
        "lower",
        "Share of pictures of people who do not exist, mirrored or not, that look all but the same "
        "as a training picture, by their slow waves of grey.",
    ),
    (
        "newcomer_membership_auc_no_box",
        "near 0.5",
        "How well an attacker who holds pictures of people who do not exist tells training "
        "pictures from others by the distance to the nearest one; 0.5 is guessing.",
    ),
    (
        "newcomer_membership_tpr_at_1pct_fpr_no_box",
        "lower",
        "Share of training pictures that the holder of pictures of people who do not exist finds "
        "while naming at most 1 % of the others.",
    ),
)


def _elsewhere(meaning: str) -> str:
    return f"In the second embedding space: {meaning[0].lower()}{meaning[1:]}"


PICTURE_BETTER: dict[str, Better] = {name: better for name, better, _ in _ROWS}
_TWICE = (*IN_A_SPACE, *NEWCOMERS_IN_A_SPACE)
PICTURE_BETTER |= {name + SECOND: PICTURE_BETTER[name] for name in _TWICE}
PICTURE_MEANINGS: dict[str, str] = {name: meaning for name, _, meaning in _ROWS}
PICTURE_MEANINGS |= {name + SECOND: _elsewhere(PICTURE_MEANINGS[name]) for name in _TWICE}
