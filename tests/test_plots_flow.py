"""Diagrams of whole models: everything is drawn, nothing overlaps, and words say the same."""

import dataclasses
import itertools

import matplotlib
import pytest
import torch
from torch import nn

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.patches import FancyBboxPatch  # noqa: E402

from sepbook import architectures, plots, shapes  # noqa: E402
from sepbook.plots.flow import WIDTH  # noqa: E402
from sepbook.shapes.graph import graph  # noqa: E402
from tests.networks import NETWORKS, traced  # noqa: E402


@pytest.fixture(params=NETWORKS)
def trace(request):
    yield traced(request.param)
    plt.close("all")


def places(ax):
    """Return the outlines of boxes and circles; frames of groups and shadows left out."""
    figure = ax.figure
    figure.canvas.draw()
    found = [p for p in ax.patches if isinstance(p, FancyBboxPatch) and p.get_zorder() == 3]
    return [patch.get_window_extent() for patch in found]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_nothing_overlaps_and_all_letters_lie_inside(trace, mode):
    with plots.styled(mode):
        ax = plots.flow(trace)
        boxes, renderer = places(ax), ax.figure.canvas.get_renderer()
        words = [text for text in ax.texts if text.get_text()]
        inside = ax.figure.bbox
        for text in words:
            extent = text.get_window_extent(renderer)
            assert inside.x0 <= extent.x0 and extent.x1 <= inside.x1, text.get_text()
            around = [box for box in boxes if box.overlaps(extent)]
            assert all(box.x0 <= extent.x0 and extent.x1 <= box.x1 for box in around), text.get_text()
        for one, other in itertools.combinations(words, 2):
            assert not one.get_window_extent(renderer).overlaps(other.get_window_extent(renderer)), one.get_text()


def test_letters_are_legible_on_a_phone(trace):
    with plots.styled():
        ax = plots.flow(trace)
    assert ax.figure.get_size_inches()[0] == WIDTH
    on_phone = 350 / (100 * WIDTH)  # a page of 390 pixels leaves 350 for a picture of WIDTH inches
    assert min(text.get_fontsize() for text in ax.texts) * 100 / 72 * on_phone >= 9


def test_every_box_is_drawn_once_and_every_shape_is_on_it(trace):
    with plots.styled():
        ax = plots.flow(trace)
    printed = "\n".join(text.get_text() for text in ax.texts)
    for box in graph(trace):
        if box.role == "part":
            name = box.row.path.split(".")[-1]
            assert name in printed and str(box.row.outputs[0].sizes[-1]) in printed
    lines = sum(len(box.sources) for box in graph(trace))
    assert sum(text.get_text() == "" and hasattr(text, "arrow_patch") for text in ax.texts) == lines


def test_words_name_every_part_its_sources_and_its_shape(trace):
    said = plots.flow_alt(trace)
    assert said.startswith(f"Diagram of {trace.calls[0].kind}, from top to bottom. Input ")
    for box in graph(trace):
        if box.role == "part":
            assert box.row.path.split(".")[-1] in said
    assert "Output" in said and "'" not in said


def test_the_words_of_one_diagram_in_full():
    assert plots.flow_alt(traced("chimera")) == (
        "Diagram of Chimera, from top to bottom. Input magnitude: C=1, F=65, T=50. "
        "norm, LayerNorm, reads magnitude and returns T=50, F=65. trunk, LSTM, reads norm and returns T=50, H=60. "
        "mask_head, Linear, reads trunk and returns T=50, (S F)=130. "
        "Output masks: S=2, C=1, F=65, T=50, from mask_head. "
        "embedding_head, Linear, reads trunk and returns T=50, (F D)=1300. "
        "Output embedding: F=65, T=50, D=20, from embedding_head."
    )


def test_words_tell_repeats_and_what_is_side_by_side():
    said = plots.flow_alt(traced("conv_tasnet"))
    assert "stacks.0…2.0…7, Block, 24 of them in turn, reads bottleneck and returns 16, 999." in said
    assert "masks.0, PReLU, reads the sum of all 24 of stacks.0…2.0…7" in said
    said = plots.flow_alt(traced("per_target"))
    assert said.count("once for each of vocals, drums, bass, other") == 1
    assert said.endswith("from the concatenation of all 4 of the product of magnitude and expand.")


def test_repeats_groups_and_recurrent_parts_are_marked():
    def printed(name):
        with plots.styled():
            return [text.get_text() for text in plots.flow(traced(name)).texts]

    assert "stacks.0…2.0…7 · Block × 3 × 8" in printed("conv_tasnet") and "all 24" in printed("conv_tasnet")
    assert "4 side by side: vocals, drums, bass, other" in printed("per_target")
    assert "↻ trunk · LSTM" in printed("chimera")


@pytest.mark.parametrize("name", ["deep_clustering", "danet"])
def test_a_system_that_clusters_is_drawn_without_the_steps_of_its_clustering(name):
    torch.manual_seed(0)
    said = plots.flow_alt(shapes.trace(architectures.create(name, "tiny"), torch.randn(1, 1, 600)))
    assert "masking, reads stft and the combination of head and stft and returns" in said
    assert said.count("combination") == 1


def test_a_model_that_returns_nothing_cannot_be_drawn():
    class Silent(nn.Module):
        def forward(self, x):
            return None

    with pytest.raises(ValueError, match="Silent returned no tensor"):
        plots.flow(shapes.trace(Silent(), torch.zeros(2, 3)))


def test_a_diagram_can_be_drawn_into_given_axes_with_a_title():
    figure, ax = plt.subplots()
    assert plots.flow(traced("residual"), ax=ax, title="Six blocks") is ax
    assert "Six blocks" in [text.get_text() for text in ax.texts]
    plt.close(figure)


def test_a_head_that_is_left_out_is_no_box():
    """It returns a tensor without values: nothing to draw, and no box without an arrow."""
    from sepbook.architectures import unet_joint

    config = dataclasses.replace(unet_joint.PRESETS["tiny"], pitch=0.0)
    with torch.device("meta"):
        magnitude = torch.zeros(1, config.channels, config.n_fft // 2, 128)
        boxes = graph(shapes.trace(unet_joint.JointUNet(config).eval(), magnitude))
    assert [box.name for box in boxes if box.role == "output"] == ["masks", "voice"]
