import json

import pytest
import torch
from conftest import voice
from reference import enhance

from undertone_train import checkpoint, export
from undertone_train.dccrn import Dccrn, ModelConfig

safetensors = pytest.importorskip("safetensors.torch")


def worn(variant, norm):
    """A small model whose norms, slopes and biases are far from their starting values."""
    torch.manual_seed(1)
    model = Dccrn(ModelConfig(variant=variant, norm=norm, channels=[4, 8, 8], lstm_hidden=8)).train()
    for p in model.parameters():
        torch.nn.init.normal_(p, p.mean().item(), 0.2)
    for i in range(30):
        model(0.3 * torch.randn(2, 4000))
    return model.eval()


@pytest.mark.parametrize("variant", ["E", "CL", "offline"])
@pytest.mark.parametrize("norm", ["plain", "whitening"])
def test_exported_file_computes_the_same(tmp_path, variant, norm):
    model = worn(variant, norm)
    config = model.config.to_dict()
    export.write_safetensors(tmp_path / "m.safetensors", export.tensors(model), {"config": json.dumps(config)})
    t = safetensors.load_file(tmp_path / "m.safetensors")  # the reference package reads what we wrote
    wave = torch.tensor(voice(0.4, 0))
    with torch.no_grad():
        want = model(wave[None])[0][0]
        got = enhance(t, config, wave)
    assert want.abs().max() > 1e-3
    assert (got - want).square().sum() < 1e-8 * want.square().sum()  # 80 dB


def test_unknown_layer_stops_the_export():
    model = worn("offline", "plain")
    model.encoder[0].act = torch.nn.ReLU()
    with pytest.raises(TypeError, match="ReLU"):
        export.tensors(model)


def test_forgotten_parameter_stops_the_export():
    model = worn("offline", "plain")
    model.extra = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match="extra"):
        export.tensors(model)


def test_not_a_number_stops_the_export():
    model = worn("offline", "plain")
    with torch.no_grad():
        model.gain_slope[0] = float("nan")
    with pytest.raises(ValueError, match="gain_slope"):
        export.tensors(model)


def test_checkpoint_splits_and_reads_back(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "LIMIT", 10000)
    tensors = {f"t{i}": torch.randn(1000) for i in range(7)}
    checkpoint.save(tmp_path / "last", {"weights": tensors}, dict(step=1))
    files = sorted((tmp_path / "last").glob("weights-*"))
    assert len(files) == 7 or len(files) == 4 and all(f.stat().st_size < 12000 for f in files)
    back = checkpoint.load_tensors(tmp_path / "last", "weights")
    assert all(torch.equal(back[k], v) for k, v in tensors.items())
    with pytest.raises(ValueError, match="do not fit"):
        checkpoint.save(tmp_path / "x", {"weights": {"big": torch.randn(9000)}}, {})


def test_an_interrupted_save_leaves_the_old_checkpoint(tmp_path):
    checkpoint.save(tmp_path / "last", {"weights": {"a": torch.ones(1)}}, dict(step=1))
    (tmp_path / "last").rename(tmp_path / "last.old")  # stopped between the two renames
    assert checkpoint.find(tmp_path / "last") == tmp_path / "last.old"
