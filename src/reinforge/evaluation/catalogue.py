"""Every score's direction and its meaning in one sentence: the words of the public interface."""

from reinforge.evaluation.picture_catalogue import PICTURE_BETTER
from reinforge.records import Better

UTILITY = ("r2r", "s2r", "r2s")
FIDELITY = (
    "nmi",
    "dwd",
    "column_distance",
    "association_distance",
    "detection_auc",
    "density",
    "coverage",
)
PRIVACY = (
    "membership_auc",
    "membership_tpr_at_1pct_fpr",
    "domias_auc",
    "attribute_risk",
    "singling_out_risk",
    "linkability_risk",
    "inference_risk",
    "dcr_share",
    "identical_share",
)

_ROWS: tuple[tuple[str, Better, str], ...] = (
    (
        "r2r_auc",
        "higher",
        "How well classifiers that learnt from train rows rank the holdout's classes: the mark.",
    ),
    (
        "s2r_auc",
        "higher",
        "How well classifiers that learnt from synthetic rows rank the holdout's classes.",
    ),
    (
        "r2s_auc",
        "higher",
        "How well classifiers that learnt from train rows rank the classes of synthetic rows.",
    ),
    (
        "r2r_r2",
        "higher",
        "Share of the holdout target's variance that models of train rows explain: the mark.",
    ),
    (
        "s2r_r2",
        "higher",
        "Share of the holdout target's variance that models of synthetic rows explain.",
    ),
    (
        "r2s_r2",
        "higher",
        "Share of the synthetic target's variance that models of train rows explain.",
    ),
    (
        "nmi",
        "lower",
        "How much a row's cluster says about whether it is real; 0 is nothing.",
    ),
    (
        "dwd",
        "lower",
        "Summed distance of all columns' distributions; grows with the number of columns.",
    ),
    (
        "column_distance",
        "lower",
        "Mean distance of one column's distribution; 0 is equal, 1 is as far as it can be.",
    ),
    (
        "association_distance",
        "lower",
        "Mean difference in how strongly two columns hang together; 0 is equal.",
    ),
    (
        "detection_auc",
        "near 0.5",
        "How well a classifier tells synthetic from train rows; 0.5 cannot, 1 always can, and far "
        "below 0.5 means re-used rows.",
    ),
    (
        "density",
        "near 1",
        "How densely synthetic rows fill the neighbourhoods of train rows.",
    ),
    (
        "coverage",
        "higher",
        "Share of train rows with a synthetic row in their neighbourhood.",
    ),
    (
        "membership_auc",
        "near 0.5",
        "How well an attacker tells train people from others by the distance to the nearest "
        "synthetic row; 0.5 is guessing.",
    ),
    (
        "membership_tpr_at_1pct_fpr",
        "lower",
        "Share of train people whom that attacker finds while naming at most 1 % of the others.",
    ),
    (
        "domias_auc",
        "near 0.5",
        "How well an attacker who also holds a sample of the population tells train people from "
        "others; 0.5 is guessing.",
    ),
    (
        "attribute_risk",
        "lower",
        "How well the nearest synthetic row gives away what an attacker does not know of a person.",
    ),
    (
        "singling_out_risk",
        "lower",
        "How often a description read off synthetic rows fits exactly one train person, beyond how "
        "often it fits exactly one person who was not used.",
    ),
    (
        "linkability_risk",
        "lower",
        "How often synthetic rows link two halves of a train person's record, beyond how often "
        "they do for people who were not used.",
    ),
    (
        "inference_risk",
        "lower",
        "How often synthetic rows give away a secret value of a train person, beyond how often "
        "they do for people who were not used.",
    ),
    (
        "dcr_share",
        "near 0.5",
        "Share of synthetic rows nearer to train than to as many holdout rows; attacks can succeed "
        "where it is balanced.",
    ),
    (
        "identical_share",
        "lower",
        "Share of synthetic rows that equal a train row in every column.",
    ),
)

BETTER: dict[str, Better] = PICTURE_BETTER | {name: better for name, better, _ in _ROWS}
MEANINGS: dict[str, str] = {name: meaning for name, _, meaning in _ROWS}
