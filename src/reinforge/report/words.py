"""Standing text of the page: what no score measures, how numbers mislead, how to read a curve."""

NOT_TESTED = (
    "Attackers who hold the trained model, its weights or its training log. The attacks here "
    "work on synthetic rows and never touch the model.",
    "Attackers who train models of their own to imitate the generator (shadow models); they can be "
    "stronger than the attacks shown.",
    "Linking with outside registers, and several releases made from the same records and compared.",
    "People with several rows: if one person may hold more than one row, a row is protected less "
    "than these numbers suggest.",
    "Free text, and columns that were left out of the modelled table.",
    "A mathematical bound. No differential privacy is claimed; every number is an observation of "
    "this one set of rows.",
)

MISLEADING = (
    "An average hides people. Look at the outliers and at each group, not at everybody alone.",
    "An interval covers the chance in who was sampled. It does not cover another training run with "
    "another seed.",
    "An attack that does no better than its control may be a weak attack. It is no proof that none "
    "can succeed.",
    "A wide interval means: not measured precisely enough. A small holdout makes every interval "
    "wide.",
    "Of many scores and groups, some look striking by chance. Expect about one interval in twenty "
    "to miss.",
    "Distance to the nearest record shows similarity. Balanced distances have been seen beside "
    "successful attacks.",
    "Utility is measured for one target and one family of models. Another question may fare better "
    "or worse.",
    "This page was computed from real records. Treat it as a statistic about them.",
)

CONTEXT_LABELS = (  # label -> the keys of context and settings that may hold it, the first one wins
    ("Training rows", ("rows.train", "n_train")),
    ("Holdout rows", ("rows.holdout", "n_holdout")),
    ("Synthetic rows", ("rows.synthetic", "n_synthetic")),
    ("Columns", ("columns.modelled", "n_columns", "columns")),
    ("Columns looked up", ("n_looked_up",)),
    ("Target", ("target",)),
    ("Sensitive columns", ("sensitive",)),
    ("Generator", ("generator", "settings.generator", "settings.system")),
    ("Preset", ("preset", "settings.preset", "settings.settings.model.preset")),
    ("Seed of the run", ("settings.seed",)),
    ("Seed of this evaluation", ("seed",)),
    ("Depth of this evaluation", ("level",)),
    ("Real data digest", ("split_digest", "digests.train")),
    ("Synthetic data digest", ("synthetic_digest", "digests.synthetic")),
    ("reinforge", ("versions.reinforge", "version")),
    ("Date of this page", ("date", "created")),
)

CURVES = {  # key of history.jsonl -> (title, how to read it)
    "evidence_lower_bound": (
        "Imitation",
        "Before any reward the generator learns to imitate: a lower bound on the log-likelihood "
        "of the training rows, in nats a row. It should rise and flatten.",
    ),
    "reward": (
        "Reward",
        "What the generator earns for its rows. It may fall while the rows get better, because the "
        "discriminator that hands it out learns as well; a level line late in training is the aim.",
    ),
    "realism": (
        "Realism",
        "The part of the reward that says how real the rows look, before rewards of your own.",
    ),
    "reward_std": (
        "Spread of the reward",
        "How much the reward differs from row to row. Near 0 there is nothing left to learn from.",
    ),
    "discriminator_loss": (
        "Discriminator loss",
        "How badly the discriminator tells real from generated rows. About 1.386 (2 ln 2) means it "
        "guesses; a fall towards 0 means that the generator has fallen behind.",
    ),
    "entropy": (
        "Entropy of the policy",
        "How varied the rows are that the generator would draw. A slow fall is learning; a plunge "
        "means that it repeats itself.",
    ),
    "kl": (
        "KL divergence of an update",
        "How far one update moved the generator. Spikes are steps that were too large.",
    ),
    "policy_loss": (
        "Policy loss",
        "The objective of the policy gradient. Its size says little; its swings should stay small.",
    ),
    "value_loss": (
        "Value loss",
        "How badly the critic foretells the reward. It should fall early and stay low.",
    ),
    "clip_fraction": (
        "Share of clipped updates",
        "How often an update hit its permitted size. Near 0 steps are timid, above 0.3 rough.",
    ),
    "r1_penalty": (
        "Gradient penalty",
        "How steep the discriminator is around real rows. It should stay bounded.",
    ),
}
CURVE_OTHERWISE = "Recorded during training; look for a level end and for no sudden jumps."
