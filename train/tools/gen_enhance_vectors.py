"""Writes tests/vectors/enhance: tiny models and what they make of two clips, for tests/unit/test_enhance_net.c.

    python tools/gen_enhance_vectors.py [FOLDER]

NAME.safetensors is a model; NAME.trace.safetensors holds "in" and, under the names of src/stage/enhance/net.c, every intermediate result, then "long.in"
and "long.wave" of a clip that spans several blocks.  Computed in double precision by tests/reference.py from the numbers in the file."""
import sys
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests"), str(Path(__file__).resolve().parents[1])]
from conftest import voice  # noqa: E402
from random_model import worn  # noqa: E402
from reference import enhance  # noqa: E402

from undertone_train import export  # noqa: E402
from undertone_train.dccrn import ModelConfig  # noqa: E402

TINY = dict(n_fft=32, win_length=32, hop=8, channels=[16, 16], lstm_hidden=3)
MODELS = {
    "e-plain": dict(variant="E", norm="plain"),
    "e-whitening": dict(variant="E", norm="whitening"),
    "cl-plain": dict(variant="CL", norm="plain", win_length=25, hop=7),
    "cl-whitening": dict(variant="CL", norm="whitening", lookahead=False),
    "offline-plain": dict(variant="offline", norm="plain"),
    "offline-whitening": dict(variant="offline", norm="whitening", channels=[6, 10, 4], lstm_hidden=17, lstm_layers=1),
}


def write(folder, name, config, f16):
    path = folder / f"{name}.safetensors"
    export.write_model(path, worn(config, 7), f16=f16)
    config, t = export.read_model(path)
    loud = voice(1, 3)
    at = int(np.abs(loud).argmax())
    out = {"in": torch.from_numpy(loud[at - 30 : at + 45].copy()), "long.in": torch.from_numpy(loud[at - 800 : at + 801].copy())}
    with torch.inference_mode():
        trace = {}
        trace["wave"] = enhance(t, config.to_dict(), out["in"].double(), trace)
        trace["long.wave"] = enhance(t, config.to_dict(), out["long.in"].double())
    out |= {k: v.float().contiguous() for k, v in trace.items()}
    export.write_safetensors(folder / f"{name}.trace.safetensors", out, dict(format="undertone-trace-1"))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "tests" / "vectors" / "enhance"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, changes in MODELS.items():
        write(folder, name, ModelConfig(**TINY | changes), f16=name != "offline-plain")
    print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir())} bytes in {len(list(folder.iterdir()))} files")


if __name__ == "__main__":
    main()
