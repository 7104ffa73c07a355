import errno
import json
import os
import socket
import subprocess
import sys

import pytest

from reinforge.errors import InputError, ResourceError
from reinforge.run_folder import (
    RunFolder,
    check_place,
    clear,
    existing,
    read_config,
    require_space,
    verify,
    write_config,
    write_manifest,
)
from reinforge.run_lock import LOCK, locked


@pytest.fixture
def run(tmp_path):
    """A small finished run."""
    folder = RunFolder(tmp_path / "run")
    for place in (folder.model, folder.rows.parent):
        place.mkdir(parents=True)
    write_config(folder, {"verb": "run", "settings": {}})
    (folder.model / "schema.json").write_text("{}")
    folder.rows.write_bytes(b"rows")
    write_manifest(folder)
    return folder


def states(folder):
    return {finding.path: finding.state for finding in verify(folder)}


def silent(text):
    pass


# place


def test_a_new_nested_folder_may_be_used(tmp_path):
    assert check_place(tmp_path / "a" / "b").path == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists()


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="is a file, not a folder"):
            check_place(place)


def test_a_run_that_left_nothing_but_its_settings_needs_no_leave_to_be_made_again(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    write_config(run, {"system": "tabular"})

    assert check_place(run.path).path == run.path

    run.model.mkdir()
    with pytest.raises(InputError, match="holds a run already"):
        check_place(run.path)


def test_a_run_is_neither_mixed_nor_lost_by_accident(run):
    with pytest.raises(InputError, match="add --resume to go on or --overwrite to discard"):
        check_place(run.path)
    check_place(run.path, resume=True)
    check_place(run.path, overwrite=True)


def test_a_folder_of_other_files_is_refused_even_with_overwrite(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match="no run"):
        check_place(tmp_path, overwrite=True)


def test_resume_and_overwrite_contradict_each_other(run):
    with pytest.raises(InputError, match="give one of them"):
        check_place(run.path, resume=True, overwrite=True)


def test_an_input_inside_the_run_is_refused(run):
    with pytest.raises(InputError, match=r"rows\.parquet lies in it"):
        check_place(run.path, overwrite=True, inputs=(run.rows,))


def test_clear_deletes_artefacts_and_nothing_else(run):
    (run.path / "notes.txt").write_text("mine")
    clear(run)
    assert [entry.name for entry in run.path.iterdir()] == ["notes.txt"]


def test_clear_removes_a_link_and_not_what_it_points_to(run, tmp_path):
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    (kept / "file").write_text("kept")
    (run.path / "checkpoint").symlink_to(kept)
    clear(run)
    assert (kept / "file").read_text() == "kept"


def test_a_full_disk_is_refused_before_work_starts(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("reinforge.run_folder.shutil.disk_usage", lambda place: usage)
    with pytest.raises(ResourceError, match=r"1,000 bytes .* 10 free"):
        require_space(tmp_path / "new" / "run", 1000)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_run_is_refused_by_name(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=name):
        existing(tmp_path / name)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 2}', "\x00"])
def test_a_damaged_or_newer_config_is_refused_by_path(run, content):
    run.config.write_text(content)
    with pytest.raises(InputError, match=r"config\.json"):
        read_config(run)


# manifest


def test_an_untouched_run_verifies(run):
    assert states(run) == {
        "config.json": "ok",
        "model/schema.json": "ok",
        "synthetic/rows.parquet": "ok",
    }


def test_verify_names_each_changed_missing_and_new_file(run):
    run.rows.write_bytes(b"rowz")
    (run.model / "schema.json").unlink()
    (run.model / "new.bin").write_bytes(b"")
    assert states(run) == {
        "config.json": "ok",
        "model/schema.json": "missing",
        "synthetic/rows.parquet": "changed",
        "model/new.bin": "unlisted",
    }


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/config.json"])
def test_a_manifest_that_points_outside_is_refused(run, name):
    content = {"format": 1, "files": {name: {"sha256": "0" * 64}}}
    run.manifest.write_text(json.dumps(content))
    with pytest.raises(InputError, match="damaged"):
        verify(run)


def test_half_written_files_are_no_artefacts(run):
    (run.model / ".model.safetensors.123.tmp").write_bytes(b"half")
    write_manifest(run)
    assert not any("tmp" in name for name in states(run))


# lock


def test_a_locked_folder_is_refused_with_the_holder(run):
    with (
        locked(run.path, note=silent),
        pytest.raises(InputError, match=f"in use by process {os.getpid()} on"),
        locked(run.path, note=silent),
    ):
        pass


def test_the_lock_is_gone_afterwards_even_after_an_error(run):
    with pytest.raises(ZeroDivisionError), locked(run.path, note=silent):
        raise ZeroDivisionError
    assert not (run.path / LOCK).exists()


def test_a_failed_run_leaves_no_empty_folder_behind(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a" / "b", note=silent):
        raise ZeroDivisionError
    assert not (tmp_path / "a").exists()


def test_the_lock_of_a_killed_process_is_taken_over_aloud(run):
    code = (
        "import os, signal; from pathlib import Path; from reinforge.run_lock import locked\n"
        f"with locked(Path({str(run.path)!r}), note=print): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert (run.path / LOCK).exists()
    heard = []
    with locked(run.path, note=heard.append):
        pass
    assert len(heard) == 1
    assert "took over the lock of process" in heard[0]


def test_the_lock_of_another_host_is_respected(run):
    (run.path / LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(InputError, match="on elsewhere"), locked(run.path, note=silent):
        pass


@pytest.mark.parametrize("alive", [True, False])
def test_without_kernel_locks_the_process_number_decides(run, monkeypatch, alive):
    def unsupported(descriptor, operation):
        raise OSError(errno.ENOLCK, "no locks")

    def kill(pid, signum):
        if not alive:
            raise ProcessLookupError

    monkeypatch.setattr("reinforge.run_lock.fcntl.flock", unsupported)
    monkeypatch.setattr("reinforge.run_lock.os.kill", kill)
    (run.path / LOCK).write_text(json.dumps({"pid": 4_000_000, "host": socket.gethostname()}))
    heard = []
    if alive:
        with pytest.raises(InputError, match="in use"), locked(run.path, note=heard.append):
            pass
    else:
        with locked(run.path, note=heard.append):
            assert heard


def test_a_place_where_nothing_can_be_made_is_refused():
    from pathlib import Path

    with (
        pytest.raises(InputError, match=r"/proc/nowhere: cannot be made"),
        locked(Path("/proc/nowhere"), note=silent),
    ):
        pass
