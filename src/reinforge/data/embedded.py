"""Real records that come with an installed dependency, so that a demo needs no download."""

import pandas as pd


def breast_cancer() -> pd.DataFrame:
    """569 breast tumours: 30 measurements of cell nuclei and the `diagnosis`.

    Breast Cancer Wisconsin (Diagnostic), Wolberg, Street and Mangasarian 1995, CC BY 4.0, as
    scikit-learn ships it. `diagnosis` is "malignant" (212) or "benign" (357).
    """
    from sklearn.datasets import load_breast_cancer

    records = load_breast_cancer(as_frame=True)
    frame = records.data.rename(columns=lambda name: name.replace(" ", "_"))
    names = [str(name) for name in records.target_names]
    frame["diagnosis"] = [names[code] for code in records.target]
    return frame
