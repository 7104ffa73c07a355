"""Standing text of the page of pictures: what no score measures, how to read a curve."""

NOT_TESTED = (
    "Other recognisers. A face that one embedding takes for somebody's may be nobody's to another, "
    "and the other way round.",
    "People who look at the pictures. No eye of a person who knows the training people has judged "
    "them.",
    "Attackers who train models of their own to imitate the generator (shadow models); they can be "
    "stronger than the attacks shown.",
    "Drawing many thousands of pictures in search of one that was learnt by heart. What is counted "
    "here is counted in the pictures at hand.",
    "What stands behind the people: clothes, rooms and lettering may give a person or a place away "
    "although the face does not.",
    "A mathematical bound. No differential privacy is claimed; every number is an observation of "
    "these pictures.",
)

MISLEADING = (
    "Synthetic pictures of a person are meant to be recognised as that person. Somebody who knows "
    "the person may recognise them too: leakage counts what goes beyond this aim.",
    "An average hides people. Look at each group and at the nearest pairs, not at everybody alone.",
    "An interval covers the chance in who was sampled. It does not cover another training run with "
    "another seed.",
    "An attack that does no better than its control may be a weak attack. It is no proof that none "
    "can succeed.",
    "Of many scores and groups, some look striking by chance. Expect about one interval in twenty "
    "to miss.",
    "A reward is what the generator was told to raise. That it rises says nothing by itself; the "
    "judges of this page gave no reward.",
    "A wide interval means: not measured precisely enough. Few people make every interval wide.",
)

CONTEXT_LABELS = (  # label -> the keys of context and settings that may hold it, the first one wins
    ("Training pictures", ("pictures.train", "rows.train", "n_train")),
    ("Fresh pictures of them", ("pictures.holdout", "rows.holdout", "n_holdout")),
    ("Pictures of strangers", ("pictures.unseen", "rows.unseen")),
    ("Synthetic pictures", ("pictures.synthetic", "rows.synthetic", "n_synthetic")),
    ("People", ("people.train", "identities.train", "n_identities")),
    ("Strangers", ("people.unseen", "identities.unseen")),
    ("Newcomers", ("people.newcomers",)),
    ("Picture size", ("picture_shape", "picture_size", "size")),
    ("Scores of the arm", ("scored_arm",)),
    ("Judge", ("judges.judge",)),
    ("Second embedding", ("judges.second",)),
    ("Seed of the run", ("settings.seed",)),
    ("Seed of this evaluation", ("seed",)),
    ("Depth of this evaluation", ("level",)),
    ("reinforge", ("versions.reinforge", "version")),
    ("Date of this page", ("date", "created")),
)

PHASES = {  # phase of a record -> (heading of its curves, what was learnt)
    "generator": (
        "The generator",
        "First the cold start learns to imitate the real pictures, then rewards move it.",
    ),
    "recogniser": (
        "The recogniser that rewards",
        "It learns to tell the real people apart, and is frozen before the generator learns.",
    ),
    "calibration": (
        "Calibration",
        "How loosely pictures of one person lie in the eye of the recogniser.",
    ),
}

CURVES = {  # key of history.jsonl -> (title, how to read it)
    "loss": (
        "Loss of the recogniser",
        "How badly it tells the training people apart. It should fall and flatten.",
    ),
    "accuracy": (
        "Accuracy of the recogniser",
        "On the pictures that it learns from. It nears 1 where few pictures are learnt by heart.",
    ),
    "reward": (
        "Reward",
        "What a picture earns: all parts together, squashed to lie between -1 and 1. It should "
        "rise and flatten.",
    ),
    "semantic": (
        "Semantic consistency",
        "How much a picture looks like its person to the recogniser, 0 to 1.",
    ),
    "coverage": (
        "Coverage",
        "Nearness to the person's real pictures less nearness to the other synthetic ones.",
    ),
    "diversity": (
        "Expression diversity",
        "0 where synthetic pictures of a person differ a little more than real ones do, negative "
        "where they differ less or far more.",
    ),
    "realism": (
        "Realism",
        "What the critic says of new pictures: above 0 it takes them for real, below for drawn. It "
        "learns beside the generator, so that a level line is progress of both.",
    ),
    "critic_loss": (
        "Loss of the critic",
        "How badly it tells new pictures from real ones: 2 where it cannot.",
    ),
    "privacy": (
        "Distance to real pictures",
        "0 where no picture lies nearer to a training picture than people's own pictures do.",
    ),
    "watched_semantic": (
        "Semantic consistency of fixed seeds",
        "The same seeds at every look: what changes is the generator.",
    ),
    "watched_coverage": (
        "Coverage of fixed seeds",
        "The same seeds at every look: what changes is the generator.",
    ),
    "watched_diversity": (
        "Expression diversity of fixed seeds",
        "The same seeds at every look: what changes is the generator.",
    ),
    "denoising_loss": (
        "Denoising loss of the cold start",
        "How badly noise is told from picture. It should fall and flatten; its size says little.",
    ),
    "kl": (
        "KL divergence from the cold start",
        "How far reinforcement has moved the generator, in nats. It should grow slowly.",
    ),
    "objective": (
        "Objective of the update",
        "Its size says little; its swings should stay small.",
    ),
    "clipped": (
        "Share of clipped updates",
        "How often an update hit its permitted size. Above 0.3 steps are rough.",
    ),
    "grad_norm": (
        "Length of the gradient",
        "Before it is cut to its permitted length. Spikes are rough steps.",
    ),
    "drift": (
        "Replay error",
        "How far log-densities, replayed, lie from those of the draw, in nats; 0 is exact.",
    ),
    "value_error": (
        "Error of the value net",
        "How badly it foretells the reward. It should fall and stay low.",
    ),
    "ratio_entropy": (
        "Grey levels",
        "Entropy of the grey levels over the cold start's. Far below 1 few levels are left.",
    ),
    "ratio_edge_density": (
        "Edges",
        "Share of edges over the cold start's. Far below 1 is blur, far above it noise.",
    ),
    "ratio_brightness": ("Brightness", "Over the cold start's. It should stay near 1."),
    "ratio_contrast": ("Contrast", "Over the cold start's. It should stay near 1."),
    "ratio_sharpness": ("Sharpness", "Over the cold start's. Far above 1 is noise or a grid."),
    "ratio_pixel_distance": (
        "Difference between pictures",
        "Over the cold start's. Far below 1 all pictures resemble each other.",
    ),
    "ratio_pixel_distance_in_identity": (
        "Difference between one person's pictures",
        "Over the cold start's. Far below 1 a person's pictures are all the same.",
    ),
    "ratio_patch_seams": (
        "Borders of patches",
        "Over the cold start's. Far above 1 the patches of the transformer show.",
    ),
}
