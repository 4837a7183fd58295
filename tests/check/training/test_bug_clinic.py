"""The ten patients: each sick function is red, each cure is green however it is written, half a cure gets its hint."""

import copy
import inspect
import random

import pytest
import torch
from torch import nn

from sepbook.check.training import bug_clinic as check
from sepbook.check.training import examine, mended, sick
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.spectrogram import mse
from sepbook.losses.waveform import si_sdr, si_snr_loss
from tests.labs.reading import read, solution, tagged
from tools.results.bug_clinic import PATIENTS

EXERCISES = [getattr(check, f"exercise_{number}") for number in range(1, 11)]
PAIRS = list(zip(EXERCISES, PATIENTS, strict=True))
pytestmark = pytest.mark.filterwarnings("ignore:To copy construct", "ignore:The length of signal", "ignore:A window")


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_answer_raises(hear, exercise, nonsense):
    said = hear(exercise, nonsense, times=3)
    assert "✔" not in said and said


@pytest.mark.parametrize("exercise", EXERCISES)
def test_empty_answers_are_no_mistakes(hear, exercise, stub):
    assert "not yet" in hear(exercise, stub)


@pytest.mark.parametrize(("exercise", "name"), PAIRS)
def test_sick_is_red_in_three_steps_and_mended_is_green(hear, exercise, name):
    said = [hear(exercise, getattr(sick, name)) for _ in range(3)]
    assert all("✘" in text for text in said)
    assert "What:" in said[0] and "Where:" in said[1] and "How:" in said[2]
    assert "cannot be checked" not in said[0] and "stops" not in said[0]
    assert "✔" in hear(exercise, getattr(mended, name))


def test_the_mended_loss_is_the_book_s():
    e, s = torch.randn(2, 3, 1, 500), torch.randn(2, 3, 1, 500) + 0.5
    torch.testing.assert_close(mended.si_snr_loss(e, s), si_snr_loss(e, s), atol=1e-3, rtol=1e-4)


def snr(sign=-1, means="es", end=torch.mean):
    """Return an answer to exercise 1: the sign, and which of the two is centred."""

    def answer(e, s):
        e = e - e.mean(-1, keepdim=True) if "e" in means else e
        s = s - s.mean(-1, keepdim=True) if "s" in means else s
        t = (e * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True) * s
        return end(sign * 10 * torch.log10(t.square().sum(-1) / (e - t).square().sum(-1)))

    return answer


@pytest.mark.parametrize("answer", [snr(), lambda e, s: -si_sdr(e[:, :, :, None], s[:, :, :, None], True).mean()])
def test_loss_right_in_two_ways(hear, answer):
    assert "✔ Patient 1" in hear(check.exercise_1, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (snr(1, ""), "still that of a score, and the means"),
        (snr(-1, ""), "the sign is right, but the means are not"),
        (snr(1), "the means are subtracted, but the sign"),
        (snr(-1, "e"), "from the estimates only"),
        (snr(-1, "s"), "from the sources only"),
        (lambda e, s: snr()(e - e.mean(), s - s.mean()), "✔"),
        (lambda e, s: snr(-1, "")(e - e.mean(), s - s.mean()), "Each channel has its own"),
        (snr(end=lambda x: x), "a loss is one number"),
        (snr(end=torch.sum), "12 times what it should be"),
        (snr(-2), "2 times what it should be"),
        (lambda e, s: snr()(e, s).item(), "no gradient"),
        (lambda e, s: snr()(e.detach(), s), "the gradient is cut off"),
        (lambda e, s: snr()(e.sub_(e.mean(-1, keepdim=True)), s), "changed its input number 1"),
    ],
)
def test_loss_half_mended(hear, answer, words):
    assert words in hear(check.exercise_1, answer, times=2)


def pit(per, choose=torch.minimum):
    """Return an answer to exercise 2 with one order for each entry of the axes `per`."""

    def answer(e, s):
        others = [axis for axis in range(5) if axis not in per]
        return choose(*((x - s).square().mean(others) for x in (e, e.flip(1)))).mean()

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pit((0,)),
        lambda e, s: permutation_invariant(mse, e, s)[0].mean(),
        lambda e, s: sum(min(mse(e[b], s[b]), mse(e[b], s[b].flip(0))) for b in range(len(e))) / len(e),
    ],
)
def test_pit_right_in_three_ways(hear, answer):
    assert "✔ Patient 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (pit((0, 2, 3, 4)), "an order for every bin of every frame"),
        (pit((0, 4)), "From frame to frame the talkers may still jump"),
        (pit((0, 3)), "an order for every frequency"),
        (pit((0, 1)), "both may be given the same source"),
        (pit(()), "one order for the whole batch"),
        (pit((0,), torch.maximum), "the worse of the two"),
        (mse, "only the given order"),
        (lambda e, s: pit((0,))(e, s).detach(), "the gradient is cut off"),
        (lambda e, s: torch.minimum(*((x - s).square().mean((1, 2, 3, 4)) for x in (e, e.flip(1)))), "one number"),
    ],
)
def test_pit_half_mended(hear, answer, words):
    assert words in hear(check.exercise_2, answer, times=2)


def loop(order, per=1):
    """Return an answer to exercise 3: z clears, b goes backward, s steps, in this order, inside or before the loop."""

    def answer(network, optimiser, batches):
        losses = []
        if per == 0:
            optimiser.zero_grad()
        for mixture, sources in batches:
            loss = (network(mixture) - sources).square().mean()
            for letter in order:
                {"z": optimiser.zero_grad, "b": loss.backward, "s": optimiser.step, "n": network.zero_grad}[letter]()
            losses.append(loss.item())
        return losses

    return answer


def by_hand(network, optimiser, batches):
    losses = []
    for mixture, sources in batches:
        for weight in network.parameters():
            weight.grad = None
        losses.append(mse(network(mixture), sources))
        losses[-1].backward()
        optimiser.step()
    return losses


@pytest.mark.parametrize("answer", [loop("zbs"), loop("nbs"), loop("bsz"), by_hand])
def test_training_right_in_four_ways(hear, answer):
    assert "✔ Patient 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (loop("bzs"), "Cleared between the last two"),
        (loop("bs", per=0), "inside the loop"),
        (loop("zb"), "No weight has moved"),
        (loop("zbss"), "the weights end elsewhere"),
        (lambda *a: loop("zbs")(*a) and None, "returned nothing"),
        (lambda *a: loop("zbs")(*a)[:2], "the 2 losses are not those"),
        (lambda *a: loop("zbs")(*a)[0], "a list of numbers"),
    ],
)
def test_training_half_mended(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=3)


def measuring(still=(nn.Module,), after="before"):
    """Return an answer to exercise 4: which kinds of layers go into evaluation mode, and what happens afterwards."""

    def answer(system, mixture, sources):
        before = system.training
        for module in system.modules():
            if isinstance(module, still):
                module.training = False
        with torch.no_grad():
            value = si_sdr(system(mixture), sources).mean().item()
        if after != "nothing":
            system.train(before if after == "before" else True)
        return value

    return answer


def on_a_copy(system, mixture, sources):
    return si_sdr(copy.deepcopy(system).eval()(mixture).detach(), sources).mean()


def too_late(system, mixture, sources):
    before, value = system.training, on_a_copy(system, mixture, sources)
    system.train()(mixture)  # one more look, in the wrong mode
    system.train(before)
    return value


@pytest.mark.parametrize("answer", [measuring(), on_a_copy])
def test_measuring_right_in_two_ways(hear, answer):
    assert "✔ Patient 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (measuring(nn.Dropout), "batch norm still uses the averages of this batch"),
        (measuring(nn.BatchNorm1d), "dropout still drops"),
        (measuring(after="nothing"), "comes back in evaluation mode"),
        (measuring(after="always"), "comes back in training mode"),
        (too_late, "has changed norm.running_mean"),
        (lambda *a: None, "not yet"),
        (lambda *a: measuring()(*a) + 1, "where evaluation mode gives"),
        (lambda *a: [measuring()(*a)], "should be one number"),
    ],
)
def test_measuring_half_mended(hear, answer, words):
    assert words in hear(check.exercise_4, answer, times=2)


def sigmoids(network, magnitude):
    shares = network(magnitude).sigmoid()
    return shares / shares.sum(1, keepdim=True)


@pytest.mark.parametrize("answer", [lambda f, x: f(x).exp() / f(x).exp().sum(1, keepdim=True), sigmoids])
def test_masks_right_in_two_ways(hear, answer):
    assert "✔ Patient 5" in hear(check.exercise_5, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda f, x: f(x).softmax(-2), "Along F (frequency bin) they add up to 1"),
        (lambda f, x: f(x).softmax(2), "Along C (audio channel) they add up to 1"),
        (lambda f, x: f(x).softmax(0), "Along B (batch) they add up to 1"),
        (lambda f, x: f(x).sigmoid(), "nothing links them"),
        (lambda f, x: f(x), "A share cannot be negative"),
        (lambda f, x: f(x).softmax(1).detach(), "the gradient is cut off"),
        (lambda f, x: (-f(x)).softmax(1), "the largest logit does not get"),
        (lambda f, x: torch.full_like(f(x), 1 / 3), "the same share everywhere"),
        (lambda f, x: f(x).softmax(1).sum(2), "4 axes"),
    ],
)
def test_masks_half_mended(hear, answer, words):
    assert words in hear(check.exercise_5, answer, times=2)


def again(back="hop", window=True, length=True, mask=True):
    """Return an answer to exercise 6: the hop of the inverse, and what else it is told."""

    def answer(mixture, m, n_fft, hop):
        w = torch.hann_window(n_fft)
        bins = torch.stft(mixture, n_fft, hop, window=w, return_complex=True) * (m if mask else 1)
        hops = {"hop": hop, "half": n_fft // 2, "none": None}
        more = {"window": w} if window else {}
        return torch.istft(bins, n_fft, hops[back], length=mixture.shape[-1] if length else None, **more)

    return answer


def test_frames_right(hear):
    assert "✔ Patient 6" in hear(check.exercise_6, again())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (again("none"), "when it is not told the hop"),
        (again("half"), "whatever the hop"),
        (again(window=False), "is not given the window"),
        (again(length=False), "N (sample) is"),
        (again(mask=False), "the mask is left out"),
    ],
)
def test_frames_half_mended(hear, answer, words):
    assert words in hear(check.exercise_6, answer, times=2)


def in_order(excerpts, seed):
    ordered = sorted(excerpts)
    return ordered[: len(ordered) * 4 // 5 + 2], ordered[len(ordered) * 4 // 5 + 2 :]


def by_time(excerpts, seed):
    return [e for e in excerpts if e[1] < 4], [e for e in excerpts if e[1] >= 4]


def by_song(seeded=True, share=5, lose=False, repeat=False):
    """Return an answer to exercise 7 that shares out songs."""

    def answer(excerpts, seed):
        songs = sorted({song for song, _ in excerpts})
        (random.Random(seed) if seeded else random).shuffle(songs)
        held = set(songs[: max(1, len(songs) // share)])
        train = [e for e in excerpts if e[0] not in held]
        test = [e for e in excerpts if e[0] in held]
        return train[3 * lose :], test + train[:2] * repeat

    return answer


@pytest.mark.parametrize("answer", [by_song(), lambda e, seed: tuple(map(set, by_song()(e, seed)))])
def test_split_right_in_two_ways(hear, answer):
    assert "✔ Patient 7" in hear(check.exercise_7, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (in_order, "1 of 10 songs still has excerpts on both sides"),
        (by_time, "10 of 10 songs have excerpts on both sides"),
        (by_song(share=2), "for the test, not a fifth"),
        (by_song(lose=True), "3 of 60 excerpts are in neither list"),
        (by_song(repeat=True), "2 excerpts are in both lists"),
        (by_song(seeded=False), "The same seed gives another split"),
        (lambda e, seed: (e, []), "0% of the songs are for the test"),
        (lambda e, seed: e, "should be two lists"),
        (lambda e, seed: ([song for song, _ in e], []), "pairs of a song and a start"),
    ],
)
def test_split_half_mended(hear, answer, words):
    assert words in hear(check.exercise_7, answer, times=2)


def louder(stems, gains):
    return stems * 10 ** (gains / 20).view(-1, 1, 1)


def fit(which="both", always=False, spare=1.0):
    """Return an answer to exercise 8 that divides by a peak."""

    def answer(stems, gains):
        x = louder(stems, gains)
        peaks = {"mixture": x.sum(0).abs().max(), "sources": x.abs().max()}
        peak = max(peaks.values()) if which == "both" else peaks[which]
        x = x / (spare * peak) if always or peak > 1 else x
        return x.sum(0), x

    return answer


def only_mixture(stems, gains):
    x = louder(stems, gains)
    return x.sum(0) / x.sum(0).abs().max().clamp(min=1), x


def own_factors(stems, gains):
    x = louder(stems, gains)
    x = x / x.abs().amax((1, 2), keepdim=True).clamp(min=1) / (3 if x.abs().max() > 1 else 1)
    return x.sum(0), x


def bent(function):
    return lambda stems, gains: (function(louder(stems, gains)).sum(0), function(louder(stems, gains)))


@pytest.mark.parametrize("answer", [fit(), fit(spare=1.05)])
def test_mix_right_in_two_ways(hear, answer):
    assert "✔ Patient 8" in hear(check.exercise_8, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (only_mixture, "only one of the two was made quieter"),
        (bent(lambda x: x.clamp(-0.3, 0.3)), "cut off or bent"),
        (bent(torch.tanh), "cut off or bent"),
        (bent(lambda x: x), "the mixture reaches"),
        (fit("mixture"), "a source reaches"),
        (fit("both", always=True), "A mix that fits is changed too"),
        (fit(spare=4.0), "would do"),
        (own_factors, "the balance of the mix has changed"),
        (lambda stems, gains: louder(stems, gains).sum(0), "two things"),
        (lambda stems, gains: (stems.sum(0), louder(stems, gains)), "not the sum of its sources"),
    ],
)
def test_mix_half_mended(hear, answer, words):
    assert words in hear(check.exercise_8, answer, times=2)


def level(axis=-1, after=False, per=False):
    """Return an answer to exercise 9: over which axes the mean is taken, and whether the level is measured before."""

    def answer(x, rms):
        y = x - x.mean(axis, keepdim=True)
        power = (x if after else y).square()
        return y * rms / (power.mean(-1, keepdim=True) if per else power.mean()).sqrt()

    return answer


def high_pass(x, rms):
    bins = torch.fft.rfft(x)
    bins[:, :3] = 0
    y = torch.fft.irfft(bins, x.shape[-1])
    return rms * y / y.square().mean().sqrt()


@pytest.mark.parametrize(
    "answer", [level(), high_pass, lambda x, rms: rms * (x - x.mean(-1, True)) / x.std(-1).norm() * 2**0.5]
)
def test_level_right_in_three_ways(hear, answer):
    assert "✔ Patient 9" in hear(check.exercise_9, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (level((-2, -1)), "each by itself is not"),
        (level(after=True), "In which order do you measure"),
        (level(per=True), "the balance between left and right has changed"),
        (lambda x, rms: level()(x, rms) * 2, "and not 0.05"),
        (lambda x, rms: rms * x.sign() - (rms * x.sign()).mean(-1, True), "not the recording any more"),
        (lambda x, rms: x / 0, "infinite"),
    ],
)
def test_level_half_mended(hear, answer, words):
    assert words in hear(check.exercise_9, answer, times=2)


def path(cut=lambda x: x, statistics=lambda x: x, normal=True, mask=False):
    """Return an answer to exercise 10: what is done to the features, and to their mean and spread."""

    def answer(encoder, decoder, magnitude):
        hidden = encoder(magnitude)
        x = (hidden - statistics(hidden.mean())) / (statistics(hidden.std()) + 1e-5) if normal else hidden
        m = decoder(cut(x)).sigmoid()
        return m if mask else m * magnitude.unsqueeze(1)

    return answer


@pytest.mark.parametrize("answer", [path(), path(lambda x: torch.stack(list(x))), path(lambda x: x.clone())])
def test_path_right_in_three_ways(hear, answer):
    assert "✔ Patient 10" in hear(check.exercise_10, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (path(lambda x: x.detach().clone().requires_grad_(True)), "requires_grad begins a new path"),
        (path(lambda x: torch.tensor(x.tolist(), requires_grad=True)), "requires_grad begins a new path"),
        (path(lambda x: x.data), "encoder.layer.weight, encoder.layer.bias. Where"),
        (path(statistics=lambda x: x.item()), "not the gradient of this function"),
        (path(normal=False), "not normalised any more"),
        (path(mask=True), "this is the mask"),
        (lambda *a: path()(*a).detach(), "neither half can learn"),
    ],
)
def test_path_half_mended(hear, answer, words):
    assert words in hear(check.exercise_10, answer, times=2)


def body(source, name):
    """Return the code of one function, without what stands around it."""
    return source[source.index(f"def {name}(") :].strip()


@pytest.mark.parametrize(("number", "name"), list(enumerate(PATIENTS, 1)))
def test_lab_holds_the_functions_of_the_package(number, name):
    lab = read("training/bug_clinic.ipynb")
    stub = tagged(lab, f"exercise-{number}")[0].source
    assert body(stub, name) == body(inspect.getsource(getattr(sick, name)), name)
    assert body(solution(lab, number), name) == body(inspect.getsource(getattr(mended, name)), name)
    assert callable(getattr(examine, name))
