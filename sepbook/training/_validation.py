"""How good is the system on data that it does not train on?"""

import torch
from torch.utils.data import DataLoader

from sepbook.architectures.base import System
from sepbook.losses.permutation import best_permutation, pairwise, reorder
from sepbook.losses.waveform import si_sdr, si_sdr_loss
from sepbook.training._batches import select
from sepbook.training.device import Device

SILENT = 1e-7  # mean energy per sample below which a source counts as silent (-70 dB) and is not scored
WORST_DB = -100.0  # what an estimate of pure silence scores, as in evaluation.metrics


@torch.no_grad()
def validate(system: System, valid, device: Device, batch_size: int) -> dict[str, float]:
    """Loss and mean SI-SDR improvement in dB over a data set; silent sources are left out.

    Taught on: book/training/loop
    """
    system.eval()
    losses, gains = [], []
    for batch in DataLoader(valid, batch_size=max(1, batch_size // 2)):
        batch = device.move(select(batch, valid, system))
        mixture, sources = batch["mixture"], batch["sources"]
        losses.append(system.loss(**batch)["loss"].item())
        inputs = {k: v for k, v in batch.items() if k not in ("mixture", "sources")}
        estimates = system(mixture, **inputs)  # (B, S, C, N)
        if not system.ordered:
            estimates = reorder(estimates, best_permutation(pairwise(si_sdr_loss, estimates, sources)))
        reached = torch.where(estimates.abs().amax((-2, -1)) > 0, si_sdr(estimates, sources), WORST_DB)  # (B, S)
        gain = reached - si_sdr(mixture.unsqueeze(1).expand_as(sources), sources)  # (B, S)
        gains += gain[sources.square().mean((-2, -1)) > SILENT].tolist()
    result = {"valid_loss": sum(losses) / len(losses)}
    return result | ({"valid_si_sdr_improvement": sum(gains) / len(gains)} if gains else {})
