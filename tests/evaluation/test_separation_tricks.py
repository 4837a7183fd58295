"""What may be done at the time of a test: a fade over all of an overlap, and the mean over shifts."""

import pytest
import torch

from sepbook.evaluation import separation
from sepbook.evaluation.separation import separate
from tests.evaluation.test_separation import Halves, Shuffled, sound


class Gridded(Halves):
    """The same, but its estimates are off by what depends on the place in a stride, and cancels over half of one."""

    def forward(self, mixture):
        found = super().forward(mixture)
        error = torch.tensor([1.0, 1.0, -1.0, -1.0])[torch.arange(mixture.shape[-1]) % 4]
        return found + 0.1 * error


class Numbered(Halves):
    """The same, but all that it says is how many chunks it has heard."""

    def forward(self, mixture):
        return torch.full_like(super().forward(mixture), len(self.seen))


def test_a_triangle_fades_over_all_of_an_overlap():
    found = {fade: separate(Numbered(), sound(), 8000, 1.25, 0.4, fade=fade)[0, 0] for fade in separation.FADES}
    gain = found["triangle"][0]  # the level of the song, undone
    second = {fade: x[6000:10000] / gain - 1 for fade, x in found.items()}  # the weight of the second chunk
    torch.testing.assert_close(second["triangle"], (torch.arange(4000) + 0.5) / 4000, atol=1e-4, rtol=0)
    assert second["middle"][:1600].abs().max() < 1e-4 and (second["middle"][2400:] - 1).abs().max() < 1e-4


def test_shifts_average_what_depends_on_the_grid():
    samples, system = sound(), Gridded(stride=4)
    truth = separate(Halves(), samples, 8000)
    off = [(separate(system, samples, 8000, shifts=shifts) - truth).abs().max() for shifts in (1, 2, 4)]
    assert off[0] > 0.01 and max(off[1:]) < 1e-6
    assert [separation.shift_offsets(system, n) for n in (1, 2, 3, 9)] == [[0], [0, 2], [0, 1, 2], [0, 1, 2, 3]]
    assert separation.shift_offsets(Halves(stride=1), 5) == [0], "its grid is the same everywhere"


def test_shifts_of_estimates_in_any_order_are_matched():
    system = Shuffled(stride=100, reach=20)
    found = separate(system, sound(), 8000, shifts=4)
    one = separate(Halves(stride=100, reach=20), sound(), 8000)
    found = found if (found[0] - one[0]).norm() < (found[1] - one[0]).norm() else found.flip(0)
    assert len(system.seen) == 4
    torch.testing.assert_close(found[..., 20:], one[..., 20:], atol=1e-5, rtol=0)  # zeros stand before the shifted


def test_shifts_and_chunks_go_together():
    samples, system = sound(N=20000), Gridded(stride=4)
    found = separate(system, samples, 8000, 0.5, 0.25, fade="triangle", shifts=2)
    torch.testing.assert_close(found, separate(Halves(), samples, 8000), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shifts", [0, -1, 1.5, True, "2"])
def test_a_number_of_shifts_that_is_none_is_refused(shifts):
    with pytest.raises(ValueError, match="shifts is .*; choose a whole number of 1 or more"):
        separate(Halves(), sound(), 8000, shifts=shifts)


def test_a_fade_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="fade is 'square'; choose one of middle, triangle"):
        separate(Halves(), sound(), 8000, fade="square")
