import contextlib
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from reinforge.errors import ResourceError
from reinforge.files import disk_errors, sha256_file, write_atomic, write_json


def test_a_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path):
    write_atomic(tmp_path / "a.bin", b"first")
    write_atomic(tmp_path / "a.bin", b"second")
    assert (tmp_path / "a.bin").read_bytes() == b"second"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    write_atomic(path, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match=r"a\.bin: the disk is full \(1,000 bytes wanted\)"):
        write_atomic(path, b"x" * 1000)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_the_temporary_file_is_made_durable_before_it_takes_the_place(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, type(tmp_path).replace
    monkeypatch.setattr(os, "fsync", lambda d: (order.append("fsync"), fsync(d))[1])
    monkeypatch.setattr(
        type(tmp_path), "replace", lambda p, q: (order.append("replace"), replace(p, q))[1]
    )
    write_atomic(tmp_path / "a.bin", b"x")
    assert order == ["fsync", "replace", "fsync"]  # the file, the move, the folder


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_line_that_names_the_file(code):
    with pytest.raises(ResourceError, match=r"run/x: the disk is full; free some space"):
        with disk_errors("run/x"):
            raise OSError(code, "full")
    assert ResourceError.exit_code == 4


def test_other_errors_of_the_system_pass_unchanged():
    with pytest.raises(PermissionError), disk_errors("x"):
        raise PermissionError(errno.EACCES, "no")


def test_json_keeps_text_of_every_language_and_lone_surrogates(tmp_path):
    content = {"名": "ä 🙂", "odd": "\udc80", "number": 0.1, "list": [1, None, True]}
    write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_bytes()) == content
    assert "名" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_json_holds_no_number_that_readers_refuse(tmp_path, number):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"x": number})
    assert list(tmp_path.iterdir()) == []


def test_the_digest_is_that_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


WRITER = """
import sys
from reinforge.files import write_atomic
path, k = sys.argv[1], 0
print("ready", flush=True)
while True:
    k += 1
    write_atomic(path, bytes([k % 256]) * 3_000_000)
"""


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    for attempt in range(6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        try:
            writer.stdout.readline()
            deadline = time.monotonic() + 30
            while not path.exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(0.003 * attempt)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            writer.stdout.close()
        content = path.read_bytes()
        assert len(content) == 3_000_000
        assert len(set(content)) == 1
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
