import pytest
import torch

from undertone_train.dccrn import PAPER_CL, PAPER_E, Dccrn, ModelConfig, macs_per_second, parameter_count

TINY = dict(channels=[4, 8, 8], lstm_hidden=8)


@pytest.mark.parametrize("config,million", [(PAPER_E, 3.742), (PAPER_CL, 3.671)])
def test_parameters_match_the_papers_code(config, million):
    got = parameter_count(Dccrn(ModelConfig(**config))) / 1e6
    print(f"{config['variant']}: {got:.3f} M")
    assert abs(got - million) < 0.01 * million


def test_the_default_is_about_a_million_and_cheap_enough():
    config = ModelConfig()
    print(f"small: {parameter_count(Dccrn(config)) / 1e6:.3f} M, {macs_per_second(config) / 1e9:.2f} GMAC/s")
    assert 0.8e6 < parameter_count(Dccrn(config)) < 1.4e6
    assert macs_per_second(config) < 2.4e9  # 0.06 of the 40 GMAC/s that one core does


@pytest.mark.parametrize("variant", ["E", "CL", "offline"])
@pytest.mark.parametrize("norm", ["plain", "whitening"])
def test_shapes_and_gradients(variant, norm):
    torch.manual_seed(0)
    model = Dccrn(ModelConfig(variant=variant, norm=norm, **TINY))
    for samples in (1, 127, 3000):
        wave, spectrum = model(torch.randn(2, samples))
        assert wave.shape == (2, samples) and spectrum.shape == (2, 257, model.stft.frames(samples))
    x = torch.randn(2, 3000)
    x[1] = 0  # silence must not yield NaN anywhere
    wave, _ = model(x)
    wave.square().mean().backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and torch.isfinite(p.grad).all(), name


def test_without_lookahead_the_paper_variant_is_causal():
    torch.manual_seed(0)
    model = Dccrn(ModelConfig(variant="CL", lookahead=False, **TINY)).eval()
    a = torch.randn(1, 4000)
    b = a.clone()
    b[:, 3000:] += 1
    with torch.no_grad():
        ya, yb = model(a)[0], model(b)[0]
    assert torch.allclose(ya[:, :2400], yb[:, :2400], atol=1e-5)
    assert not torch.allclose(ya[:, 3000:], yb[:, 3000:], atol=1e-3)


def test_config_refuses_nonsense():
    with pytest.raises(ValueError, match="unknown"):
        ModelConfig.from_dict(dict(chanels=[1]))
    with pytest.raises(ValueError, match="variant"):
        ModelConfig(variant="X")


def test_offline_starts_near_the_identity():
    torch.manual_seed(0)
    model = Dccrn(ModelConfig()).train()
    x = 0.1 * torch.randn(2, 8000)
    y = model(x)[0]
    assert (y - x).square().mean() < 0.1 * x.square().mean()
