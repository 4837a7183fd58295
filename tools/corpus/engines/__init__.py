"""The engines that speak for the corpus, behind one function: ``speak(name, text, stretch)``."""

from concurrent.futures import ThreadPoolExecutor

from tools.corpus.engines import cache, environment, festival, flite, kokoro, pico, recorded
from tools.corpus.speakers import speaker

ENGINES = {"flite": flite, "festival": festival, "kokoro": kokoro, "pico": pico, "recorded": recorded}
TOGETHER = 12  # requests to one process: what an interruption costs


def speak(name, text, stretch=1.0):
    """Samples (N,) at 16 kHz and phones of a text said by the speaker ``name``, ``stretch`` times as slow.

    A text that the speaker has said before comes from a cache on disk. Raises EngineError where an engine is missing.
    """
    who = speaker(name)
    path = cache.path(who.engine, who.voice, text, stretch)
    if not path.exists():
        cache.write(path, *ENGINES[who.engine].speak(who.voice, text, stretch))
    return cache.read(path)


def fill_cache(wanted, jobs=1, report=print):
    """Let the engines of the other environment say all (name, text, stretch) that the cache lacks, many at a time."""
    missing = []
    for name, text, stretch in dict.fromkeys(wanted):
        who = speaker(name)
        path = cache.path(who.engine, who.voice, text, stretch)
        if not path.exists() and who.engine in ("kokoro", "pico"):
            engine = ENGINES[who.engine]
            missing.append((path, engine, engine.request(who.voice, text, stretch)))
    if missing:
        environment.ready()  # once, before several processes need it
    parts = [missing[first : first + TOGETHER] for first in range(0, len(missing), TOGETHER)]
    with ThreadPoolExecutor(jobs) as pool:
        for done, _ in enumerate(pool.map(say_part, parts), 1):
            report(f"speech {min(done * TOGETHER, len(missing))}/{len(missing)}")


def say_part(part):
    """Let one process say some requests, each (path, engine, request), and write them to the cache."""
    answers = environment.ask([asked for _, _, asked in part])
    for (path, engine, asked), answer in zip(part, answers, strict=True):
        cache.write(path, *engine.finish(asked, answer))
