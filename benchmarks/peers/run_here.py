"""Our own arms and the controls, in a process of their own inside the project's environment."""

import sys
from functools import partial
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from worker import Sampler, work

import controls
from cart import fit_cart


def fit_reinforge(
    train: pd.DataFrame,
    *,
    target: str,
    seed: int,
    preset: str = "default",
    rewards: dict[str, dict[str, object]] | None = None,
    **settings: object,
) -> Sampler:
    """Fit one preset of the tabular system; rows are drawn with the same seed.

    Args:
        train: The train rows.
        target: What the rewards mean by the target.
        seed: Of the fit and the rows.
        preset: Name of the preset.
        rewards: Class name -> arguments, e.g. {"UtilityReward": {"weight": 0.5}}.
        settings: Laid over the preset.
    """
    import reinforge
    from reinforge.synthesizers import TabularSynthesizer

    wanted = [getattr(reinforge, name)(**given) for name, given in (rewards or {}).items()]
    model = TabularSynthesizer(preset, seed=seed, rewards=wanted, **settings)
    model.fit(train, target=target)
    return partial(model.sample, seed=seed)


if __name__ == "__main__":
    fits = {
        "copy": controls.fit_copy,
        "independent": controls.fit_independent,
        "smote": controls.fit_smote,
        "cart": fit_cart,
        "reinforge": fit_reinforge,
    }
    job = Path(sys.argv[1]).read_text()  # imports of torch are no part of a fit, nor of the others'
    if '"reinforge"' in job:
        import reinforge.synthesizers.tabular  # noqa: F401
    elif '"tabddpm"' in job:
        from tabddpm import fit_tabddpm

        fits["tabddpm"] = fit_tabddpm
    work(fits)
