"""Patients 7, 8 and 9: what is done to songs before any network sees them. Taught on: book/training/bug_clinic."""

import random

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_shape, expect_tensor
from sepbook.check._inputs import case_seed, dice


def _listed(result) -> list[list]:
    try:
        train, test = result
        parts = [list(train), list(test)]
    except (TypeError, ValueError):
        what = f"The result should be two lists, but is of type {type(result).__name__}."
        raise CheckFailure(what, "Look at the return.", "return train, test", kind="type") from None
    if not all(isinstance(pair, tuple) and len(pair) == 2 for part in parts for pair in part):
        what = "The lists should hold excerpts as they were given: pairs of a song and a start."
        raise CheckFailure(what, kind="type")
    return parts


@exercise(
    "Patient 7: a test that knows the answers",
    hints=(
        "Print the songs of both lists. Then ask what has to be shuffled and shared out: excerpts, or something else?",
        "Make the sorted list of different songs. Share out that list, not the excerpts.",
        "songs = sorted({song for song, start in excerpts}); choose four fifths of the songs with random.Random(seed); "
        "then put each excerpt where its song is.",
    ),
)
def exercise_7(split):
    """Check a function (excerpts: list of (song, start), seed) -> lists for training and test without a common song."""
    for count, each in ((10, 6), (13, 5)):
        first = case_seed() % 97
        excerpts = [(f"song {first + number:03}", start) for number in range(count) for start in range(each)]
        random.Random(case_seed(count)).shuffle(excerpts)
        train, test = parts = _listed(call(split, excerpts, 3))
        _check_complete(train, test, excerpts)
        _check_songs(*({song for song, _ in part} for part in parts), count)
        _check_global_chance(split, excerpts)
        if [sorted(part) for part in _listed(call(split, excerpts, 3))] != [sorted(part) for part in parts]:
            raise CheckFailure(
                "The same seed gives another split each time: the next run would train on what this one tests with.",
                "Where does the chance come from?",
                "Draw with random.Random(seed), and nothing else.",
                kind="seed",
            )
        tests = {tuple(sorted(_listed(call(split, excerpts, seed))[1])) for seed in range(6)}
        if len(tests) == 1:
            raise CheckFailure(
                "Six different seeds give the same split: the seed is not used.",
                "Look for the argument `seed`. Where does it enter?",
                "random.Random(seed) draws for this seed, and for no other.",
                kind="seed unused",
                known=True,
            )
    return "No song is on both sides, nothing is lost, and the seed decides."


def _check_global_chance(split, excerpts: list) -> None:
    """The chance of the whole notebook must stay as it was: random.seed and random.shuffle change it for everybody."""
    before = random.getstate()
    call(split, excerpts, 3)
    after, changed = random.getstate(), False
    if after != before:
        changed = True
        random.setstate(before)
    if changed:
        raise CheckFailure(
            "The function draws from the random numbers that the whole notebook shares.",
            "Look for random.seed(…), random.shuffle(…) and random.sample(…): whoever draws next gets other numbers.",
            "Make a source of your own, rng = random.Random(seed), and call rng.sample(…).",
            kind="global",
            known=True,
        )


def _check_complete(train: list, test: list, excerpts: list) -> None:
    both = sorted([*train, *test])
    if both == sorted(excerpts):
        return
    if set(train) & set(test):
        count = len(set(train) & set(test))
        raise CheckFailure(f"{count} excerpts are in both lists.", kind="twice")
    lost = len(set(excerpts) - set(both))
    what = f"{lost} of {len(excerpts)} excerpts are in neither list." if lost else "Some excerpts come more than once."
    raise CheckFailure(what, "Every excerpt belongs in exactly one list.", kind="lost")


def _check_songs(train: set, test: set, count: int) -> None:
    shared = len(train & test)
    if 0 < shared <= count // 4:
        raise CheckFailure(
            f"Nearly: {shared} of {count} songs still {'has' if shared == 1 else 'have'} excerpts on both sides.",
            "Where does the cut fall? A list of excerpts can be cut in the middle of a song.",
            kind="border",
        )
    if shared:
        raise CheckFailure(f"{shared} of {count} songs have excerpts on both sides.", kind="shared")
    share = len(test) / count
    if not 0.1 <= share <= 0.35:
        raise CheckFailure(
            f"No song is on both sides. But {share:.0%} of the songs are for the test, not a fifth.", kind="share"
        )


def _stems(seed: int, peak: float, opposed: bool = False, S: int = 3, C: int = 2) -> Tensor:
    x = torch.randn(S, C, 500, generator=dice(seed))
    if opposed:
        x[2] *= 0.3
        x[1] = 0.1 * x[2] - x[0]  # what one plays, another one cancels
    return peak * x / x.abs().max()


@exercise(
    "Patient 8: louder than a file can hold",
    hints=(
        "What is the mixture minus the sum of its sources, before and after your change? And how is their balance?",
        "What must be divided so that the mixture is still the sum? And by one factor, or by one for each?",
        "sources = stems * gains; peak = the largest of sources.abs().max() and sources.sum(0).abs().max(); when it is "
        "above 1, divide the sources by it; the mixture is sources.sum(0).",
    ),
)
def exercise_8(mix):
    """Check a function (stems `(S, C, N)`, gains `(S,)` in dB) -> mixture `(C, N)`, sources `(S, C, N)` within ±1."""
    cases = {
        "a mix that fits": (_stems(1, 0.1), torch.tensor([0.0, 3.0, -6.0])),
        "a loud mix": (_stems(2, 0.8), torch.tensor([0.0, 9.0, 6.0])),
        "a loud mix of two stems and one channel": (_stems(4, 0.8, S=2, C=1), torch.tensor([3.0, 9.0])),
        "sources that cancel each other in part": (_stems(3, 0.9, opposed=True), torch.tensor([6.0, 6.0, 6.0])),
    }
    for where, (stems, gains) in cases.items():
        wanted = stems * 10 ** (gains / 20).view(-1, 1, 1)
        result = call(mix, stems, gains)
        if not isinstance(result, tuple | list) or len(result) != 2:
            what = "The result should be two things: the mixture and its sources."
            raise CheckFailure(what, how="return mixture, sources", kind="type")
        mixture = expect_shape(result[0], stems.shape[1:], "C N")
        sources = expect_shape(result[1], stems.shape, "S C N")
        _check_mix(mixture, sources, gains, wanted, f"It is about {where}.")
    return "Quieter, and whole: the mixture is the sum of its sources, and nothing is cut off."


def _near(a: Tensor, b: Tensor, tolerance: float = 1e-4) -> bool:
    return bool((a - b).abs().max() <= tolerance * b.abs().max())


def _refuse_other_gains(sources: Tensor, gains: Tensor, wanted: Tensor, where: str) -> None:
    """Raise CheckFailure when the balance is that of other gains: 10 ** (gain / 20) was taken wrongly."""
    found = (sources * wanted).sum((1, 2)) / wanted.square().sum((1, 2))  # the factors beside the right ones
    level = found.abs().clamp(min=1e-9).log10() * 20 + gains  # in dB, up to one for all
    others = {
        "the gains are not used": 0 * gains,
        "the gains have the other sign": -gains,
        "the gains are halved: 20 belongs below them, not 40": gains / 2,
        "the gains are doubled: for amplitudes they are divided by 20, not by 10": 2 * gains,
    }
    for mistake, other in others.items():
        if (level - other - (level - other).mean()).abs().max() < 0.01:
            what = "The sources have another balance than the gains ask for."
            recognised = f"This is exactly what comes out of a common mistake: {mistake}."
            raise CheckFailure(what, f"{where} {recognised}", kind=mistake, known=True)


def _check_mix(mixture: Tensor, sources: Tensor, gains: Tensor, wanted: Tensor, where: str) -> None:
    total = sources.sum(0)
    if not _near(mixture, total):
        scale = (mixture * total).sum() / total.square().sum()
        if _near(mixture, total.clamp(-1, 1)):
            share = (mixture.abs() > 0.9999).float().mean()
            raise CheckFailure(f"{share:.0%} of the mixture is still cut off at 1 or -1.", where, kind="clipped")
        if _near(mixture, scale * total, 1e-3):
            raise CheckFailure(
                f"The mixture is {scale:.3g} times the sum of its sources: only one of the two was made quieter.",
                f"{where} SI-SDR does not mind, but every loss that compares values does.",
                "Divide the sources, then add them up: mixture = sources.sum(0).",
                kind="one",
            )
        raise CheckFailure("The mixture is not the sum of its sources.", where, kind="sum")
    factors = [float((s * w).sum() / w.square().sum()) for s, w in zip(sources, wanted, strict=True)]
    if not all(_near(s, f * w, 1e-3) for s, f, w in zip(sources, factors, wanted, strict=True)):
        what = "The sum is right, but the sources themselves are cut off or bent: they sound distorted now."
        raise CheckFailure(what, f"{where} One factor for all samples keeps the sound as it is.", kind="bent")
    if max(factors) - min(factors) > 1e-3 * max(factors):
        _refuse_other_gains(sources, gains, wanted, where)
        listed = ", ".join(f"{20 * torch.tensor(f).log10():.1f} dB" for f in factors)
        what = f"Each source is turned down by a factor of its own ({listed}), so the balance of the mix has changed."
        raise CheckFailure(what, where, "One factor for all sources.", kind="balance")
    _check_peak(mixture, sources, wanted, factors[0], where)


def _check_peak(mixture: Tensor, sources: Tensor, wanted: Tensor, factor: float, where: str) -> None:
    for name, x in (("the mixture", mixture), ("a source", sources)):
        if x.abs().max() > 1.001:
            what = f"Nothing is cut off here, but {name} reaches {x.abs().max():.2f}: a file will cut it off."
            raise CheckFailure(what, where, kind=f"peak of {name}")
    most = 1 / max(float(wanted.abs().max()), float(wanted.sum(0).abs().max()), 1.0)
    if abs(factor - 1) > 1e-3 and most == 1:
        what = f"A mix that fits is changed too, by a factor of {factor:.3g}. Then the gains do not count any more."
        raise CheckFailure(what, where, "Divide by the peak only when it is above 1.", kind="always")
    if factor < 0.5 * most:
        raise CheckFailure(
            f"It fits, but is {factor:.3g} times as loud as asked; {most:.3g} would do.", where, kind="quiet"
        )


@exercise(
    "Patient 9: loud on paper",
    hints=(
        "What is the RMS of a constant? Draw the samples: around which value do they swing, and which part is heard?",
        "Print samples.mean(-1). A constant has an RMS too, and nobody hears it.",
        "centred = samples - samples.mean(-1, keepdim=True); then measure and scale `centred` instead of `samples`.",
    ),
)
def exercise_9(set_level):
    """Check a function (samples `(C, N)`, rms) -> samples `(C, N)` of this RMS, with nothing that is not heard."""
    for seed, offsets, rms in ((0, (0.3, 0.3), 0.05), (1, (0.3, -0.1), 0.05), (2, (0.0, 0.0), 0.02)):
        sound = torch.randn(2, 4000, generator=dice(seed))
        sound = (0.1 * sound - 0.1 * sound.mean(-1, keepdim=True)) * torch.tensor([[1.0], [0.5]])
        samples = sound + torch.tensor(offsets).view(2, 1)
        result = expect_tensor(call(set_level, samples, rms))
        expect_shape(result, samples.shape, "C N")
        _check_level(
            result.detach(), sound, rms, f"It is about offsets of {offsets[0]} and {offsets[1]} in two channels."
        )
    return "Equal RMS now means equal sound."


def _check_level(result: Tensor, sound: Tensor, rms: float, where: str) -> None:
    if not result.isfinite().all():
        raise CheckFailure("Some samples are NaN or infinite.", where, kind="finite")
    means, whole = result.mean(-1), result.square().mean().sqrt()
    heard = (result - means.view(-1, 1)).square().mean().sqrt()
    if means.abs().max() > 0.01 * rms:
        what = f"The channels still have offsets of {means[0]:.3f} and {means[1]:.3f}, against an RMS of {rms}."
        if means.sum().abs() < 0.01 * rms:
            what += " Together they are zero; each by itself is not."
            raise CheckFailure(what, f"{where} Over which axis is the mean taken?", kind="together")
        raise CheckFailure(what, where, kind="offset")
    factors = (result * sound).sum(-1) / sound.square().sum(-1)
    if (result - factors.view(-1, 1) * sound).norm() > 0.2 * result.norm():
        raise CheckFailure(
            "The offset is gone, but so is the sound: it is not the recording any more.", where, kind="sound"
        )
    if factors.max() < 0:
        what = "Every sample has the other sign: the recording stands upside down."
        raise CheckFailure(what, where, "A level is changed by a positive factor.", kind="sign")
    if (factors[0] - factors[1]).abs() > 0.02 * factors.abs().max():
        what = "Each channel is scaled by itself, so the balance between left and right has changed."
        raise CheckFailure(what, where, "One factor for both channels.", kind="balance")
    others = {
        "the level is as it was": sound.square().mean().sqrt(),
        "0.05 stands in the lines. Use the name rms": 0.05,
        "it is the square of the RMS that was set": rms**2,
        "it is the peak that was set": rms * whole / result.abs().max(),
        "it is the mean size that was set": rms * whole / result.abs().mean(),
        "it is the root of the RMS that was set": rms**0.5,
        "each sample has this RMS only in the sum: it is smaller by the root of their number": rms
        / result.numel() ** 0.5,
    }
    for mistake, other in others.items():
        if abs(whole - rms) > 0.02 * rms and abs(whole - other) < 1e-3 * other:
            recognised = f"This is exactly what comes out of a common mistake: {mistake}."
            raise CheckFailure(f"The RMS is {whole:.4f} and not {rms}.", recognised, kind=mistake, known=True)
    if abs(whole - rms) > 0.02 * rms:
        raise CheckFailure(
            f"The offset is gone, but the RMS is {heard:.4f} and not {rms}.",
            f"{where} In which order do you measure the level and take the offset away?",
            "First take the offset away, then measure what is left.",
            kind="order",
        )
