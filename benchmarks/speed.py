"""Time and memory: fit, the training loop's overhead, sampling, streaming, judging, importing.

    python benchmarks/speed.py                      all of them, three times each
    python benchmarks/speed.py --only fit_500x20 imports --repeats 1

Every measurement (see timings.py) runs in a process of its own on one thread, at low priority. CPU
seconds are its own, imports left out, so a busy machine disturbs them little; rows a second are
over wall time. Measurements go to `results/speed.csv`; `speed.md` is written from that file.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import measurements
from peers.environment import one_thread
from timings import MEASUREMENTS

AIMS = {  # (setting, score) -> what we want
    ("fit 500 x 20", "fit_cpu_seconds"): "≤ 15",
    ("fit 5,000 x 30", "fit_cpu_seconds"): "≤ 45",
    ("loop, 500 x 20", "loop_over_bare_passes"): "≤ 1.3",
    ("sample 20 columns", "rows_per_second"): "≥ 200,000",
    ("stream 10,000,000 x 20 to Parquet", "peak_rss_mb"): "< 1,500",
    ("evaluate quick 5,000 x 30", "cpu_seconds"): "< 20",
    ("evaluate full 5,000 x 30", "cpu_seconds"): "< 300",
    ("import reinforge", "seconds"): "< 1",
    ("import reinforge", "torch_is_imported"): "0",
}


def write_page(path: Path, page: Path) -> None:
    """Write `speed.md` anew from the CSV alone."""
    measured = measurements.read(path)
    rows = []
    for (setting, score), part in measured.groupby(["setting", "score"], sort=False):
        digits = 3 if part["value"].abs().max() < 100 else 0
        value = measurements.cell(part["value"], digits=digits)
        rows.append([str(setting), str(score), value, AIMS.get((setting, score), "")])
    page.write_text(
        "# Speed and memory\n\n"
        "Written by `benchmarks/speed.py` from `results/speed.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "Mean ± half a 95 % interval over repetitions (each with its own seed), one thread, in a "
        "process of its own. CPU seconds leave out imports; peak memory holds the interpreter and "
        "its libraries; rows a second are over wall time, so other load lowers them.\n\n"
        + measurements.markdown_table(["what", "score", "value", "aim"], rows)
    )


def _in_a_process(name: str, *, seed: int) -> dict[str, float]:
    command = ["nice", "-n", "5", sys.executable, __file__, "--worker", name, str(seed)]
    done = subprocess.run(command, env=one_thread(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Measure what is asked for, replacing what was there, then write the page."""
    if sys.argv[1:2] == ["--worker"]:
        _, measure = MEASUREMENTS[sys.argv[2]]
        print(json.dumps(measure(seed=int(sys.argv[3]))))
        return 0
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[*MEASUREMENTS], choices=[*MEASUREMENTS])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write-only", action="store_true", help="only write speed.md again")
    chosen, path = parser.parse_args(), measurements.csv_of("speed")
    failures = []
    for name in () if chosen.write_only else chosen.only:
        setting = MEASUREMENTS[name][0]
        for seed in range(chosen.repeats):
            cell = ("generated", setting, "reinforge", seed)
            try:
                values = _in_a_process(name, seed=seed)
            except RuntimeError as error:
                failures.append(str(error))
                continue
            measurements.forget(path, {cell})
            measurements.append(
                path,
                [
                    dict(zip(measurements.FIELDS, (*cell, s, round(v, 4)), strict=True))
                    for s, v in values.items()
                ],
            )
            print(name, seed, values, file=sys.stderr, flush=True)
    if not chosen.write_only:
        measurements.note_circumstances(path, load=f"{os.getloadavg()[0]:.1f}")
    write_page(path, path.parents[1] / "speed.md")
    print(*failures, sep="\n", end="", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
