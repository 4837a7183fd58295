"""Tracks in the memory of the device: the items are those that the data set makes itself, bit for bit."""

import itertools

import pytest
import torch

from sepbook.architectures import create
from sepbook.data import corpus
from sepbook.data.mixing import Mixtures
from sepbook.training import _held, batches
from sepbook.training._distributed import World
from sepbook.training._held import Held, fits
from sepbook.training.batches import Batches
from sepbook.training.device import choose
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic

CPU = choose("cpu")


class Song:
    """A track in memory, of any length."""

    def __init__(self, number, length, channels=1, names=("vocals", "drums", "bass", "other")):
        generator = torch.Generator().manual_seed(number)
        self.name, self.length, self.stem_names, self.channels = f"song {number}", length, names, channels
        self.sample_rate, self.score = 16000, {"vocal_activity": [float(i % 3 == 0) for i in range(length // 160 + 1)]}
        self.samples = 0.1 * torch.randn(len(names), channels, length, generator=generator)

    def sources(self, names=None, start=0, length=None):
        index = [self.stem_names.index(name) for name in names or self.stem_names]
        length = self.length - start if length is None else length
        found = self.samples[index, :, start : start + length]
        return torch.nn.functional.pad(found, (0, length - found.shape[-1]))


def songs(channels=1):
    return [Song(n, length, channels) for n, length in enumerate((9000, 4000, 1500, 8001))]


KINDS = {
    "coherent": {"incoherent": 0.0},
    "incoherent": {"incoherent": 1.0},
    "both, loud": {"incoherent": 0.5, "gain_db": (0.0, 12.0)},
    "as they are": {"incoherent": 0.0, "gain_db": (0.0, 0.0), "flip": False},
    "labels": {"labels": ("vocal_activity",)},
    "longer than a song": {"seconds": 0.4},
    "longer than all": {"seconds": 1.0},
    "one sample": {"seconds": 1 / 16000},
}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_items_are_the_same_bit_for_bit(kind, channels):
    data = Mixtures(songs(channels), **{"seconds": 0.2, "length": 10, "seed": 3, **KINDS[kind]})
    held = Held(data, CPU.device)
    for numbers in ([0], range(7), [5000, 3, 3]):
        made = held.make(held.draw(numbers))
        expected = torch.utils.data.default_collate([data[n] for n in numbers])
        assert made.keys() == expected.keys()
        for name in set(expected) - {"mixture"}:
            assert torch.equal(made[name], expected[name]), name
        assert torch.equal(made["mixture"], made["sources"].sum(1))
        torch.testing.assert_close(made["mixture"], expected["mixture"])


def test_songs_of_the_corpus_too():
    tracks = list(itertools.islice(corpus.songs("train"), 2))
    data = Mixtures(tracks, seconds=0.5, length=4)
    held = Held(data, CPU.device)
    made = held.make(held.draw(range(4)))
    for name, value in torch.utils.data.default_collate([data[i] for i in range(4)]).items():
        torch.testing.assert_close(made[name], value, atol=1e-7 if name == "mixture" else 0, rtol=0)


@pytest.mark.parametrize("workers", [0, 2])
def test_training_is_the_same_wherever_the_items_are_made(capsys, workers):
    ends = []
    for hold in (False, True):
        capsys.readouterr()
        torch.manual_seed(0)
        system = create("unet", widths=(4, 8))
        data = Mixtures(songs(), seconds=0.2, length=8)
        fields = {"steps": 5, "batch_size": 2, "device": "cpu", "workers": 0 if hold else workers}
        history = train(system, data, None, TrainConfig(**fields, hold_tracks=hold))
        said = capsys.readouterr()
        assert ("all 4 tracks are held there" in said.out + said.err) is hold
        ends.append((history.losses, system))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-4)


def test_a_broken_song_is_told_as_ever(monkeypatch):
    class Breaks(Mixtures):
        def draw(self, index):
            if index == 5:
                raise OSError("the cable is out")
            return super().draw(index)

    system = create("unet", widths=(4, 8))
    config = TrainConfig(steps=5, batch_size=2, device="cpu", hold_tracks=True)
    with pytest.raises(OSError, match="cable"):
        train(system, Breaks(songs(), seconds=0.2, length=8), None, config, progress=False)


def test_what_fits_is_held(monkeypatch):
    data, card = Mixtures(songs(), seconds=0.2), torch.device("cuda", 0)
    size = 4 * 4 * sum(max(song.length, 3200) + 3200 for song in songs())
    assert Held(data, CPU.device).samples.nbytes == size
    for free, there in ((2 * size + 1, True), (2 * size, False), (0, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, 10 * size))
        assert fits(data, card, None) is there
        assert fits(data, card, True) and not fits(data, card, False)
    assert not fits(data, CPU.device, None) and fits(data, CPU.device, True)
    system = create("unet", widths=(4, 8))
    assert not fits(Synthetic(system), card, True), "a data set that cannot say what an item is made of"


@pytest.mark.parametrize("hold", [True, False])
def test_prepare_sees_batches_as_the_step_does(hold):
    """Selected, on the device, every item once, the same in every process."""
    system = create("unet", widths=(4, 8), source_names=("bass", "vocals"))
    data = Mixtures(songs(), seconds=0.1, length=7)
    config = TrainConfig(batch_size=2, hold_tracks=hold)
    for rank in (0, 1):
        batches = Batches(system, data, config, CPU, World(rank, rank, 2))
        seen = list(batches)
        assert len(seen) == len(batches) == 2 and [len(batch["mixture"]) for batch in seen] == [4, 3]
        for i, item in enumerate(data):
            batch = seen[i // 4]
            assert torch.equal(batch["sources"][i % 4], item["sources"][[2, 0]])
            torch.testing.assert_close(batch["mixture"][i % 4], item["mixture"])


def test_the_next_items_are_drawn_meanwhile_in_order_and_the_thread_ends():
    drawn = []
    numbers = (drawn.append(i) or i + 1 for i in range(5))
    ahead = batches._ahead(numbers)
    assert next(ahead) == 1
    assert list(ahead) == [2, 3, 4, 5] and drawn == [0, 1, 2, 3, 4]
    broken = batches._ahead(iter([1]))
    next(broken)
    broken.close()
    assert _held.SHARE < 1
