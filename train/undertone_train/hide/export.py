"""Hands the hider's trained networks to the C runtime: safetensors, as src/stage/hide/guide.h and inn.h read them."""
from safetensors.torch import save_file

FORMAT = "1"


def _tensors(prefix, module):
    tensors = {prefix + name: t.detach().float().cpu().contiguous().clone() for name, t in module.state_dict().items()}
    for name, t in tensors.items():
        if not t.isfinite().all() or t.abs().max() > 1000:
            raise ValueError(f"{name} holds values that the runtime refuses: not finite, or beyond 1000")
    return tensors


def _sizes(condition):
    return {"width": str(condition.inp.out_channels), "blocks": str(len(condition.blocks)), "format": FORMAT}


def export_guide(model, path):
    """model: Condition with 64 outputs; weight = exp(3 tanh(output))."""
    save_file(_tensors("guide.", model), path, {"kind": "guide", **_sizes(model)})


def export_inn(couplings, trust, path):
    """couplings: Conditions with 128 outputs (scale, shift), in the order of the forward direction; trust: a Condition with 64."""
    tensors = _tensors("trust.", trust)
    for i, c in enumerate(couplings):
        tensors |= _tensors(f"couplings.{i}.", c)
    save_file(tensors, path, {"kind": "inn", "couplings": str(len(couplings)), **_sizes(couplings[0])})
