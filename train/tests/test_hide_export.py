"""What the C runtime is given: names, shapes and metadata (src/stage/hide/guide.h, inn.h)."""
import pytest
import torch
from safetensors import safe_open

from undertone_train.hide.condition import Condition
from undertone_train.hide.export import export_guide, export_inn


def test_guide(tmp_path):
    net = Condition(width=8, blocks=2)
    export_guide(net, tmp_path / "g.safetensors")
    with safe_open(tmp_path / "g.safetensors", "pt") as f:
        assert f.metadata() == {"kind": "guide", "width": "8", "blocks": "2", "format": "1"}
        assert {k.removeprefix("guide.") for k in f.keys()} == set(net.state_dict())
        assert torch.equal(f.get_tensor("guide.blocks.1.depthwise.weight"), net.blocks[1].depthwise.weight)


def test_inn(tmp_path):
    nets = [Condition(width=8, blocks=1, outputs=128) for _ in range(2)]
    export_inn(nets, Condition(width=8, blocks=1), tmp_path / "i.safetensors")
    with safe_open(tmp_path / "i.safetensors", "pt") as f:
        assert f.metadata() == {"kind": "inn", "couplings": "2", "width": "8", "blocks": "1", "format": "1"}
        assert f.get_tensor("couplings.1.outp.weight").shape == (128, 8, 1, 1) and f.get_tensor("trust.outp.weight").shape == (64, 8, 1, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2000.0])
def test_refuses_what_the_runtime_refuses(tmp_path, value):
    net = Condition(width=8, blocks=1)
    net.outp.bias.data[3] = value
    with pytest.raises(ValueError, match="guide.outp.bias"):
        export_guide(net, tmp_path / "g.safetensors")
    assert not list(tmp_path.iterdir())
