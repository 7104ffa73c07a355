"""The page in a real browser: nothing runs, nothing is fetched, nothing is said on the console."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from picture_scorecard import (
    drawn_newcomers,
    drawn_pairs,
    drawn_samples,
    make_picture_scorecard,
    newcomer_pairs,
)

from reinforge.report import html
from reinforge.report.picture_page import render_pictures

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-default-apps --disable-extensions --enable-logging=stderr --v=0"
).split()
NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND"  # the browser's own errands end here as well

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="no chromium on this machine; the page's structure is tested without it"
)


@pytest.fixture
def browse(tmp_path):
    """Open a page in a fresh browser; gives what it wrote to standard output and to its log."""

    def run(page: str, *flags: str) -> tuple[str, str]:
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        command = [
            CHROMIUM,
            *FLAGS,
            NOWHERE,
            f"--user-data-dir={tmp_path / 'profile'}",
            *flags,
            path.as_uri(),
        ]
        home = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, timeout=120, check=True, env=home)
        return done.stdout.decode(), done.stderr.decode(errors="replace")

    return run


@pytest.fixture
def page(scorecard, history):
    return html.render(scorecard, history=history, settings={"seed": 0})


def console(log: str) -> list[str]:
    """What the page itself (and not the browser's own rooms) said."""
    return [line for line in log.splitlines() if "CONSOLE" in line]


def addresses(net_log: Path) -> set[str]:
    """Where the page asked for anything, from the browser's own record of its network.

    A request that a page starts names its origin ("null" for a file); the browser's own do not.
    """
    events = json.loads(net_log.read_text(encoding="utf-8"))["events"]
    asked = [event.get("params", {}) for event in events]
    of_page = [each for each in asked if each.get("initiator", "not an origin") != "not an origin"]
    return {each["url"] for each in of_page if not each["url"].startswith(("file:", "data:"))}


def test_the_page_renders_without_a_word_on_the_console(page, browse):
    dom, log = browse(page, "--dump-dom")
    assert re.search(r"<h2>Privacy</h2>", dom)
    assert dom.count("<svg") == page.count("<svg")
    assert console(log) == []


def test_a_page_that_breaks_its_own_policy_is_heard_on_the_console(page, browse):
    _, log = browse(page.replace("<main>", "<main><script>1</script>"), "--dump-dom")
    assert len(console(log)) == 1


def test_the_page_asks_nobody_for_anything(page, browse, tmp_path):
    net_log = tmp_path / "net.json"
    browse(page, "--dump-dom", f"--log-net-log={net_log}")
    assert addresses(net_log) == set()


def test_a_page_that_asks_is_noticed(browse, tmp_path):
    net_log = tmp_path / "net.json"
    browse("<img src=http://probe.invalid/x.png>", "--dump-dom", f"--log-net-log={net_log}")
    assert addresses(net_log) == {"http://probe.invalid/x.png"}


def test_hostile_names_run_nothing(browse, hostile_arguments, payloads, read_page, tmp_path):
    texts = " ".join(payloads)
    made = html.render(**{**hostile_arguments(texts), "title": "as it was"})
    net_log = tmp_path / "net.json"
    dom, log = browse(made, "--dump-dom", f"--log-net-log={net_log}")
    assert read_page(dom).title == "as it was"
    assert "script" not in read_page(dom).tags
    assert console(log) == []
    assert addresses(net_log) == set()


@pytest.mark.parametrize("width", [360, 1100])
@pytest.mark.parametrize("text", ["age", "x" * 300])
def test_nothing_sticks_out_of_a_screen(width, text, browse, hostile_arguments, read_page):
    made = html.render(**hostile_arguments(text))
    ruler = f"""<script>document.body.style = "width: {width}px; margin: 0";
    document.title = document.body.scrollWidth</script></body>"""
    measured = made.replace("Content-Security-Policy", "x").replace("</body>", ruler)
    # a window is never narrower than 500 pixels; below 736 the page is laid out as on a phone
    window = f"--window-size={max(width, 500)},900"
    dom, _ = browse(measured, window, "--hide-scrollbars", "--dump-dom")
    assert read_page(dom).title == str(width)


def test_the_page_prints(page, browse, tmp_path):
    printed = tmp_path / "page.pdf"
    browse(page, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
    content = printed.read_bytes()
    assert content.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 30


@pytest.fixture
def page_of_pictures():
    return render_pictures(
        make_picture_scorecard(),
        samples=drawn_samples(3),
        pairs=drawn_pairs(),
        newcomers=drawn_newcomers(),
        newcomer_pairs=newcomer_pairs(),
        edition="internal",
    )


def test_a_page_of_pictures_shows_them_asks_nobody_and_says_nothing(
    page_of_pictures, browse, tmp_path
):
    net_log = tmp_path / "net.json"
    ruler = """<script>document.title = [...document.images].filter(
    image => image.complete && image.naturalWidth == 32).length</script></body>"""
    dom, log = browse(page_of_pictures, "--dump-dom", f"--log-net-log={net_log}")
    assert (console(log), addresses(net_log)) == ([], set())
    n_images = page_of_pictures.count("<img")
    assert dom.count("<img") == n_images > 20
    loaded = page_of_pictures.replace("default-src 'none';", "").replace("</body>", ruler)
    dom, _ = browse(loaded, "--dump-dom")
    assert f"<title>{n_images}</title>" in dom


def test_nothing_of_a_page_of_pictures_sticks_out_of_a_phone(page_of_pictures, browse, read_page):
    ruler = """<script>document.body.style = "width: 360px; margin: 0";
    document.title = document.body.scrollWidth</script></body>"""
    measured = page_of_pictures.replace("Content-Security-Policy", "x").replace("</body>", ruler)
    dom, _ = browse(measured, "--window-size=500,900", "--hide-scrollbars", "--dump-dom")
    assert read_page(dom).title == "360"
