import hashlib
import json
import re
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reinforge.cli import main
from reinforge.data.embedded import breast_cancer
from reinforge.run_folder import RunFolder
from reinforge.run_lock import locked

TINY = [
    "n_steps=6",
    "checkpoint_every=3",
    "cold_start_steps=0",
    "batch_rows=32",
    "hidden=8",
    "discriminator_hidden=8",
]
FAST = [part for setting in TINY for part in ("--set", setting)]
SECRET = "Zebrafinch-7741"  # a value that one person alone has


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """120 records with numbers, dates, categories, gaps, an identifier, and one rare value."""
    rng = np.random.default_rng(0)
    n = 120
    systolic = rng.normal(130, 15, n)
    frame = pd.DataFrame(
        {
            "patient": [f"P{index:05d}" for index in range(n)],
            "age": rng.integers(20, 80, n),
            "systolic": systolic,
            "diastolic": systolic - rng.uniform(20, 60, n),
            "sex": rng.choice(["F", "M"], n),
            "visit": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "town": [SECRET, *rng.choice(["Ulm", "Köln", "=2+3"], n - 1)],
            "outcome": (rng.random(n) < 0.4).astype(int),
        }
    )
    frame.loc[::7, "diastolic"] = np.nan
    path = tmp_path_factory.mktemp("data") / "patients with spaces.csv"
    frame.to_csv(path, index=False, lineterminator="\r\n")
    return path


@pytest.fixture(scope="module")
def finished(table, tmp_path_factory):
    """One whole run; tests that change it copy it first."""
    out = tmp_path_factory.mktemp("runs") / "a"
    flags = ["--target", "outcome", "--sensitive", "sex", "--level", "quick", "--seed", "5"]
    rule = ["--rule", "systolic > diastolic"]
    assert main(["run", "tabular", str(table), "--out", str(out), *flags, *rule, *FAST]) == 0
    return RunFolder(out)


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the whole run."""
    shutil.copytree(finished.path, tmp_path / "a")
    return RunFolder(tmp_path / "a")


@pytest.fixture
def cli(capsys, tmp_path, monkeypatch):
    """Runs a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*args):
        code = main([str(arg) for arg in args])
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return call


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# run


def test_a_whole_run_leaves_the_promised_folder(finished):
    assert {entry.name for entry in finished.path.iterdir()} == {
        "config.json",
        "model",
        "checkpoint",
        "history.jsonl",
        "synthetic",
        "scorecard.json",
        "report.html",
        "manifest.json",
    }
    assert len(pd.read_parquet(finished.rows)) == 96
    assert main(["verify", str(finished.path)]) == 0


def test_config_json_says_what_was_asked_and_which_data(finished, table):
    config = json.loads(finished.config.read_text())
    assert (config["verb"], config["system"], config["seed"]) == ("run", "tabular", 5)
    assert config["data"] == {"path": str(table), "sha256": digest(table)}
    assert config["rows"] == {"train": 96, "holdout": 24}
    assert config["settings"]["model"]["rules"] == ["systolic > diastolic"]
    assert config["settings"]["split"]["sensitive"] == ["sex"]
    assert config["settings"]["model"]["n_steps"] == 6


def test_no_artefact_holds_a_rare_value_or_a_real_identifier(finished):
    for path in finished.path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert b"P00017" not in content, path


def test_the_rules_of_the_run_are_in_its_figures(finished):
    figures = json.loads(finished.scorecard.read_text())["figures"]
    assert [rule["rule"] for rule in figures["rules"]] == ["systolic > diastolic"]


def test_a_run_prints_scores_paths_and_three_next_commands(cli, table):
    shown = cli("run", "tabular", table, "--out", "o", "--level", "quick", *FAST)
    assert shown.code == 0
    assert "detection_auc" in shown.out
    assert shown.out.count("  reinforge ") == 3
    assert "Report: o/report.html" in shown.out
    assert "fit 6/6 (100%)" in shown.err


def test_a_run_in_json_is_one_object_with_scores_and_paths(cli, table):
    flags = ["--level", "quick", "--json", "--preview"]
    shown = cli("run", "tabular", table, "--out", "o", *flags, *FAST)
    answer = json.loads(shown.out)
    assert (answer["ok"], answer["verb"]) == (True, "run tabular")
    assert answer["report"] == "o/report.html"
    assert {"name", "value", "low", "high", "better"} <= set(answer["scores"][0])
    assert len(answer["preview"]) == 5


def test_a_run_writes_only_into_its_folder_and_opens_no_connection(
    cli, table, tmp_path, monkeypatch
):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert cli("fit", "tabular", table, "--out", "o", *FAST).code == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["o"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(cli, table):
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert cli("fit", "tabular", table, "--out", out, "--seed", seed, *FAST).code == 0
        assert cli("sample", out, "-n", 50, "--out", f"{out}.csv").code == 0
    first, second, third = (Path(f"{out}.csv").read_text() for out in "abc")
    assert first == second != third


def test_settings_come_from_file_and_flags(cli, table, tmp_path):
    settings = "seed: 3\nsplit: {target: outcome, holdout: 0.5}\nmodel: {n_steps: 2, hidden: 8}\n"
    (tmp_path / "run.yaml").write_text(settings)
    flags = ["--config", "run.yaml", "--holdout", "0.25", "--set", "cold_start_steps=2"]
    assert cli("fit", "tabular", table, "--out", "o", *flags).code == 0
    config = json.loads((tmp_path / "o" / "config.json").read_text())
    assert config["rows"] == {"train": 90, "holdout": 30}
    assert (config["seed"], config["settings"]["split"]["target"]) == (3, "outcome")


def test_a_schema_file_overrides_what_is_inferred(cli, table, tmp_path):
    (tmp_path / "schema.yaml").write_text("outcome: {kind: categorical}\n")
    flags = ["--schema", "schema.yaml", "--drop", "town", "--json", "--dry-run"]
    plan = json.loads(cli("fit", "tabular", table, "--out", "o", *flags).out)["plan"]
    kinds = {column["column"]: column["kind"] for column in plan["columns"]}
    assert kinds["outcome"] == "categorical"
    assert "town" not in kinds


def test_a_dry_run_shows_schema_and_plan_and_writes_nothing(cli, table, tmp_path):
    shown = cli("run", "tabular", table, "--out", "o", "--dry-run", *FAST)
    assert shown.code == 0
    for text in ("systolic", "96 train", "24 holdout", "6 steps of 32 rows", "Nothing was written"):
        assert text in shown.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--target", "outcom"], "outcom"),
        (["--sensitive", "sexx"], "sexx"),
        (["--person", "nobody"], "nobody"),
        (["--drop", "nothing"], "nothing"),
        (["--rule", "systolic >"], "systolic >"),
        (["--rule", "__import__('os').system('x')"], "rule"),
        (["--preset", "best"], "rlsyn-mimic"),
        (["--encoding", "klingon"], "klingon"),
        (["--set", "batch_rows=0"], "batch_rows"),
    ],
)
def test_what_no_run_can_use_is_refused_before_work_and_leaves_nothing(
    cli, table, tmp_path, flags, said
):
    result = cli("run", "tabular", table, "--out", "o", *FAST, *flags)
    assert result.code == 2
    assert said in result.err
    assert "fit" not in result.err.split("error:")[0]
    assert list(tmp_path.iterdir()) == []


def test_a_rule_on_a_missing_column_is_refused(cli, table, tmp_path):
    result = cli("run", "tabular", table, "--out", "o", *FAST, "--rule", "height > 3")
    assert (result.code, "height" in result.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_refused_with_the_estimate(cli, table, monkeypatch, tmp_path):
    monkeypatch.setattr("reinforge.cli.plan.free_memory", lambda: 1_000_000)
    result = cli("run", "tabular", table, "--out", "o", *FAST)
    assert result.code == 4
    assert "GB of memory" in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_in_the_folder_is_refused_and_overwrite_replaces_it(cli, run, table):
    before = digest(run.config)
    assert cli("run", "tabular", table, "--out", run.path, *FAST).code == 2
    assert digest(run.config) == before
    (run.path / "notes.txt").write_text("mine")
    assert cli("fit", "tabular", table, "--out", run.path, "--overwrite", *FAST).code == 0
    assert not run.scorecard.exists()
    assert (run.path / "notes.txt").read_text() == "mine"


def test_bad_data_with_overwrite_leaves_the_old_run_alone(cli, run, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n")
    before = digest(run.manifest)
    assert cli("run", "tabular", "bad.csv", "--out", run.path, "--overwrite").code == 2
    assert cli("verify", run.path).code == 0
    assert digest(run.manifest) == before


def test_a_folder_in_use_is_refused(cli, run, table):
    with locked(run.path, note=print):
        for args in (
            ["fit", "tabular", table, "--out", run.path, "--overwrite", *FAST],
            ["evaluate", run.path, "--level", "quick"],
            ["report", run.path],
        ):
            result = cli(*args)
            assert (result.code, "in use by process" in result.err) == (2, True)


# sample


def test_sample_draws_what_was_asked_into_the_file_asked_for(cli, run):
    assert cli("sample", run.path, "-n", 30, "--seed", 1, "--out", "s.parquet").code == 0
    assert cli("sample", run.path, "-n", 20, "--seed", 1, "--out", "t.parquet").code == 0
    more, fewer = pd.read_parquet("s.parquet"), pd.read_parquet("t.parquet")
    assert len(more) == 30
    pd.testing.assert_frame_equal(more.head(20), fewer)


def test_no_rows_are_an_empty_table_with_all_columns(cli, run):
    assert cli("sample", run.path, "-n", 0, "--out", "s.csv").code == 0
    assert {"age", "systolic", "sex"} <= set(pd.read_csv("s.csv").columns)
    assert len(pd.read_csv("s.csv")) == 0


def test_conditions_give_exact_counts(cli, run):
    where = ["--where", "outcome=1", "--where", "sex=F"]
    assert cli("sample", run.path, "-n", 17, *where, "--out", "s.csv").code == 0
    drawn = pd.read_csv("s.csv")
    assert len(drawn) == 17
    assert (drawn["outcome"] == 1).all()
    assert (drawn["sex"] == "F").all()


def test_balanced_rows_hold_each_level_equally_often(cli, run):
    assert cli("sample", run.path, "-n", 20, "--balance", "sex", "--out", "s.csv").code == 0
    assert pd.read_csv("s.csv")["sex"].value_counts().to_dict() == {"F": 10, "M": 10}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--where", "sex=X"], "'F'"),
        (["--where", "height=3"], "height"),
        (["--where", "sex"], "sex"),
        (["--balance", "height"], "height"),
        (["-n", "-1"], "sample.n"),
    ],
)
def test_impossible_rows_are_refused_at_once_with_what_is_allowed(cli, run, tmp_path, flags, said):
    result = cli("sample", run.path, "-n", 5, "--out", "s.csv", *flags)
    assert (result.code, said in result.err) == (2, True)
    assert not (tmp_path / "s.csv").exists()


def test_what_rows_the_run_drew_is_not_inherited_by_sample(cli, run):
    config = json.loads(run.config.read_text())
    config["settings"]["sample"] = {"n": 3, "where": ["sex=F"]}
    run.config.write_text(json.dumps(config))
    assert cli("sample", run.path, "--out", "s.csv").code == 0
    assert len(pd.read_csv("s.csv")) == 96


def test_sample_overwrites_nothing_unasked(cli, run, tmp_path):
    (tmp_path / "s.csv").write_text("mine")
    assert cli("sample", run.path, "--out", "s.csv").code == 2
    assert (tmp_path / "s.csv").read_text() == "mine"
    assert cli("sample", run.path, "--out", "s.csv", "--overwrite").code == 0
    assert cli("sample", run.path).code == 2


@pytest.mark.parametrize("out", ["s.xlsx", "nowhere/s.csv", "/proc/s.csv"])
def test_a_place_that_takes_no_rows_is_refused(cli, run, out):
    result = cli("sample", run.path, "-n", 5, "--out", out)
    assert (result.code, out in result.err) == (2, True)


def test_chosen_rows_never_become_the_rows_that_are_judged(cli, run):
    before = digest(run.rows)
    assert cli("sample", run.path, "--where", "sex=F", "--overwrite").code == 2
    assert digest(run.rows) == before


def test_a_run_cannot_be_asked_to_have_been_fitted_otherwise(cli, run):
    result = cli("sample", run.path, "--set", "model.hidden=99", "--out", "s.csv")
    assert (result.code, "was fitted with model.hidden 8, not 99" in result.err) == (2, True)


# evaluate


def test_evaluating_again_gives_the_same_scorecard(cli, run):
    before = digest(run.scorecard)
    assert cli("evaluate", run.path).code == 0
    assert digest(run.scorecard) == before
    assert cli("verify", run.path).code == 0


def test_evaluate_draws_rows_where_there_are_none(cli, run):
    run.rows.unlink()
    assert cli("evaluate", run.path).code == 0
    assert len(pd.read_parquet(run.rows)) == 96


def test_a_failed_gate_is_exit_code_3_after_everything_is_written(cli, run):
    run.scorecard.unlink()
    flags = ["--require", "detection_auc<=-1", "--require", "s2r_auc>=0", "--json"]
    result = cli("evaluate", run.path, *flags)
    answer = json.loads(result.out)
    assert (result.code, answer["exit_code"], answer["ok"]) == (3, 3, False)
    assert "1 of 2 gates failed: detection_auc<=-1" in answer["error"]["message"]
    assert answer["scores"]
    assert run.scorecard.exists()


def test_a_gate_on_an_unknown_score_is_refused_before_the_judges_start(cli, run):
    result = cli("evaluate", run.path, "--require", "fid<=3")
    assert (result.code, "fid" in result.err) == (2, True)
    assert "fidelity" not in result.err


def test_a_changed_or_missing_table_is_refused_and_a_moved_one_is_found(cli, run, table, tmp_path):
    config = json.loads(run.config.read_text())
    moved = tmp_path / "moved.csv"
    config["data"]["path"] = str(moved)
    run.config.write_text(json.dumps(config))
    assert "--data FILE" in cli("evaluate", run.path).err
    moved.write_bytes(table.read_bytes() + b"\r\n")
    result = cli("evaluate", run.path)
    assert (result.code, "digest differs" in result.err) == (2, True)
    assert cli("evaluate", run.path, "--data", table).code == 0


def test_any_generators_rows_are_judged(cli, table, tmp_path):
    frame = pd.read_csv(table).drop(columns="patient")
    for name, rows in (("t", frame[:60]), ("h", frame[60:90]), ("s", frame[90:])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    tables = ["--train", "t.csv", "--holdout", "h.csv", "--synthetic", "s.csv"]
    flags = ["--target", "outcome", "--level", "quick", "--out", "o"]
    assert cli("evaluate", *tables, *flags).code == 0
    assert (tmp_path / "o" / "report.html").exists()
    assert cli("verify", "o").code == 0
    assert "three tables" in cli("evaluate", "o").err
    assert "holds no trained generator" in cli("sample", "o", "-n", 3, "--out", "x.csv").err
    frame[90:].drop(columns="age").to_csv(tmp_path / "s.csv", index=False)
    result = cli("evaluate", *tables, *flags, "--overwrite")
    assert (result.code, "lacks 'age'" in result.err) == (2, True)


def test_columns_that_were_left_out_of_the_generator_are_left_out_of_the_judging(cli, table):
    frame = pd.read_csv(table)
    frame[:60].to_csv("train.csv", index=False)
    frame[60:90].to_csv("holdout.csv", index=False)
    frame[90:].drop(columns="town").to_csv("synthetic.csv", index=False)
    files = ["--train", "train.csv", "--holdout", "holdout.csv", "--synthetic", "synthetic.csv"]
    lacking = cli("evaluate", *files, "--out", "j", "--level", "quick")
    assert "it lacks 'town'. Give it the real table's columns and dtypes, or leave" in lacking.err
    assert not Path("j").exists()
    dropped = ["--drop", "town"]
    assert cli("evaluate", *files, "--out", "j", "--level", "quick", *dropped).code == 0


def test_the_self_test_shows_which_planted_leaks_are_noticed(cli, table, tmp_path):
    frame = pd.read_csv(table)[["age", "systolic", "sex", "outcome"]]
    for name, rows in (("t", frame[:50]), ("h", frame[50:95]), ("s", frame[95:])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    tables = ["--train", "t.csv", "--holdout", "h.csv", "--synthetic", "s.csv"]
    answer = json.loads(cli("evaluate", "--self-test", *tables, "--json").out)
    noticed = {leak["leak"]: leak["noticed"] for leak in answer["self_test"]}
    assert noticed["all train rows copied"]
    assert not noticed["nothing leaked: fresh real rows"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["h.csv", "s.csv", "t.csv"]


# report, verify, demo


def test_the_report_is_made_again_from_saved_scores(cli, run):
    before = digest(run.report)
    run.report.unlink()
    assert cli("report", run.path).code == 0
    assert digest(run.report) == before
    run.scorecard.unlink()
    assert "reinforge evaluate" in cli("report", run.path).err


def test_verify_notices_one_flipped_byte(cli, run):
    weights = run.model / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    result = cli("verify", run.path, "--json")
    assert result.code == 2
    assert json.loads(result.out)["files"]["changed"] == ["model/model.safetensors"]
    result = cli("sample", run.path, "-n", 3, "--out", "s.csv")
    assert (result.code, "model.safetensors" in result.err) == (2, True)


def test_the_demo_runs_twice_and_needs_no_file(cli, tmp_path, monkeypatch):
    few = breast_cancer().iloc[:120, [0, 1, 2, -1]]
    monkeypatch.setattr("reinforge.data.embedded.breast_cancer", lambda: few)
    flags = ["--level", "quick", *FAST]
    assert cli("demo", *flags).code == 0
    result = cli("demo", *flags)
    assert result.code == 0
    assert "replacing the earlier demo" in result.err
    assert (tmp_path / "runs" / "demo" / "report.html").exists()
    assert cli("verify", "runs/demo").code == 0


def test_the_demo_takes_no_folder_of_another_run(cli, run):
    before = digest(run.manifest)
    assert cli("demo", "--out", run.path, *FAST).code == 2
    assert digest(run.manifest) == before


# what a column is taken for


def test_identifiers_are_made_up_anew_as_the_plan_says(run, table, cli):
    plan = json.loads(cli("fit", "tabular", table, "--out", "o", "--json", "--dry-run").out)["plan"]
    fate = {column["column"]: column["action"] for column in plan["columns"]}
    assert fate["patient"] == "made up anew"
    drawn = pd.read_parquet(run.rows)["patient"]
    assert drawn.is_unique
    assert not set(drawn) & set(pd.read_csv(table)["patient"])


@pytest.fixture
def towns(tmp_path):
    """200 rows in which a postcode with its zeros decides the town."""
    rng = np.random.default_rng(1)
    code = rng.choice(["01067", "10115", "50667"], 200)
    names = {"01067": "Dresden", "10115": "Berlin [Mitte]", "50667": "Köln"}
    frame = pd.DataFrame(
        {"postcode": code, "town": [names[one] for one in code], "age": rng.integers(20, 80, 200)}
    )
    frame.to_csv(tmp_path / "towns.csv", index=False)
    return tmp_path / "towns.csv"


def test_what_is_looked_up_is_told_by_fit_plan_config_and_report(cli, towns):
    plan = cli("fit", "tabular", towns, "--out", "o", "--dry-run", "--json", *FAST)
    columns = json.loads(plan.out)["plan"]["columns"]
    assert {c["column"]: c["action"] for c in columns}["town"] == "looked up from postcode"
    shown = cli("run", "tabular", towns, "--out", "o", "--level", "quick", *FAST)
    assert "Looked up: town (from postcode)\n" in shown.out
    assert json.loads(Path("o/config.json").read_text())["looked_up"] == {"town": "postcode"}
    assert "<bdi>town (from postcode)</bdi>" in Path("o/report.html").read_text()
    assert cli("verify", "o").code == 0
    again = cli("fit", "tabular", towns, "--out", "p", "--json", *FAST, "--set", "look_up=false")
    assert json.loads(again.out)["looked_up"] == {}
    assert "Looked up" not in cli("fit", "tabular", "--out", "p", "--resume").out


def test_leakage_on_halves_is_told_and_the_settings_that_held_are_kept(cli, towns):
    # no person of this table has a value of their own, so nothing can leak
    shown = cli("fit", "tabular", towns, "--out", "o", "--max-leakage", "0.7", *FAST)
    assert shown.code == 0
    assert re.search(r"Membership AUC on halves: 0\.\d+ \(0\.\d+ to 0\.\d+\) with", shown.out)
    (told,) = json.loads(Path("o/config.json").read_text())["leakage"]
    assert told["settings"] == {}
    assert told["membership_auc"]["value"] <= 0.7
    assert cli("verify", "o").code == 0


def test_postcodes_keep_their_zeros(cli, towns):
    assert cli("fit", "tabular", towns, "--out", "o", *FAST).code == 0
    assert cli("sample", "o", "-n", 40, "--where", "town=Dresden", "--out", "s.csv").code == 0
    lines = Path("s.csv").read_text().splitlines()[1:]
    assert {line.partition(",")[0] for line in lines} == {"01067"}


def test_a_column_that_cannot_be_learnt_is_refused_before_anything_is_written(cli, tmp_path):
    days = pd.date_range("2023-01-01", periods=40)
    forms = [day.strftime("%d.%m.%Y" if k % 3 else "%Y-%m-%d") for k, day in enumerate(days)]
    frame = pd.DataFrame({"age": np.arange(120) % 61, "seen": forms * 3})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    for flags in ([], ["--dry-run"]):
        shown = cli("fit", "tabular", "rows.csv", "--out", "o", *FAST, *flags)
        assert shown.code == 2
        assert "'seen' holds dates of several forms (%d.%m.%Y, %Y-%m-%d)" in shown.err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("value", ["?", "['?']", "['?', -9]", "'?'"])
def test_one_text_for_missing_values_needs_no_list(cli, tmp_path, value):
    rows = "".join(f"{k % 37},{'?' if k % 5 == 0 else k % 11}\n" for k in range(60))
    (tmp_path / "rows.csv").write_text(f"age,score\n{rows}")
    flags = ["--set", f"data.na_values={value}", "--dry-run", "--json", *FAST]
    columns = json.loads(cli("fit", "tabular", "rows.csv", "--out", "o", *flags).out)["plan"]
    assert [(c["kind"], c["missing"]) for c in columns["columns"]] == [
        ("integer", False),
        ("integer", True),
    ]


def test_a_setting_that_takes_a_list_says_so(cli, table):
    shown = cli("fit", "tabular", table, "--out", "o", "--set", "data.drop={a: 1}")
    assert "setting 'data.drop': a list such as [a, b] was wanted, got {'a': 1}." in shown.err


def test_thousands_are_read_where_their_mark_is_given(cli, tmp_path):
    rows = "".join(f'{k % 37};"{1 + 137 * k:,}"\n' for k in range(60))
    (tmp_path / "rows.csv").write_text(f"age;income\n{rows}")
    shown = cli("fit", "tabular", "rows.csv", "--out", "o", "--dry-run")
    assert shown.code == 2
    assert "column 'income' holds numbers with ',' between the thousands" in shown.err
    flags = ["--set", "data.thousands=,", "--dry-run", "--json"]
    plan = json.loads(cli("fit", "tabular", "rows.csv", "--out", "o", *flags).out)["plan"]
    assert plan["columns"][1]["kind"] == "integer"
    wrong = cli("fit", "tabular", "rows.csv", "--out", "o", "--set", "data.thousands=.")
    assert "thousands = '.' is the decimal mark as well" in wrong.err


def test_the_package_is_a_command(tmp_path):
    import subprocess
    import sys

    command = [sys.executable, "-m", "reinforge", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("reinforge ")


@pytest.mark.filterwarnings("default")
def test_dates_of_several_forms_that_are_mostly_lost_are_told_by_a_dry_run(cli, tmp_path):
    days = pd.date_range("2023-01-01", periods=120)
    forms = [day.strftime("%d.%m.%Y" if k % 3 else "%Y-%m-%d") for k, day in enumerate(days)]
    forms[100:] = ["01.01.2023"] * 20
    pd.DataFrame({"age": np.arange(120) % 61, "seen": forms}).to_csv("rows.csv", index=False)
    shown = cli("fit", "tabular", "rows.csv", "--out", "o", "--dry-run", *FAST)
    assert shown.code == 0
    said = "share (dates of several forms: %d.%m.%Y, %Y-%m-%d); these are not learnt"
    assert shown.err.count(said) == 1
