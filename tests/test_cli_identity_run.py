"""`reinforge run identity`: from photographs to recognisers, scores and both reports."""

import json
import shutil

import pytest

from reinforge import IdentitySynthesizer
from reinforge.cli import main
from reinforge.data.images import read_images, write_images
from reinforge.evaluation.scorecard import Scorecard
from reinforge.generators.prior import save_prior
from reinforge.recognition.recogniser import Recogniser
from reinforge.run_folder import RunFolder, verify
from reinforge.systems.identity.arms import ARMS
from small_identity import FLAGS, RECOGNISER, small_pictures, small_prior

PEOPLE = ("anna-sentinel", "ben", "o'hara, jr", "dora", "emil", "fay", "gus", "hal")
FINAL = {**RECOGNISER, "newcomers": 4, "per_newcomer": 2}
FINAL = [p for key, value in FINAL.items() for p in ("--set", f"final.{key}={value}")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A prior, and photographs of eight people."""
    folder = tmp_path_factory.mktemp("place")
    save_prior(small_prior(), folder / "prior")
    write_images(small_pictures((5,) * len(PEOPLE), names=PEOPLE, side=8), folder / "photos")
    return folder


def args(place, out, *more):
    flags = ["--prior", place / "prior", *FLAGS, *FINAL, "--level", "quick", "-n", "3"]
    return ["run", "identity", place / "photos", "--out", out, *flags, *more]


@pytest.fixture(scope="module")
def straight(place, tmp_path_factory):
    """A run that nothing got in the way of."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "straight")
    assert main([*map(str, args(place, folder.path)), "--quiet"]) == 0
    return folder


@pytest.fixture
def run(straight, tmp_path):
    """A copy of it, to be changed."""
    shutil.copytree(straight.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def test_a_run_leaves_pictures_recognisers_scores_and_reports(straight):
    content = {entry.name for entry in straight.path.iterdir()}
    assert content == {
        *("config.json", "manifest.json", "history.jsonl", "pictures.png", "scorecard.json"),
        *(
            "model",
            "checkpoint",
            "recogniser",
            "calibration",
            "arms",
            "judge",
            "synthetic",
            "newcomers",
        ),
        *("report.html", "releasable.html"),
    }
    assert {finding.state for finding in verify(straight)} == {"ok"}
    assert len(read_images(straight.pictures)) == 6 * 3  # two of eight people stay unseen
    assert len(read_images(straight.newcomers)) == 4 * 2
    for arm in ARMS:
        n_newcomers = 0 if arm in ("real", "random_erasing") else 4
        assert len(Recogniser.load(straight.arms / arm).names) == 6 + n_newcomers


def test_scores_are_those_of_unseen_people_with_the_other_arms_beside_them(straight):
    scorecard = Scorecard.load(straight.scorecard)
    score = scorecard["verification_accuracy"]
    assert set(score.baseline) >= {"real", "random_erasing", "cold_start", "reinforced"}
    assert {bar["arm"] for bar in scorecard.figures["arms"]} == set(ARMS)
    assert scorecard["near_duplicates"].value is not None
    assert "fewer than 10" in scorecard["membership_auc"].reason  # six pictures are held out
    assert scorecard.figures["sphere"]["points"]


def test_nobody_and_no_real_picture_stands_in_the_releasable_report(straight):
    page, kept = (file.read_text() for file in (straight.releasable, straight.report))
    learnt = [name for name in read_images(straight.pictures).names if "'" not in name]
    assert all(name in kept for name in learnt)
    assert not [name for name in (*PEOPLE, str(straight.path)) if f">{name}<" in page]
    assert "sentinel" not in page


def test_newcomers_are_judged_and_shown_and_nobody_calls_them_by_the_name_of_a_person(straight):
    scorecard = Scorecard.load(straight.scorecard)
    assert scorecard.context["pictures"]["newcomers"] == 8
    for name in ("newcomer_found", "newcomer_near_duplicates"):
        assert scorecard[name].value is not None, name
    assert "new-00003" in straight.report.read_text()
    assert "newcomer 4" in straight.releasable.read_text()


def test_without_newcomers_there_is_no_folder_and_a_reason(cli, place, run, tmp_path):
    flags = ["--arms", "real,reinforced", "--set", "final.newcomers=0"]
    done = cli(*args(place, run.path, *flags, "--overwrite"))
    assert done.code == 0, done.err
    assert not run.newcomers.exists()
    reason = Scorecard.load(run.scorecard)["newcomer_leakage"].reason
    assert reason == "no pictures of newcomers were given"
    assert cli("evaluate", run.path).code == 0


def test_evaluate_judges_a_run_again_and_finds_the_same(cli, run):
    before = json.loads(run.scorecard.read_text())
    done = cli("evaluate", run.path)
    assert done.code == 0, done.err
    assert json.loads(run.scorecard.read_text())["scores"] == before["scores"]
    assert {finding.state for finding in verify(run)} == {"ok"}


def test_resume_of_a_finished_run_changes_no_score(cli, run, place):
    before = json.loads(run.scorecard.read_text())
    done = cli("run", "identity", "--out", run.path, "--resume")
    assert done.code == 0, done.err
    assert json.loads(run.scorecard.read_text())["scores"] == before["scores"]


def test_a_kill_while_pictures_were_written_does_not_stop_the_resumed_run(cli, run):
    before = json.loads(run.scorecard.read_text())
    for folder in (run.pictures, run.newcomers):
        (folder / "manifest.jsonl").unlink()  # it is written last
        next(folder.glob("*/*.png")).unlink()
    done = cli("run", "identity", "--out", run.path, "--resume")
    assert done.code == 0, done.err
    assert json.loads(run.scorecard.read_text())["scores"] == before["scores"]
    assert {finding.state for finding in verify(run)} == {"ok"}


def test_chosen_arms_are_trained_alone_and_a_gate_says_3(cli, place, tmp_path):
    done = cli(
        *args(place, tmp_path / "run", "--arms", "real,reinforced"),
        *("--require", "verification_accuracy>1", "--json"),
    )
    assert done.code == 3, done.err
    assert [entry.name for entry in sorted((tmp_path / "run" / "arms").iterdir())] == [
        "real",
        "reinforced",
    ]
    assert {bar["arm"] for bar in json.loads(done.out)["arms"]} == {"real", "reinforced"}


def test_a_judge_of_ones_own_is_named_and_none_is_trained(cli, place, straight, tmp_path):
    judge = straight.arms / "real"
    done = cli(*args(place, tmp_path / "run", "--arms", "real", "--set", f"evaluate.judge={judge}"))
    assert done.code == 0, done.err
    assert not RunFolder(tmp_path / "run").judge.exists()
    judges = Scorecard.load(tmp_path / "run" / "scorecard.json").context["judges"]
    assert judges["judge"] == "real"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--arms", "best"], "arm 'best' is not known"),
        (["--unseen", "0.9"], "fewer than 2 of 8 identities"),
        (["--set", "evaluate.judge=nowhere.pt2"], "nowhere.pt2"),
        (["--set", "mixing.candidates=0"], "candidates"),
        (["--require", "verification<1"], "verification"),
    ],
)
def test_bad_settings_are_one_line_and_leave_nothing_behind(cli, place, tmp_path, more, said):
    done = cli(*args(place, tmp_path / "run", *more))
    assert (done.code, said in done.err) == (2, True), done.err
    assert done.err.strip().splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "run").exists()


def test_a_dry_run_says_what_is_kept_to_judge_by(cli, place, tmp_path):
    shown = cli(*args(place, tmp_path / "run", "--dry-run"))
    assert "Pictures: 24 of 6 identities" in shown.out
    kept = "Kept to judge by: 6 more pictures of these, and 10 of 2 identities that nothing learns"
    assert kept in shown.out
    assert not list(tmp_path.iterdir())


def test_two_strangers_give_no_interval_and_no_claim(straight):
    score = Scorecard.load(straight.scorecard)["map"]
    assert (score.n, score.low, score.high) == (2, None, None)
    assert "the intervals lie apart" not in straight.report.read_text()


def test_newcomers_of_a_prior_without_people_are_refused_before_anything_is_trained(
    place, tmp_path
):
    asked = args(place, tmp_path / "run", "--set", "final.parents=prior")
    assert main([*map(str, asked), "--quiet"]) == 2
    assert not (tmp_path / "run" / "recogniser").exists()


def test_newcomers_of_a_run_are_mixed_from_whom_the_settings_say(place, tmp_path, monkeypatch):
    save_prior(small_prior(n_classes=5), tmp_path / "prior")
    asked: list[str] = []
    drawn = IdentitySynthesizer.newcomers

    def told(self, n, *, seed=0, parents="learnt", apart=False):
        asked.append(parents)
        return drawn(self, n, seed=seed, parents=parents, apart=apart)

    monkeypatch.setattr(IdentitySynthesizer, "newcomers", told)
    more = ("--prior", tmp_path / "prior", "--set", "final.parents=prior", "--arms", "reinforced")
    assert main([*map(str, args(place, tmp_path / "run", *more)), "--quiet"]) == 0
    assert asked == ["prior"]
