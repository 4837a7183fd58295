"""Resampling of every kind, by every way to ask for it: how far it sees, against disturbances."""

import pytest
import torch
from torch.nn import functional

from sepbook.shapes.views import LARGEST
from tests.test_shapes_following import BACK, followed, shown, sound

SIZES = [{"size": size} for size in (1, 32, 48, 60, 95)]
FACTORS = [{"scale_factor": factor} for factor in (0.5, 0.75, 1.25, 2.0)]
CORNERS = [{}, {"align_corners": True}, {"align_corners": False}]
PLANES = [{"size": (3, 36)}, {"scale_factor": (2.0, 0.75)}, {"scale_factor": (1.0, 1.5)}]
KINDS = [
    *((1, "nearest", ask) for ask in SIZES + FACTORS),
    *((1, "nearest-exact", ask) for ask in SIZES + FACTORS),
    *((1, "linear", ask | corners) for ask in SIZES + FACTORS for corners in CORNERS),
    *((2, mode, ask) for mode in ("nearest", "nearest-exact") for ask in PLANES),
    *((2, mode, ask | corners) for mode in ("bilinear", "bicubic") for ask in PLANES for corners in CORNERS),
    (3, "nearest", {"size": (2, 3, 36)}),
    *((3, "trilinear", {"size": (2, 3, 36)} | corners) for corners in CORNERS),
]


def resampled(axes, mode, ask):
    """Return a network that resamples time, the last of some axes; the others are constant."""
    return lambda x: functional.interpolate(BACK(x).view(1, 2, *[1] * (axes - 1), -1), mode=mode, **ask)


@pytest.mark.parametrize(("axes", "mode", "ask"), KINDS, ids=str)
def test_it_sees_what_a_disturbance_shows(axes, mode, ask):
    network, x = resampled(axes, mode, ask), sound()
    ours, truth = followed(network, x), shown(network, x)
    assert ours is not None, "the field is lost"
    assert (ours[0] == truth[0]).all() and (ours[1] == truth[1]).all()


UNTOUCHED = {  # time is no axis that is resampled
    "time as items": lambda x: functional.interpolate(x.permute(2, 0, 1), size=5),
    "time as features": lambda x: functional.interpolate(x.mT, size=5, mode="linear"),
}


@pytest.mark.parametrize("kind", UNTOUCHED)
def test_time_elsewhere_is_as_it_was(kind):
    ours = followed(UNTOUCHED[kind], sound())
    assert ours is not None and (ours[0] == ours[1]).all()


SILENT = {  # what is mixed sees different samples, or the pattern repeats too late
    "places of a frame are resampled": lambda x: functional.interpolate(x.unfold(-1, 8, 4), size=(20, 8)),
    "items and frames in one axis": lambda x: functional.interpolate(
        BACK(x).expand(3, 2, 48).permute(1, 0, 2).reshape(1, 2, -1), size=72
    ),
    "a period too long to be followed": lambda x: functional.interpolate(BACK(x), size=LARGEST + 1)[..., :10],
    "pixel shuffle of different features": lambda x: functional.pixel_shuffle(
        torch.cat([x, x, BACK(x), BACK(x)], 1)[:, :, None], 2
    ),
}


@pytest.mark.parametrize("kind", SILENT)
def test_it_is_silent_where_it_cannot_tell(kind):
    assert followed(SILENT[kind], sound()) is None
