"""Diagrams of encoders and decoders, drawn from traces."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch  # noqa: E402

from sepbook import architectures, plots, shapes  # noqa: E402

DOWN = [(16, 256, 64), (32, 128, 32), (64, 64, 16)]
UP = [(32, 128, 32), (16, 256, 64), (1, 512, 128)]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def boxes(ax):
    """Return (x, y, width, height) of the outlined boxes, in drawing order."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch) and patch.get_alpha() is None]
    return [
        (p.get_x() + p.get_width() / 2, p.get_y() + p.get_height() / 2, p.get_width(), p.get_height()) for p in found
    ]


def arrows(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_every_shape_is_printed_and_mirrored_blocks_stand_on_one_level():
    ax = plots.ladder(DOWN, UP, input_shape=(1, 512, 128))
    printed = words(ax)
    assert [text for text in printed if text[0].isdigit()] == [
        "×".join(map(str, shape)) for shape in [(1, 512, 128), *DOWN, *UP]
    ]
    assert {"encoder", "decoder", "H×F×T"} <= set(printed)
    left, right = boxes(ax)[:4], boxes(ax)[4:]
    assert [round(y) for _, y, *_ in left] == [0, -1, -2, -3] and [round(y) for _, y, *_ in right] == [-2, -1, 0]
    assert all(x < 0 for x, *_ in left[:3]) and left[3][0] == 0 and all(x > 0 for x, *_ in right)


def test_boxes_are_as_wide_as_the_map_and_as_high_as_the_features():
    drawn = boxes(plots.ladder(DOWN, UP, input_shape=(1, 512, 128)))
    widths, heights = [box[2] for box in drawn[:4]], [box[3] for box in drawn[:4]]
    assert widths == sorted(widths, reverse=True) and heights == sorted(heights) and len(set(widths)) == 4
    assert drawn[1][2:] == pytest.approx(drawn[5][2:])  # 16×256×64 on both sides


def test_skips_cross_from_each_encoder_block_but_the_last():
    ax = plots.ladder(DOWN, UP, input_shape=(1, 512, 128))
    assert words(ax).count("skip") == 2 and len(arrows(ax)) == 6 + 2
    assert len(arrows(plots.ladder(DOWN, UP, skips=False))) == 5
    waves = plots.ladder([(24, 8192), (48, 4096)], [(24, 8192)], letters="H N", skip_label="cat")
    assert words(waves).count("cat") == 0 and "24×8192" in words(waves)


def test_impossible_ladders_are_refused():
    for down, up in (([], []), (DOWN[:1], UP)):
        with pytest.raises(ValueError, match="A ladder needs"):
            plots.ladder(down, up)


def test_a_unet_is_drawn_from_its_trace():
    with torch.device("meta"):
        model, mixture = architectures.create("unet", "small"), torch.zeros(1, 1, 4000)
    trace = shapes.trace(model, mixture)
    ax = plots.unet_diagram(trace)
    encoder = [row.output[1:] for row in trace.calls if row.path.startswith("network.encoder.") and row.depth == 3]
    assert len(encoder) == 5
    for shape in encoder:
        assert "×".join(map(str, shape)) in words(ax)
    assert words(plots.unet_diagram(model, mixture)) == words(ax)
    with pytest.raises(ValueError, match="needs a trace, or a model and a mixture"):
        plots.unet_diagram(model)
    with pytest.raises(ValueError, match="no blocks called down.0"):
        plots.unet_diagram(trace, encoder="down")


def test_a_block_is_found_at_any_depth_but_not_its_parts():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Sequential(
                torch.nn.Conv1d(1, 2, 2, 2), torch.nn.Sequential(torch.nn.Conv1d(2, 4, 2, 2))
            )
            self.decoder = torch.nn.Sequential(
                torch.nn.ConvTranspose1d(4, 2, 2, 2), torch.nn.ConvTranspose1d(2, 1, 2, 2)
            )

        def forward(self, x):
            return self.decoder(self.encoder(x))

    ax = plots.unet_diagram(Net(), torch.zeros(3, 1, 64), letters="H N")
    assert [word for word in words(ax) if word[0].isdigit()] == ["1×64", "2×32", "4×16", "2×32", "1×64"]
