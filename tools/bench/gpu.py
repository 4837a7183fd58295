"""One step of the small U-Net on a card, in each format, and what `train` makes of it.

A step is forward, backward, clipping and Adam on items of three seconds that are on the card already: the median of
some steps, each waited for. Skipped where there is no card.
"""

import time
from statistics import median

import torch
from torch.nn.utils import clip_grad_norm_

from sepbook.architectures import create
from sepbook.data.corpus import songs
from sepbook.data.mixing import Mixtures
from sepbook.training.config import TrainConfig
from sepbook.training.descent import make_optimizer
from sepbook.training.device import Device, choose
from sepbook.training.loop import train
from sepbook.training.parts import Parts

SECONDS, WARM, MEASURED, BATCHES = 3.0, 10, 50, (8, 64)
RATE = 1e-3

# name: number format, TF32 in convolutions and products, fused Adam, compile
WAYS = {
    "float32_tf32": ("float32", True, True, False),
    "float32_tf32_unfused": ("float32", True, False, False),
    "float32_exact": ("float32", False, True, False),
    "bfloat16": ("bfloat16", True, True, False),
    "float16": ("float16", True, True, False),
    "bfloat16_compiled": ("bfloat16", True, True, True),
    "bfloat16_graphs": ("bfloat16", True, True, "graphs"),
    "float32_graphs": ("float32", True, True, "graphs"),
}


def step_seconds(batch_size: int, precision: str, tf32: bool, fused: bool, compile: bool | str) -> float:
    """Median seconds of a step."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    found = choose("cuda", precision=precision)
    device = Device(found.device, found.dtype, found.scaler, found.reason, tf32 and found.tf32)
    torch.backends.cudnn.allow_tf32 = tf32
    system = create("unet").to(device.device).train()
    sources = 0.1 * torch.randn(batch_size, 4, 1, round(SECONDS * system.sample_rate), device=device.device)
    mixture, parts = sources.sum(1), Parts(system, device, compile)
    optimizer = make_optimizer(system, TrainConfig(learning_rate=RATE))
    for group in optimizer.param_groups:
        group["fused"] = fused
    scaler, times = torch.amp.GradScaler("cuda", enabled=device.scaler), []
    with device.ready():
        for number in range(WARM + MEASURED):
            torch.cuda.synchronize()
            start = time.perf_counter()
            with parts.in_use():
                loss = system.loss(mixture, sources)["loss"]
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            clip_grad_norm_(system.parameters(), 5.0)
            scaler.step(optimizer)
            scaler.update()
            torch.cuda.synchronize()
            if number >= WARM:
                times.append(time.perf_counter() - start)
    torch.backends.cudnn.allow_tf32 = True
    return median(times)


def through_the_loop(batch_size: int, steps: int = 200, **fields) -> dict:
    """Seconds of mixture per second through `train`, and the part of the time that the card waited."""
    torch.manual_seed(0)
    system = create("unet")
    data = Mixtures(songs("train"), SECONDS, length=steps * batch_size)
    config = TrainConfig(steps=steps, batch_size=batch_size, learning_rate=RATE, device="cuda", **fields)
    row = train(system, data, None, config, progress=False).rows[-1]
    return {"audio_per_second": row["audio_per_second"], "waited": row["waited"]}


def compile_and_validate(steps: int = 20) -> float:
    """Seconds of a short compiled run that validates items of another length."""
    torch._dynamo.reset()
    system = create("unet")
    start = time.perf_counter()
    data, valid = Mixtures(songs("train"), SECONDS, length=80), Mixtures(songs("valid"), 5.0, length=8)
    config = TrainConfig(steps=steps, batch_size=8, device="cuda", compile=True)
    train(system, data, valid, config, progress=False)
    return time.perf_counter() - start


def run() -> dict:
    if not torch.cuda.is_available():
        print("   there is no card: skipped")
        return {"skipped": "there was no card"}
    found = {"card": torch.cuda.get_device_name(0), "torch": torch.__version__, "reason": choose("cuda").reason}
    for batch_size in BATCHES:
        for name, (precision, tf32, fused, compile) in WAYS.items():
            if precision == "bfloat16" and not torch.cuda.is_bf16_supported(including_emulation=False):
                continue
            seconds = step_seconds(batch_size, precision, tf32, fused, compile)
            found[f"batch_{batch_size}_{name}_milliseconds"] = 1e3 * seconds
        bare = batch_size * SECONDS / step_seconds(batch_size, *WAYS["float32_tf32"])
        for name, fields in {
            "held": {"hold_tracks": True, "precision": "float32"},
            "workers_0": {"hold_tracks": False, "precision": "float32"},
            "workers_8": {"hold_tracks": False, "precision": "float32", "workers": 8},
        }.items():
            for key, value in through_the_loop(batch_size, **fields).items():
                found[f"batch_{batch_size}_train_{name}_{key}"] = value
        found[f"batch_{batch_size}_bare_audio_per_second"] = bare
        loop = found[f"batch_{batch_size}_train_held_audio_per_second"]
        found[f"batch_{batch_size}_train_to_bare_ratio"] = loop / bare
    found["compile_and_validate_seconds"] = compile_and_validate()
    found["peak_gigabytes"] = torch.cuda.max_memory_allocated() / 1e9
    return found
