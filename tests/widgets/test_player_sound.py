"""The player's sound, measured: an offline audio context renders what the listener would hear, sample by sample."""

import pytest

RATE = 16000
# A signal whose every sample says where it lies, so that what is heard can be compared with what the clock says.
SETUP = """
const { Clock, gains, loudness } = await import(new URL("_static/widgets/explorer_clock.js", location));
const RATE = 16000, SECONDS = 2;
const buffer = (sample) => {
  const made = new AudioBuffer({ length: RATE * SECONDS, sampleRate: RATE });
  made.copyToChannel(Float32Array.from({ length: RATE * SECONDS }, (_, n) => sample(n / RATE)), 0);
  return made;
};
const level = buffer(() => 0.5), ramp = buffer((t) => t / SECONDS);
const tone = buffer((t) => 0.5 * Math.sin(2 * Math.PI * 441 * t));
/** Play `clips` and act at given times (multiples of 128 samples); return what is heard. */
async function render(clips, acts, seconds = 1, loop = false) {
  const context = new OfflineAudioContext(1, RATE * seconds, RATE), clock = new Clock(context, SECONDS), log = [];
  for (const [key, clip] of Object.entries(clips)) clock.add(key, clip), clock.setGain(key, 1);
  clock.setLoop(loop);
  clock.play();
  for (const [time, act] of acts) context.suspend(time).then(() => (log.push(act(clock)), context.resume()));
  const heard = (await context.startRendering()).getChannelData(0);
  return { heard: [...heard], log, since: clock.since };
}
"""


@pytest.fixture(scope="module")
def page(site, browser):
    """Open an empty page."""
    folder, address = site
    (folder / "empty.html").write_text("<!doctype html><title>Empty</title>")
    page = browser.new_page()
    page.goto(f"{address}/empty.html")
    yield page
    page.close()


@pytest.fixture(scope="module")
def run(page):
    """Run JavaScript after SETUP: ``run("return …")``."""
    return lambda code: page.evaluate("async () => {" + SETUP + code + "}")


def steepest(samples):
    """Return the largest difference of neighbouring samples: a click is a large one."""
    return max(abs(after - before) for before, after in zip(samples, samples[1:], strict=False))


ACTS = {
    "mute": "(clock) => clock.setGain('a', 0)",
    "pause": "(clock) => clock.pause()",
    "seek": "(clock) => clock.seek(1)",
    "volume": "(clock) => clock.setVolume(0.1)",
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nothing_clicks(run, act):
    heard = run(f"return (await render({{ a: level }}, [[0.32, {act}], [0.56, (clock) => clock.play()]])).heard")
    assert max(heard) == pytest.approx(0.5, abs=1e-3)
    assert steepest(heard) < 0.01  # cut hard, the level of 0.5 would fall at once; 4 ms make steps of 0.008


def test_quick_presses_do_not_click_either(run):
    acts = ", ".join(f"[{0.2 + 0.008 * k:.3f}, (clock) => clock.setGain('a', {k % 2})]" for k in range(20))
    heard = run(f"return (await render({{ a: level }}, [{acts}])).heard")
    assert steepest(heard) < 0.01


def test_switching_between_equal_versions_cannot_be_heard(run):
    switch = "(clock) => (clock.setGain('a', 0), clock.setGain('b', 1))"
    heard = run(f"""
        const acts = [[0.016, (clock) => clock.setGain('b', 0)], [0.4, {switch}]];
        const still = (await render({{ a: tone }}, [])).heard;
        const switched = (await render({{ a: tone, b: tone }}, acts)).heard;
        return still.map((sample, n) => Math.abs(sample - switched[n]));""")
    assert max(heard[RATE // 5 :]) < 1e-5  # the falling and the rising gain add up to one


def test_a_version_that_joins_later_is_in_step(run):
    join = "(clock) => (clock.add('b', tone), clock.setGain('b', 1))"
    swap = "(clock) => clock.setGain('a', 0)"
    heard = run(f"""
        const still = (await render({{ a: tone }}, [])).heard;
        const switched = (await render({{ a: tone }}, [[0.32, {join}], [0.6, {swap}]])).heard;
        return still.slice(12000).map((sample, n) => Math.abs(sample - switched[12000 + n]));""")
    assert max(heard) < 1e-4


def test_stems_start_at_the_same_sample(run):
    heard = run("""
        const impulse = buffer((t) => (t === 0.25 ? 0.3 : 0));
        return (await render({ a: impulse, b: impulse, c: impulse }, [])).heard;""")
    peaks = [n for n, sample in enumerate(heard) if abs(sample) > 1e-4]
    assert len(peaks) == 1 and heard[peaks[0]] == pytest.approx(0.9, abs=1e-3)
    assert peaks[0] == pytest.approx((0.06 + 0.25) * RATE, abs=1)


@pytest.mark.parametrize("seek, after", [(1.5, 1.5), (0.0, 0.0), (-3, 0.0)])
def test_the_clock_says_what_is_heard_after_a_seek(run, seek, after):
    result = run(f"""
        const acts = [[0.32, (clock) => clock.seek({seek})], [0.64, (clock) => clock.time]];
        return render({{ a: ramp }}, acts);""")
    position = result["log"][1]
    assert position == pytest.approx(after + 0.64 - 0.32 - 0.06, abs=1e-6)
    assert result["heard"][int(0.64 * RATE)] * 2 == pytest.approx(position, abs=1 / RATE + 1e-4)


def test_a_loop_goes_round_and_the_clock_with_it(run):
    result = run("""
        const now = (clock) => clock.time, once = (clock) => (clock.setLoop(false), clock.time);
        return render({ a: ramp }, [[2.4, now], [2.56, once], [4.48, now]], 5, true);""")
    assert result["log"] == pytest.approx([2.4 - 2.06, 2.56 - 2.06, 2], abs=1e-6)
    assert result["heard"][int(2.4 * RATE)] * 2 == pytest.approx(2.4 - 2.06, abs=1e-3)
    assert result["heard"][int(4.48 * RATE)] == 0  # the loop was switched off, so it ended


def test_pause_keeps_the_place(run):
    result = run("""
        const acts = [[0.32, (clock) => (clock.pause(), clock.time)], [0.64, (clock) => (clock.play(), clock.time)]];
        return render({ a: ramp }, acts);""")
    assert result["log"] == pytest.approx([0.26, 0.26])
    assert max(result["heard"][int(0.4 * RATE) : int(0.69 * RATE)]) < 1e-3
    assert result["heard"][int(0.96 * RATE)] * 2 == pytest.approx(0.26 + 0.96 - 0.70, abs=1e-3)


def test_pause_frees_the_sources(run):
    ended = run("""
        let ended = 0;
        const watch = (clock) => (clock.strips.get("a").source.onended = () => ended++);
        await render({ a: ramp }, [[0.2, watch], [0.32, (clock) => clock.pause()]], 1, true);
        for (let tries = 0; !ended && tries < 50; tries++) await new Promise((done) => setTimeout(done, 20));
        return ended;""")
    assert ended == 1  # a source that loops would otherwise run on for ever, unheard


VERSIONS = """
const clip = (row, loudness) => ({ row, loudness });
const versions = [
  { name: "mixture", whole: true, loudness: -10, clips: [clip("mixture", -10)] },
  { name: "estimates", loudness: -14, clips: [clip("vocals", -20), clip("bass", -20), clip("drums", null)] },
  { name: "truth", loudness: -12, clips: [clip("vocals", -17), clip("bass", -40), clip("drums", -18)] },
];
const state = (version, solo = [], mute = [], matched = true) =>
  ({ version, solo: new Set(solo), mute: new Set(mute), matched });
"""


@pytest.fixture(scope="module")
def level(run):
    """Give ``level("0, ['vocals']")``: the gains in dB of the clips that sound, by row."""

    def levels(arguments):
        found = run(VERSIONS + f"return gains(versions, state({arguments}))")
        return {row: round(gain, 4) for rows in found for row, gain in rows.items() if gain}

    return levels


def decibels(value):
    return round(10 ** (value / 20), 4)


def test_all_versions_come_down_to_the_quietest(level):
    assert level("0") == {"mixture": decibels(-4)}
    assert level("1") == {"vocals": 1, "bass": 1, "drums": 1}
    assert level("2") == dict.fromkeys(["vocals", "bass", "drums"], decibels(-2))


def test_one_stem_is_matched_to_the_same_stem(level):
    assert level("1, ['vocals']") == {"vocals": 1}
    assert level("2, ['vocals']") == {"vocals": decibels(-3)}
    assert level("0, ['vocals']") == {"mixture": decibels(-10)}


def test_matching_has_a_limit_and_silence_does_not_count(level):
    assert level("1, ['bass']") == {"bass": decibels(-12)}
    assert level("1, ['drums']") == {"drums": 1}
    assert level("2, ['drums']") == {"drums": 1}
    assert level("0, ['drums']") == {"mixture": decibels(-8)}


def test_several_stems_are_summed_as_powers(level):
    # vocals and bass: -20 and -20 make -17.0 dB; -17 and -40 make -17.0 dB, a little more
    assert level("1, [], ['drums']") == dict.fromkeys(["vocals", "bass"], 1)
    assert level("2, ['vocals', 'bass']") == dict.fromkeys(["vocals", "bass"], decibels(-16.9897 + 16.9784))
    assert level("0, [], ['drums']") == {"mixture": decibels(-16.9897 + 10)}


def test_unmatched_solo_and_mute(level):
    assert level("0, [], [], false") == {"mixture": 1}
    assert level("1, ['vocals', 'bass'], ['bass'], false") == {"vocals": 1}
    assert level("1, [], ['bass'], false") == {"vocals": 1, "drums": 1}
    assert level("1, [], ['vocals', 'bass', 'drums']") == {}
