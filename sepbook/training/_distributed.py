"""The few lines that several processes need: who am I, and do we all agree?"""

import os
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class World:
    """This process among all processes of a run. Alone, it is rank 0 of 1."""

    rank: int = 0
    local: int = 0  # number on this machine: which card to take
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process reports, validates and writes for all."""
        return self.rank == 0

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether the flag is up in any process; all of them must ask."""
        if self.size == 1:
            return flag
        total = torch.tensor(float(flag), device=device)
        distributed.all_reduce(total)
        return total.item() > 0

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.size > 1:
            distributed.barrier()


def join() -> World:
    """Read torchrun's environment and join the other processes, if there are any."""
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        return World()
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return World(distributed.get_rank(), int(os.environ.get("LOCAL_RANK", 0)), size)
