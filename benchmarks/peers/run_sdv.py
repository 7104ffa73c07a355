"""The peers of SDV 2.0 with their defaults, which is what a user gets; runs inside `.venvs/sdv`."""

import logging
import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer
from worker import Sampler, work

SYNTHESIZERS = {
    "gaussian_copula": GaussianCopulaSynthesizer,
    "ctgan": CTGANSynthesizer,
    "tvae": TVAESynthesizer,
}


def fit(train: pd.DataFrame, *, target: str, seed: int, arm: str) -> Sampler:
    """Fit on metadata that SDV detects itself; the target has no special part in it.

    SDV takes no seed, so the global generators are seeded; rows are drawn from a fixed internal
    seed.
    """
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    synthesizer = SYNTHESIZERS[arm](Metadata.detect_from_dataframes({"t": train}))
    synthesizer.fit({"t": train})
    return lambda n: synthesizer.sample(n)["t"]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    work({arm: partial(fit, arm=arm) for arm in SYNTHESIZERS})
