"""Firefox opens six pages and plays them; without a sound card it says so. Skipped where there is no Firefox."""

import shutil

import pytest

from tests.browser import firefox as driver

OPENED = ["index", "first_separation", "foundations/sound", "foundations/masks", "building_blocks/convolution"]
OPENED += ["architectures/unet"]
PLAYER = "document.querySelector('.sepbook-player')"
READY = f"""(async () => {{
  await window.MathJax?.startup?.promise;
  const wait = (done) => {PLAYER}?.sepbookPlayer ? done() : setTimeout(wait, 50, done);
  await new Promise(wait);
  {PLAYER}.scrollIntoView();
}})()"""
PRESS = f"{PLAYER}.querySelector('button[data-action=play]').click()"
DEAD = """[...document.querySelectorAll('article .sepbook-explorer')]
  .filter((e) => e.querySelector('.sepbook-explorer-live').hidden).map((e) => e.dataset.module).join()"""
MATHS = "document.querySelectorAll('article .math:not(:has(mjx-container))').length"


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Start a Firefox: ``start(environment)``."""
    path, made = driver.program(), []
    if path is None:
        pytest.skip(f"no Firefox here: looked for {' and '.join(driver.PROGRAMS)}")

    def go(environment):
        made.append(driver.Firefox(path, tmp_path_factory.mktemp("profile"), **environment))
        return made[-1]

    yield go
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def heard(start):
    """Give a Firefox with a sound card."""
    if not shutil.which("pulseaudio"):
        pytest.skip("no PulseAudio here: without a sound card Firefox plays nothing")
    with driver.sound_card() as environment:
        yield start(environment)


def opened(firefox, server, name):
    """Open a page and wait for its mathematics and its first player."""
    firefox.visit(f"{server}/book/{name}.html")
    firefox.ask(READY)
    assert firefox.ask(DEAD) == "" and firefox.ask(MATHS) == 0


@pytest.mark.parametrize("name", OPENED)
def test_firefox_opens_a_page_and_plays_it(heard, server, name):
    opened(heard, server, name)
    assert heard.ask(f"{PLAYER}.sepbookPlayer.time()") == 0
    heard.ask(PRESS)
    driver.until(lambda: heard.ask(f"{PLAYER}.sepbookPlayer.time()") > 0.3, "the player's clock")
    heard.ask(PRESS)
    stopped = heard.ask(f"{PLAYER}.sepbookPlayer.time()")
    assert heard.ask(f"new Promise((d) => setTimeout(() => d({PLAYER}.sepbookPlayer.time()), 300))") == stopped
    assert heard.errors == []


def test_firefox_without_a_sound_card_is_told_so(start, server, tmp_path):
    silent = start({"PULSE_SERVER": f"unix:{tmp_path}/none"})
    opened(silent, server, "index")
    silent.ask(PRESS)
    driver.until(lambda: "No sound device" in silent.ask(f"{PLAYER}.innerText"), "the message")
    assert silent.ask(f"{PLAYER}.sepbookPlayer.time()") == 0 and silent.errors == []


def test_errors_of_a_page_are_noted(heard, server):
    heard.visit(f"{server}/book/index.html")
    heard.ask(
        "console.error('planted'); fetch('not-there.html').then(() => setTimeout(() => { throw Error('thrown') }))"
    )
    driver.until(lambda: heard.ask("1") and len(heard.errors) >= 3, "three errors")
    assert {word for word in ("planted", "thrown", "404") if any(word in error for error in heard.errors)} == {
        "planted", "thrown", "404"
    }  # fmt: skip
