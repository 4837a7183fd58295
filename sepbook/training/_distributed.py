"""Several processes, one run: who am I, and what do we all agree on?

torchrun starts the processes and tells each of them its place. One machine with four cards::

    torchrun --standalone --nproc-per-node 4 -m sepbook.cli train unet --out run

Several machines: each starts its own processes, and all meet at the address of the first. With SLURM, two machines::

    srun --nodes 2 --ntasks-per-node 1 torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d
        --rdzv-id "$SLURM_JOB_ID" --rdzv-endpoint "$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1):29500"
        -m sepbook.cli train unet --out run

Each process takes items of its own, `batch_size` of them. Gradients are averaged, so all take the same step. What has
to be decided is decided by the first process and told to all. The output folder has to be one that all machines see.
"""

import json
import os
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn

from sepbook.training.config import TrainingError

LONGEST_WAIT = timedelta(minutes=60)  # for another process, while it validates: then this one ends with an error


@dataclass(frozen=True)
class World:
    """This process among all processes of a run. Alone, it is rank 0 of 1.

    Numbers and words travel between the processors' memories; only weights and gradients go from card to card.
    """

    rank: int = 0
    local: int = 0  # number on this machine: which card to take
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process reports, validates and writes for all."""
        return self.rank == 0

    def mean(self, value: float) -> float:
        """The mean over all processes; NaN in one is NaN in all."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64)
        distributed.all_reduce(total)
        return total.item() / self.size

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process; all of them must ask."""
        return self.mean(float(flag)) > 0

    def tell(self, value):
        """Return the first process's value in all: what JSON can hold."""
        return self.gather(value if self.first else None)[0]

    def gather(self, value) -> list:
        """Return the values of all processes, in order, to all: what JSON can hold."""
        if self.size == 1:
            return [value]
        text = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        distributed.all_gather(lengths, torch.tensor([len(text)]))
        longest = max(length.item() for length in lengths)
        texts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
        distributed.all_gather(texts, nn.functional.pad(text, (0, longest - len(text))))
        return [json.loads(bytes(t[:n].tolist())) for t, n in zip(texts, lengths, strict=True)]

    def lead(self, action):
        """Let the first process act for all: its answer is returned in all, its error ends all."""
        answer, error = None, None
        if self.first:
            try:
                answer = action()
            except Exception as refused:
                error = refused
        told = self.tell([answer, None if error is None else f"{type(error).__name__}: {error}"])
        if error is not None:
            raise error
        if told[1] is not None:
            raise TrainingError(f"the first process had to stop: {told[1]}")
        return answer if self.first else told[0]

    @torch.no_grad()
    def share(self, module: nn.Module) -> None:
        """Give all processes the weights and buffers of the first."""
        if self.size > 1:
            for value in module.state_dict().values():
                distributed.broadcast(value, 0)

    def join(self, device: torch.device) -> None:
        """Meet the other processes. Where one of them ends, the others end with an error at the next exchange."""
        if self.size > 1 and not distributed.is_initialized():
            backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
            distributed.init_process_group(backend, timeout=LONGEST_WAIT)


def find() -> World:
    """Read this process's place from torchrun's environment. Raises TrainingError where that makes no sense."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
    try:
        rank, local, size = (int(os.environ.get(name, default)) for name, default in zip(names, (0, 0, 1), strict=True))
    except ValueError:
        rank, local, size = -1, -1, -1
    if not (0 <= rank < size and local >= 0):
        given = ", ".join(f"{name}={os.environ.get(name)}" for name in names)
        raise TrainingError(f"the environment says {given}: start several processes with torchrun, which sets these")
    return World(rank, local, size) if size > 1 else World()
