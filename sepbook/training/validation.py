"""How good is the system on data that it does not train on?

Validation follows the rules of `sepbook.evaluation.metrics`, on short items and in the middle of a training.

Taught on: book/training/loop
"""

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sepbook.architectures.base import System
from sepbook.losses.permutation import best_permutation, pairwise, reorder
from sepbook.losses.silence import SILENCE, is_silent
from sepbook.losses.waveform import si_sdr_loss
from sepbook.training.batches import select
from sepbook.training.device import Device

LIMIT_DB = 100.0  # no score is above this or below minus this, as in evaluation.metrics


@torch.no_grad()
def validate(system: System, valid, device: Device, batch_size: int) -> dict[str, float]:
    """Loss, and mean SI-SDR improvement in dB over the untouched mixture, of a whole data set.

    Left out are silent sources, and those that the mixture already is: there is nothing to gain. Where that leaves
    nothing, there is no improvement in the answer. Taught on: book/training/loop
    """
    system.eval()
    losses, gains = [], []
    for batch in DataLoader(valid, batch_size=max(1, batch_size // 2)):
        batch = device.move(select(batch, valid, system))
        mixture, sources = batch["mixture"], batch["sources"]
        losses += [system.loss(**batch)["loss"].item()] * len(mixture)
        inputs = {k: v for k, v in batch.items() if k not in ("mixture", "sources")}
        estimates = system(mixture, **inputs)  # (B, S, C, N)
        if not system.ordered:
            costs = pairwise(si_sdr_loss, estimates, sources)  # (B, S, S)
            estimates = reorder(estimates, best_permutation(costs, silent=is_silent(sources)))
        gain = improvement(estimates, sources, mixture)  # (B, S)
        gains += gain[~gain.isnan()].tolist()
    result = {"valid_loss": sum(losses) / len(losses)}
    return result | ({"valid_si_sdr_improvement": sum(gains) / len(gains)} if gains else {})


def improvement(estimates: Tensor, sources: Tensor, mixture: Tensor) -> Tensor:
    """SI-SDR of the estimates minus that of the mixture: `(B, S, C, N), (B, S, C, N), (B, C, N) -> (B, S)` in dB.

    NaN where a source is silent, and where the mixture is the source. Taught on: book/training/loop
    """
    before = _si_sdr(mixture.unsqueeze(1).expand_as(sources), sources)
    return _si_sdr(estimates, sources) - torch.where(before < LIMIT_DB, before, torch.nan)


def _si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Score in float64, with no epsilon: only the finished ratio is held within ±100 dB."""
    x_hat, x = (v.cpu().double().flatten(-2) for v in (estimates, sources))  # (B, S, C · N); no card is as exact
    product, energy = (x_hat * x).sum(-1), x.square().sum(-1)
    target = product.square() / energy.clamp(min=1e-300)
    rest = (x_hat.square().sum(-1) - target).clamp(min=0.0)
    most = 10 ** (LIMIT_DB / 10)
    decibels = 10 * (target / rest).clamp(1 / most, most).log10()
    decibels = torch.where(target > 0, decibels, -LIMIT_DB)  # 0 / 0: the estimate is silent
    return torch.where(energy > SILENCE * x.shape[-1], decibels, torch.nan)
