"""One generator run in a process of its own: read train rows, fit, sample, write rows and costs.

Needs only the standard library and pandas, because it runs inside the peers' environments too.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

Sampler = Callable[[int], pd.DataFrame]
Fit = Callable[..., Sampler]  # (train, *, target, seed, **settings) -> a function from n to n rows


def work(fits: dict[str, Fit]) -> None:
    """Do the job that the file in argv[1] describes; the folder it lies in receives the results.

    CPU seconds count all threads of this process and leave out imports; the peak of resident memory
    counts everything, the interpreter and its libraries too.
    """
    folder = Path(sys.argv[1]).parent
    job = json.loads(Path(sys.argv[1]).read_text())
    train = pd.read_parquet(folder / "train.parquet")
    start = time.process_time()
    sampler = fits[job["arm"]](train, target=job["target"], seed=job["seed"], **job["settings"])
    fitted = time.process_time()
    synthetic = sampler(job["n"])
    sampled = time.process_time()
    synthetic.to_parquet(folder / "synthetic.parquet.tmp")
    costs = {
        "fit_cpu_seconds": round(fitted - start, 3),
        "sample_cpu_seconds": round(sampled - fitted, 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    os.replace(folder / "synthetic.parquet.tmp", folder / "synthetic.parquet")
    (folder / "costs.json").write_text(json.dumps(costs))
