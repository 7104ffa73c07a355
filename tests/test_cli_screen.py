import json
import os
import re
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reinforge.cli.interrupts import Stop, Stopped
from reinforge.cli.screen import Screen
from reinforge.cli.tables import accuracy_table, show_preview


def lines_of(capsys):
    return capsys.readouterr().err.splitlines()


def test_without_a_terminal_progress_is_a_line_each_tenth(capsys):
    with Screen().progress("fit", 100) as advance:
        for done in range(1, 101):
            advance(done, "reward 0.1")
    lines = lines_of(capsys)
    assert [line.split()[1] for line in lines] == [f"{done}/100" for done in range(10, 101, 10)]
    assert re.fullmatch(r"fit 10/100 \(10%\), 0 s, 0 s left, reward 0\.1", lines[0])


def test_slow_work_is_a_line_each_half_minute(capsys, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("reinforge.cli.screen.time.monotonic", lambda: clock.now)
    with Screen().progress("fit", 1000) as advance:
        for done in range(1, 10):
            clock.now += 11.0
            advance(done)
    assert [line.split()[1] for line in lines_of(capsys)] == ["3/1,000", "6/1,000", "9/1,000"]


def test_the_time_left_is_the_time_taken_scaled_by_the_work(capsys, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("reinforge.cli.screen.time.monotonic", lambda: clock.now)
    with Screen().progress("fit", 4) as advance:
        clock.now = 10.0
        advance(1)
    assert "10 s, 30 s left" in lines_of(capsys)[0]


def test_percents_are_not_told_as_a_count(capsys):
    with Screen().progress("read", None) as advance:
        advance(40)
        advance(100, "done")
    assert [line.partition(", ")[0] for line in lines_of(capsys)] == ["read 40%", "read 100%"]


def test_quiet_hides_progress_and_notes_but_no_error(capsys):
    screen = Screen(quiet=True)
    with screen.progress("fit", 1) as advance:
        advance(1)
    screen.note("by the way")
    screen.error("no")
    assert lines_of(capsys) == ["error: no"]


def test_an_error_is_one_line_whatever_is_in_it(capsys):
    Screen().error("column 'a\nb [bold]x[/bold] [/]' is \x1b bad")
    assert len(lines_of(capsys)) == 1


def test_hostile_names_are_shown_as_they_are(capsys):
    Screen().note("column '[red]a[/red]' and [link=http://x]y")
    assert "[red]a[/red]' and [link=http://x]y" in capsys.readouterr().err


def test_results_show_names_and_paths_as_they_are(capsys):
    screen = Screen()
    screen.show("Model: runs/[bold]a[/bold]/[1]")
    screen.flush()
    assert capsys.readouterr().out == "Model: runs/[bold]a[/bold]/[1]\n"


def test_a_title_longer_than_its_table_stays_on_one_line(capsys):
    screen = Screen()
    screen.show(accuracy_table({"cold start": 0.5}))
    screen.flush()
    assert "Recognised by a judge that gave no reward" in capsys.readouterr().out


def test_json_is_one_object_with_plain_values(capsys, tmp_path):
    screen = Screen(as_json=True)
    screen.payload = {
        "path": tmp_path,
        "share": np.float64(0.5),
        "n": np.int64(3),
        "nan": float("nan"),
        "tuple": (1, None, True),
        "text": "é\ud800",
    }
    screen.show("not for machines")
    screen.flush()
    assert json.loads(capsys.readouterr().out) == {
        "path": str(tmp_path),
        "share": 0.5,
        "n": 3,
        "nan": None,
        "tuple": [1, None, True],
        "text": "é\ud800",
    }


def test_a_closed_stderr_silences_notes_and_stops_nothing(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as closed:
        monkeypatch.setattr(sys, "stderr", closed)
        screen = Screen()
        screen.note("into the void")
        assert screen.quiet
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):
            closed.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), closed.fileno())


def test_a_preview_shows_missing_values_dates_and_markup_as_they_are(capsys):
    frame = pd.DataFrame(
        {
            "[b]x": [1.5, None],
            "day": [pd.Timestamp("2024-01-02"), pd.NaT],
            "text": ["[red]a", None],
            "whole": pd.array([3, None], dtype="Int64"),
        }
    )
    screen = Screen()
    show_preview(frame, screen)
    screen.flush()
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("[b]x", "1.5", "2024-01-02", "[red]a", "3"))
    assert "NaT" not in shown
    screen = Screen(as_json=True)
    show_preview(frame, screen)
    screen.flush()
    first, second = json.loads(capsys.readouterr().out)["preview"]
    assert first == {"[b]x": 1.5, "day": "2024-01-02 00:00:00", "text": "[red]a", "whole": 3}
    assert set(second.values()) == {None}


# signals


def test_outside_gentle_work_the_first_signal_stops_now():
    stop = Stop(print)
    with pytest.raises(Stopped, match="SIGTERM"), stop.installed():
        os.kill(os.getpid(), signal.SIGTERM)


def test_in_gentle_work_the_first_signal_is_noted_and_told():
    told, reached = [], []

    def work(stop):
        with stop.installed(), stop.gentle():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(stop())

    with pytest.raises(Stopped) as caught:
        work(Stop(told.append))
    assert caught.value.signum == signal.SIGINT
    assert reached == [True]
    assert "SIGINT" in told[0]


def test_in_gentle_work_the_second_signal_stops_now():
    reached = []

    def work(stop):
        with stop.installed(), stop.gentle():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(1)

    with pytest.raises(Stopped):
        work(Stop(lambda text: None))
    assert not reached


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with Stop(print).installed():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
