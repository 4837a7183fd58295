"""All tracks of a data set in the memory of the device: items are cut out, made louder or softer, and added up there.

Which places and which gains is still drawn by the data set from (seed, number of the item), so an item is the same
wherever it is made. The built-in corpus takes about 0.2 GB.
"""

import torch
from torch import Tensor

FLOAT = 4  # bytes of a sample
SHARE = 0.5  # of the card's free memory that tracks may take


def fits(data, device: torch.device, wanted: bool | None) -> bool:
    """Whether the tracks of a data set shall be held: those of `sepbook.data.mixing.Mixtures` can be."""
    if wanted is False or not all(hasattr(data, name) for name in ("draw", "labels_at", "tracks", "samples")):
        return False
    if wanted or device.type != "cuda":
        return bool(wanted)
    return _size(data) * len(data.source_names) * data.channels * FLOAT < SHARE * torch.cuda.mem_get_info(device)[0]


def _size(data) -> int:
    return sum(max(track.length, data.samples) + data.samples for track in data.tracks)


class Held:
    """Makes the items of a data set on the device, many at once."""

    def __init__(self, data, device: torch.device):
        self.data, self.device = data, device
        S, C, N = len(data.source_names), data.channels, data.samples
        self.samples = torch.zeros(S, C, _size(data), device=device)  # one track after the other, zeros between
        self.starts, at = [], 0
        for track in data.tracks:
            self.starts.append(at)
            self.samples[:, :, at : at + track.length] = track.sources(data.source_names).to(device)
            at += max(track.length, N) + N
        self.stem = torch.arange(S, device=device).view(1, S, 1, 1)
        self.channel = torch.arange(C, device=device).view(1, 1, C, 1)
        self.offset = torch.arange(N, device=device)

    def draw(self, numbers) -> dict[str, Tensor]:
        """Say what the items of a batch are: first samples `(B, S)`, gains `(B, S)`, and their labels."""
        drawn = [self.data.draw(number) for number in numbers]
        first = [[self.starts[track] + start for track, start in places] for places, _ in drawn]
        labels = [self.data.labels_at(places) for places, _ in drawn]
        return {
            "first": torch.tensor(first),
            "gains": torch.stack([torch.from_numpy(gains) for _, gains in drawn]),
            **{name: torch.stack([label[name] for label in labels]) for name in labels[0]},
        }

    def make(self, drawn: dict[str, Tensor]) -> dict[str, Tensor]:
        """Cut, scale and add: `{"mixture": (B, C, N), "sources": (B, S, C, N), …}` on the device."""
        drawn = {name: value.to(self.device) for name, value in drawn.items()}
        first, gains = drawn.pop("first"), drawn.pop("gains")
        place = first[:, :, None, None] + self.offset  # (B, S, 1, N)
        sources = self.samples[self.stem, self.channel, place] * gains[:, :, None, None]  # (B, S, C, N)
        return {"mixture": sources.sum(1), "sources": sources, **drawn}
