"""Train small encoder–decoders with a mask network between them, and ask where their filters gather.

Two tasks: two talkers (the better of both orders counts), and vocals against the rest of a song. Two networks: one that
sees the future of each frame and one that does not. Then talkers whose high frequencies were raised: do the filters
follow the energy? Five seeds each. And once, an encoder and a decoder with nothing between them.

Writes results/building_blocks/filterbank.json and sepbook/assets/weights/filterbanks.safetensors.
"""

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from sepbook.building_blocks.filterbank import WEIGHTS, Decoder, Encoder, Free, bandwidths, centre_frequencies, spaced
from sepbook.data.corpus import SAMPLE_RATE, songs, talkers
from sepbook.data.mixing import Mixtures
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.waveform import sdr_loss, si_sdr_loss
from tools.results._common import clocks, extremes, write

K, SIZE, HOP = 64, 80, 40  # filters, samples (5 ms), samples: the frames of TasNet, overlapping by half
STEPS, BATCH, SECONDS, RATE = 800, 4, 1.0, 3e-3
DECAY = 2.0  # of the filters: what no gradient holds fades, so that only what was learned is left
SEEDS = (0, 1, 2, 3, 4)
BELOW = 1000.0  # Hz
AUDIBLE = 0.01  # standard deviation of samples; excerpts in which nobody sings are left out
N = round(SECONDS * SAMPLE_RATE)


class MaskNetwork(nn.Module):
    """From a code (B, K, T) to masks (B, S, K, T): dilated convolutions with residual connections."""

    def __init__(self, sources=2, width=64, depth=6, causal=False):
        super().__init__()
        self.sources, self.causal = sources, causal
        self.enter, self.leave = nn.Conv1d(K, width, 1), nn.Conv1d(width, sources * K, 1)
        self.layers = nn.ModuleList([nn.Conv1d(width, width, 3, dilation=2**i) for i in range(depth)])
        self.slopes = nn.ModuleList([nn.PReLU() for _ in range(depth)])

    def forward(self, code):
        x = self.enter(normalised(torch.log1p(10 * code)))  # (B, H, T)
        for layer, slope in zip(self.layers, self.slopes, strict=True):
            reach = layer.dilation[0]
            padded = functional.pad(x, (2 * reach, 0) if self.causal else (reach, reach))
            x = x + slope(normalised(layer(padded)))
        return self.leave(x).sigmoid().view(len(x), self.sources, K, -1)


def normalised(x):
    """Normalise each frame over its features."""
    return functional.layer_norm(x.transpose(1, 2), x.shape[1:2]).transpose(1, 2)


class Tiny(nn.Module):
    """Encoder, mask network, decoder; without masks, an autoencoder."""

    def __init__(self, causal=False, masks=True):
        super().__init__()
        self.encoder, self.decoder = Encoder(Free(K, SIZE), HOP), Decoder(Free(K, SIZE), HOP)
        self.masks = MaskNetwork(causal=causal) if masks else None

    def forward(self, mixture):  # (B, C=1, N)
        code = self.encoder(mixture)  # (B, C, K, T)
        if self.masks is None:
            return self.decoder(code, mixture.shape[-1])[:, None]
        code = code.relu()
        masks = self.masks(code[:, 0])[:, :, None]  # (B, S, C, K, T)
        return self.decoder(masks * code[:, None], mixture.shape[-1])  # (B, S, C, N)


class Talkers:
    """Two sentences of two talkers at similar levels: item i is a function of (seed, i)."""

    def __init__(self, split, seed):
        self.voices, self.seed = {}, seed
        for utterance in talkers(split):
            self.voices.setdefault(utterance.identity, []).append(utterance.samples())
        self.names = list(self.voices)

    def __getitem__(self, index):
        random = torch.Generator().manual_seed(1_000_003 * self.seed + index)
        pair = torch.randperm(len(self.names), generator=random)[:2].tolist()
        return torch.stack([self._excerpt(self.voices[self.names[i]], random) for i in pair])  # (S, C, N)

    @staticmethod
    def _excerpt(sentences, random):
        def draw(count):
            return int(torch.randint(count, (), generator=random))

        samples = sentences[draw(len(sentences))]
        start = draw(max(1, samples.shape[-1] - N))
        samples = functional.pad(samples[:, start : start + N], (0, max(0, N - samples.shape[-1])))
        return levelled(samples, random)


class Bright(Talkers):
    """The same talkers with their high frequencies raised: each sample less 0.95 of the one before."""

    def __getitem__(self, index):
        sources = super().__getitem__(index)
        bright = sources - 0.95 * functional.pad(sources, (1, 0))[..., :-1]
        return bright * sources.std(-1, keepdim=True) / bright.std(-1, keepdim=True)


class Songs:
    """Vocals and all the rest of a song at similar levels; in training, half of them with stems from several songs."""

    def __init__(self, split, seed):
        incoherent = 0.5 if split == "train" else 0.0
        self.items, self.seed = Mixtures(songs(split), SECONDS, 10**9, incoherent, gain_db=(-3.0, 3.0), seed=seed), seed

    def __getitem__(self, index):
        random = torch.Generator().manual_seed(1_000_003 * self.seed + index)
        for attempt in range(100):  # until both sound
            stems = self.items[index + attempt * 10**6]["sources"]  # (S=4, C, N)
            pair = [stems[0], stems[1:].sum(0)]
            if min(source.std() for source in pair) > AUDIBLE:
                break
        return torch.stack([levelled(source, random) for source in pair])


def levelled(samples, random):
    """Bring samples to a level of 0.1, give or take 2.5 dB."""
    gain = 10 ** ((5 * torch.rand((), generator=random) - 2.5) / 20)
    return 0.1 * gain * samples / samples.std().clamp(min=1e-3)


TASKS = {"talkers": Talkers, "music": Songs, "bright": Bright}
KINDS = {"noncausal": ("talkers", "music", "bright"), "causal": ("talkers", "music")}  # which tasks are trained how


def loss_of(task, estimates, sources):
    if task != "music":
        return permutation_invariant(si_sdr_loss, estimates, sources)[0].mean()
    return si_sdr_loss(estimates, sources)


def fit(task, system, seed):
    """Train on fresh mixtures; returns the loss of each step."""
    data, weights, losses = TASKS[task]("train", seed), list(system.parameters()), []
    filters = [system.encoder.bank.values, system.decoder.bank.values]
    groups = [{"params": filters, "weight_decay": DECAY}]
    if system.masks:
        groups.append({"params": system.masks.parameters(), "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.1)
    for step in range(STEPS):
        sources = torch.stack([data[step * BATCH + i] for i in range(BATCH)])  # (B, S, C, N)
        mixture = sources.sum(1)
        loss = loss_of(task, system(mixture), sources) if system.masks else sdr_loss(system(mixture), mixture[:, None])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 5.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def gain(task, system, items=100):
    """Return the mean improvement of the loss in dB, over the untouched mixture, on unseen voices or songs."""
    data = TASKS[task]("test", 99)
    sources = torch.stack([data[i] for i in range(items)])
    mixture = sources.sum(1)
    if not system.masks:
        return -sdr_loss(system(mixture), mixture[:, None]).item()
    untouched = loss_of(task, mixture[:, None].expand_as(sources), sources)
    return (untouched - loss_of(task, system(mixture), sources)).item()


def look(waveforms):
    """Return what the waveforms (K, size) are like as filters."""
    centres, widths = centre_frequencies(waveforms, SAMPLE_RATE), bandwidths(waveforms, SAMPLE_RATE)
    return {"share_below": (centres < BELOW).float().mean().item(), "bandwidth": widths.median().item()}


def energy_below(task, items=100):
    """Return the share of the mixtures' energy that lies below BELOW Hz."""
    data = TASKS[task]("train", 7)
    mixtures = torch.stack([data[i].sum(0) for i in range(items)])
    power = torch.fft.rfft(mixtures).abs().square().mean((0, 1))
    return (power[: round(BELOW * SECONDS)].sum() / power.sum()).item()


def one(task, seed, causal=False, masks=True):
    torch.manual_seed(seed)
    system = Tiny(causal, masks)
    before = {part: getattr(system, part).bank.values.detach().clone() for part in ("encoder", "decoder")}
    with clocks() as time:
        losses = fit(task, system, seed)
    after = {part: getattr(system, part).bank.values.detach() for part in before}
    row = {"seed": seed, "gain": gain(task, system), "last_loss": sum(losses[-50:]) / 50, **time}
    row |= {part: look(waveforms) for part, waveforms in after.items()}
    row |= {f"{part}_start": look(waveforms) for part, waveforms in before.items()}
    print(task, "causal" if causal else "", row, flush=True)
    return row, before, after


def jobs():
    """List what is trained: (task, causal, seed, whether masks stand between)."""
    listed = [(task, kind == "causal", seed, True) for kind in KINDS for task in KINDS[kind] for seed in SEEDS]
    return [*listed, ("talkers", False, SEEDS[0], False)]


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    assemble({(task, causal, seed, masks): one(task, seed, causal, masks) for task, causal, seed, masks in jobs()})


def assemble(done) -> None:
    """Write the numbers and the weights of all jobs."""
    mel = spaced(K + 2, 0, SAMPLE_RATE / 2, "mel")[1:-1]
    content = {"steps": STEPS, "batch": BATCH, "seconds": SECONDS, "learning_rate": RATE, "decay": DECAY}
    content |= {"seeds": list(SEEDS), "K": K, "size": SIZE, "hop": HOP, "below": BELOW}
    content |= {"mel_share": (mel < BELOW).double().mean().item(), "linear_share": BELOW / (SAMPLE_RATE / 2)}
    tensors = {}

    def keep(name, waveforms):
        tensors.update({f"{name}.{part}": w.half().contiguous() for part, w in waveforms.items()})

    content |= {task: {"energy_share": energy_below(task)} for task in TASKS}
    for kind, tasks in KINDS.items():
        for task in tasks:
            rows = [done[task, kind == "causal", seed, True][0] for seed in SEEDS]
            parts = {p: {k: extremes([row[p][k] for row in rows]) for k in rows[0][p]} for p in ("encoder", "decoder")}
            gains = [row["gain"] for row in rows]
            content[task][kind] = {"gain": sum(gains) / len(gains), **parts, "runs": rows}
            _, before, after = done[task, kind == "causal", SEEDS[0], True]
            keep(task if kind == "noncausal" else f"{task}_causal", after)
            if kind == "noncausal" and task == "talkers":
                keep("start", before)
    content["autoencoder"], _, after = done["talkers", False, SEEDS[0], False]
    keep("autoencoder", after)
    save_file(tensors, WEIGHTS, {"licence": "MIT", "rate": str(SAMPLE_RATE), "seed": str(SEEDS[0])})
    WEIGHTS.chmod(0o644)
    write("building_blocks/filterbank", content)
