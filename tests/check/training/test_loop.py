"""The exercises on the loop: a plain one, what is in its file, and going on from it."""

import copy
import io

import numpy as np
import torch
from torch.utils.data import default_collate

from sepbook.training.checkpoint import flatten_optimizer, unflatten_optimizer
from tests.check.tables import *  # noqa: F403


def plain(
    first=lambda step, B: step * B, adam=True, clear=True, mode=True, seed=lambda seed: seed, rate=None, size=None,
    more=0, each=False, new=False, apart=False, late=False, give=lambda system: system.eval(),
):  # fmt: skip
    """Return an answer to exercise 1, with some of its usual mistakes."""

    def train(system, data, steps, batch_size, lr, number):
        if seed is not None:
            torch.manual_seed(seed(number))
        system.train(mode)
        kind = torch.optim.Adam if adam else torch.optim.SGD
        lr, B = rate or lr, size or batch_size
        optimizer = kind(system.parameters(), lr=lr)
        for step in range(steps + more):
            if each:
                torch.manual_seed(number)
            if new:
                optimizer = kind(system.parameters(), lr=lr)
            items = [data[i] for i in range(first(step, B), first(step, B) + B)]
            for part in [[item] for item in items] if apart else [items]:
                loss = system.loss(**default_collate(part))["loss"]
                if clear and not late:
                    optimizer.zero_grad()
                loss.backward()
                if late:
                    optimizer.zero_grad()
                optimizer.step()
        return give(system)

    return train


def plain_by_stack(system, data, steps, batch_size, rate, seed):
    """Batches by torch.stack, an endless counter, the slopes cleared at the end."""
    system.train()
    optimizer, i = torch.optim.Adam([{"params": system.parameters()}], rate, foreach=False), 0
    torch.manual_seed(seed)
    while i < steps * batch_size:
        items = [data[i + j] for j in range(batch_size)]
        i += batch_size
        mixture, sources = (torch.stack([item[name] for item in items]) for name in ("mixture", "sources"))
        system.loss(mixture, sources)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    system.train(False)
    return system


def plain_by_hand(system, data, steps, batch_size, rate, seed):
    """Adam from its formula."""
    system.train()
    weights = list(system.parameters())
    m, v = ([torch.zeros_like(w) for w in weights] for _ in range(2))
    torch.manual_seed(seed)
    for k in range(1, steps + 1):
        batch = default_collate([data[i] for i in np.arange(batch_size) + (k - 1) * batch_size])
        slopes = torch.autograd.grad(system.loss(batch["mixture"], batch["sources"])["loss"], weights)
        with torch.no_grad():
            for w, g, a, b in zip(weights, slopes, m, v, strict=True):
                a.lerp_(g, 0.1), b.lerp_(g * g, 0.001)
                w -= rate * (a / (1 - 0.9**k)) / ((b / (1 - 0.999**k)).sqrt() + 1e-8)
    return system.eval()


def plain_in_a_copy(system, *inputs):
    """The system that came in stays as it is."""
    return plain()(copy.deepcopy(system), *inputs)


def pack(network, optimizer, step):
    kept = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    return copy.deepcopy(kept) | {"random": torch.get_rng_state(), "step": step}


def unpack(network, optimizer, kept):
    network.load_state_dict(kept["network"])
    optimizer.load_state_dict(kept["optimizer"])
    torch.set_rng_state(kept["random"])
    return kept["step"]


def pack_bytes(network, optimizer, step):
    file = io.BytesIO()
    torch.save([network.state_dict(), optimizer.state_dict(), torch.get_rng_state(), step], file)
    return file.getvalue()


def unpack_bytes(network, optimizer, kept):
    weights, memory, random, step = torch.load(io.BytesIO(kept), weights_only=True)
    network.load_state_dict(weights), optimizer.load_state_dict(memory), torch.random.set_rng_state(random)
    return torch.tensor(step)


def pack_flat(network, optimizer, step):
    tensors, rest = flatten_optimizer(optimizer)
    tensors |= {f"network.{name}": value for name, value in network.state_dict().items()}
    return {name: value.clone() for name, value in tensors.items()}, copy.deepcopy(rest), torch.get_rng_state(), step


def unpack_flat(network, optimizer, kept):
    tensors, rest, random, step = kept
    network.load_state_dict({k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")})
    unflatten_optimizer(optimizer, {k: v for k, v in tensors.items() if k.startswith("optimizer.")}, rest)
    torch.set_rng_state(random)
    return np.int64(step)


def pack_numpy(network, optimizer, step):
    """Weights as arrays."""
    arrays = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    return {**pack(network, optimizer, step), "network": arrays}


def unpack_numpy(network, optimizer, kept):
    weights = {name: torch.as_tensor(value) for name, value in kept["network"].items()}
    return float(unpack(network, optimizer, {**kept, "network": weights}))


def without(*parts):
    """Return unpack, with some parts left out."""

    def forgets(network, optimizer, kept):
        if "network" not in parts:
            network.load_state_dict(kept["network"])
        if "buffers" in parts:
            torch.nn.modules.batchnorm._NormBase.reset_running_stats(network[1])
        if "optimizer" not in parts:
            optimizer.load_state_dict(kept["optimizer"])
        if "rate" in parts:
            optimizer.param_groups[0]["lr"] = 0.5
        if "random" not in parts:
            torch.set_rng_state(kept["random"])
        if "seed" in parts:
            torch.manual_seed(0)
        return kept["step"] + ("late" in parts)

    return forgets


def aliased(*parts):
    """Return pack, with some parts not copied."""
    return lambda network, optimizer, step: {
        **pack(network, optimizer, step),
        **({"network": network.state_dict()} if "network" in parts else {}),
        **({"optimizer": optimizer.state_dict()} if "optimizer" in parts else {}),
    }


def pack_tired(network, optimizer, step):
    """It takes a step on the way."""
    with torch.no_grad():
        network[0].weight.mul_(0.9)
    return pack(network, optimizer, step)


RIGHT = [
    (1, plain()),
    (1, plain_by_stack),
    (1, plain_by_hand),
    (1, plain_in_a_copy),
    (4, (1, 3, 4)),
    (4, [1.0, 3.0, 4.0]),
    (4, np.array([1, 3, 4])),
    (4, torch.tensor([1, 3, 4])),
    (5, (pack, unpack)),
    (5, (pack_bytes, unpack_bytes)),
    (5, (pack_flat, unpack_flat)),
    (5, (pack_numpy, unpack_numpy)),
]
WRONG = [
    (1, plain(clear=False), "no slope is cleared"),
    (1, plain(late=True), "nothing was learned"),
    (1, plain(first=lambda step, B: step), "begins one item after the last one"),
    (1, plain(first=lambda step, B: 0), "every step sees the same items"),
    (1, plain(first=lambda step, B: step * B + 1), "items count from 1 here"),
    (1, plain(mode=False), "the system stays in eval mode"),
    (1, plain(seed=None), "the seed is not set"),
    (1, plain(seed=lambda seed: 0), "0 is used as the seed"),
    (1, plain(each=True), "the seed is set in every step"),
    (1, plain(adam=False), "it steps with SGD"),
    (1, plain(rate=1e-3), "Adam has its own usual rate"),
    (1, plain(size=4), "4 stands in the lines"),
    (1, plain(more=-1), "one step too few"),
    (1, plain(more=1), "one step too many"),
    (1, plain(new=True), "a new optimiser is made in each step"),
    (1, plain(apart=True), "each item is a step by itself"),
    (1, plain(give=lambda system: system.train()), "comes back in training mode"),
    (1, plain(give=lambda system: None), "returned nothing"),
    (1, plain(give=lambda system: 0.3), "should return the system"),
    (4, (2, 4, 5), "makes them anew in each step"),
    (4, (1, 2, 3), "Adam keeps two averages"),
    (4, (1, 3, 3), "a second set of weights"),
    (4, (1, 1, 1), "Only the weights are counted"),
    (4, (1, 1, 2), "memory is missing"),
    (4, (2, 3, 4), "Only the weights themselves are left"),
    (4, (1, 3, 6), "average of the weights is not trained"),
    (4, (4, 12, 16), "These are bytes"),
    (4, (0, 2, 3), "The weights themselves are missing"),
    (4, (1, 3, 5), "one more set of weights, not two"),
    (4, (1, 3), "but three runs"),
    (5, (pack, without("network")), "the weights are not brought back"),
    (5, (pack, without("buffers")), "the statistics of batch norm are not"),
    (5, (pack, without("optimizer")), "Adam begins again"),
    (5, (pack, without("rate")), "has kept its own rate"),
    (5, (pack, without("random")), "dropout draws other numbers now"),
    (5, (pack, without("seed")), "dropout draws other numbers now"),
    (5, (pack, without("late")), "steps count from 0"),
    (5, (pack, lambda *x: [unpack(*x)]), "should return the number of the step"),
    (5, (pack, lambda *x: (unpack(*x), None)[1]), "returned nothing"),
    (5, (aliased("network"), unpack), "the weights themselves, not copies"),
    (5, (aliased("optimizer"), unpack), "averages of the optimiser themselves"),
    (5, (pack_tired, unpack), "It should only look"),
]
