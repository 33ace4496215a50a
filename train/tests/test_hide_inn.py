"""The INN of the robust form: what goes in comes out, whatever the weights; and a new one is mode 0."""
from dataclasses import asdict

import numpy as np
import pytest
import torch
from safetensors import safe_open

from pictures import batch
from undertone_train import checkpoint
from undertone_train.hide import carriers as cs
from undertone_train.hide import export_run
from undertone_train.hide.inn import BEND, TAU, Inn, InnConfig, bend, parity, unbend


def wild(seed, **config):
    """A network with random last layers: it bends as far as it can."""
    torch.manual_seed(seed)
    net = Inn(InnConfig(**(dict(width=16, blocks=2) | config)))
    for m in [*net.couplings, net.trust]:
        torch.nn.init.normal_(m.outp.weight, std=0.3)
        torch.nn.init.normal_(m.outp.bias, std=0.5)
    return net.eval()


def key_for(x, width=24.0, nfreq=15, alpha=1.0, seed=0):
    return cs.draw(x.shape, [width] * len(x), [nfreq] * len(x), alpha, torch.Generator().manual_seed(seed))


def test_planes_are_the_dct_and_change_comes_back():
    x = batch(40, 48)
    c = cs.planes(x)
    assert c.shape == (2, 64, 5, 6) and torch.allclose(c.square().sum((1, 2, 3)), (cs.to_ycc(x, cs.Rounding("ste"))[0] - 128).square().sum((1, 2)), rtol=1e-5)
    grey = torch.full((1, 3, 40, 48), 128.0)
    d = torch.zeros(1, 64, 5, 6)
    d[0, 9, 2, 3] = 200.0
    got = cs.planes(cs.add(grey, d))
    assert abs(got[0, 9, 2, 3] - 200) < 3 and (got - d).abs().max() < 3


def test_colours_move_by_the_least_change():
    assert torch.allclose(cs.SPREAD, torch.tensor([0.67, 1.31, 0.25]), atol=0.01) and abs(float(cs.SPREAD @ torch.tensor([0.299, 0.587, 0.114])) - 1) < 1e-6
    grey, brown = torch.full((1, 3, 8, 8), 128.0), torch.tensor([140.0, 120.0, 90.0])[None, :, None, None].expand(1, 3, 8, 8)
    d = torch.zeros(1, 64, 1, 1)
    d[0, 0] = 8 * 10.0  # ten grey levels
    assert (cs.add(grey, d) == 138).all()
    assert torch.equal((cs.add(brown, d) - brown)[0, :, 0, 0], torch.tensor([7.0, 13.0, 3.0]))


def test_zigzag_is_jpegs():
    assert cs.ZIGZAG[:22] == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48] and sorted(cs.ZIGZAG) == list(range(64))


def test_costas_aim_is_the_programs():
    """ut_scs_aim, written out: phases of width / 32 each."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        c, width, dither, bit = rng.normal(0, 60), rng.uniform(4, 40), int(rng.integers(64)), int(rng.integers(2))
        step = width / 32
        p = c / step + dither - 32 * bit
        want = (p - 64 * np.floor(p / 64 + 0.5)) * step
        key = cs.Key(torch.ones(1, 1, 1, 1, dtype=torch.bool), torch.full((1, 1, 1, 1), float(dither)), torch.full((1, 1, 1, 1), width), 1.0)
        got = cs.error(torch.full((1, 1, 1, 1), c, dtype=torch.float64), key, torch.full((1, 1, 1, 1), float(bit)))
        assert abs(float(got) - want) < 1e-3


def test_bend_grows_and_has_a_closed_inverse():
    g = torch.Generator().manual_seed(0)
    x = torch.cat([torch.linspace(-2000, 2000, 4001), torch.randn(2000, generator=g) * 3, torch.zeros(1)]).double()
    for s in (-BEND, -0.7, 0.0, 0.7, BEND):
        for t in (-2.0, 0.0, 2.0):
            a = torch.full_like(x, np.expm1(s))
            u = bend(x, a, t)
            assert (unbend(u, a, t) - x).abs().max() < 1e-9
            line = bend(torch.linspace(-500, 500, 10001).double(), np.expm1(s), t)
            assert (line.diff() > 0).all()
    assert abs(float(bend(torch.tensor(1e-3), 1.0, 0.0)) - 2e-3) < 1e-6 and TAU == 32


def test_couplings_together_reach_all_carriers_and_pass_context_through():
    shape = (64, 5, 7)
    first, second = (parity(shape, k, None) for k in (0, 1))
    assert (first ^ second).all() and first[0, 0, 0] and not first[1, 0, 0] and not first[0, 1, 0] and first[9, 2, 4]
    net, x = wild(0), cs.planes(batch(40, 56))
    carriers = torch.zeros(x.shape, dtype=torch.bool)
    carriers[:, cs.ZIGZAG[1:11]] = True
    with torch.no_grad():
        u = net.to_latent(x, carriers)
    assert torch.equal(u[~carriers], x[~carriers]) and ((u - x)[carriers].abs() > 1e-3).float().mean() > 0.95


@pytest.mark.parametrize("seed", range(4))
def test_float_inverse(seed):
    """Within 1e-3 of a coefficient unit, in single precision: the odd luma step of 8 bits is a thousand times that."""
    net, x = wild(seed, couplings=1 + seed % 3), cs.planes(batch(64, 72, 2))
    key, _ = key_for(batch(64, 72, 2), nfreq=40, seed=seed)
    with torch.no_grad():
        assert (net.from_latent(net.to_latent(x, key.carriers), key.carriers) - x).abs().max() < 1e-3


def test_a_new_network_is_mode_0():
    net, x = Inn(InnConfig(width=16, blocks=2)).eval(), batch(48, 64)
    key, bits = key_for(x, 14, 15, 0.84)
    c = cs.planes(x)
    plain = cs.add(x, torch.where(key.carriers, -0.84 * cs.error(c, key, bits), 0))
    with torch.no_grad():
        stego, sent = net.embed(x, key, bits)
        assert torch.equal(net.to_latent(c, key.carriers), c) and (net.from_latent(c, key.carriers) - c).abs().max() < 1e-3
        assert ((stego - plain).abs() <= 1).all() and (stego != plain).float().mean() < 0.01  # a rounding that hung on the last bit
        llr, angle, say = net.read(stego, key)
    assert torch.equal(angle, cs.phase(cs.planes(stego), key)) and (net.classes(say) == 4).all()
    assert ((llr < 0) == (torch.cos(angle) < 0)).all()


@pytest.mark.parametrize("seed", range(6))
def test_bits_come_back_exactly(seed):
    """Random weights, pictures with both ends of the range, 8-bit pixels, no channel: every bit, by the receiver's own reading."""
    net = wild(seed)
    x = batch(64 + 8 * seed, 80, 3)
    key, bits = key_for(x, (18.0, 24.0, 32.0)[seed % 3], (6, 15, 28)[seed % 3], seed=seed)
    stego = net.settle(x, key, bits)
    assert ((stego >= 0) & (stego <= 255) & (stego == stego.round())).all()
    with torch.no_grad():
        llr = net.read(stego, key)[0]
    assert ((llr < 0) == (bits == 1))[key.carriers].all()
    worse = (net.read(net.embed(x, key, bits)[0], key)[0] < 0) != (bits == 1)
    assert (worse & key.carriers).float().sum() < 0.05 * key.carriers.sum()  # a single pass misses where pixels clip; that is what settling is for
    other = key_for(x, seed=seed + 100)[0]
    assert 0.4 < ((net.read(stego, other)[0] < 0) == (bits == 1))[other.carriers & key.carriers].float().mean() < 0.6  # without the dither: chance


def test_compensated_bits_come_back_mostly():
    net, x = wild(1), batch(64, 80, 3)
    key, bits = key_for(x, 24.0, 15, 0.84)
    with torch.no_grad():
        llr = net.read(net.settle(x, key, bits), key)[0]
    assert ((llr < 0) == (bits == 1))[key.carriers].float().mean() > 0.999


def test_reader_has_gradients_to_all_of_the_network_but_none_from_the_lattice():
    net, x = wild(2), batch(48, 48)
    key, bits = key_for(x, 16, 15, 0.84)
    stego, sent = net.embed(x, key, bits)
    llr = net.read(stego + 2 * torch.randn(stego.shape, generator=torch.Generator().manual_seed(0)), key, sent, bits)[0]
    (llr * (1 - 2 * bits))[key.carriers].sum().backward()
    for name, p in net.named_parameters():
        assert p.grad is not None and torch.isfinite(p.grad).all() and (p.grad.abs().sum() > 0 or "squeeze" in name or "excite" in name), name  # four ReLUs may all be off
    # Without a channel and without rounding the latent arrives as it was sent: nothing to be learnt from where it lies
    u = net.to_latent(cs.planes(x), key.carriers)
    angle = cs.phase(u - u + u.detach(), key)
    assert torch.autograd.grad(angle.sum(), net.couplings[0].outp.weight)[0].abs().max() == 0


def test_information_of_known_channels():
    g = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (100000,), generator=g).float()
    sent = torch.pi * bits
    flip = torch.rand(bits.shape, generator=g) < 0.11  # a binary symmetric channel of half a bit
    assert abs(cs.information(sent + torch.pi * flip, bits) - 0.5) < 0.01
    assert cs.information(2 * torch.pi * torch.rand(bits.shape, generator=g), bits) < 0.001 and cs.information(sent, bits) > 0.999
    half = (torch.arange(100000) % 2).long()
    mixed = torch.where(half == 1, sent, 2 * torch.pi * torch.rand(bits.shape, generator=g))
    assert abs(cs.information(mixed, bits, half) - 0.5) < 0.01 and cs.information(mixed, bits) < 0.49  # who knows which are noise reads more


def test_concentration_is_found_blindly():
    g = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (1, 64, 32, 32), generator=g).float()
    angle = torch.pi * bits + 0.7 * torch.randn(bits.shape, generator=g)
    seen = float(cs.blind_cosine(angle, torch.ones_like(bits, dtype=torch.bool)))
    assert abs(seen - np.exp(-0.49 / 2)) < 0.02
    # kappa's mean cosine, by the Bessel functions themselves
    for kappa in (0.2, 1.0, 3.0, 10.0):
        k = torch.tensor(kappa)
        mean = torch.special.i1(k) / torch.special.i0(k)
        assert abs(float(cs.concentration(mean)) / kappa - 1) < 0.06


def test_export_holds_what_the_program_needs(tmp_path):
    net = wild(3)
    path = tmp_path / "inn.safetensors"
    export_run.write(net, path)
    with safe_open(path, "pt") as f:
        assert f.metadata() == {"kind": "inn", "couplings": "2", "width": "16", "blocks": "2", "format": "1"}
        assert {k.split(".")[0] for k in f.keys()} == {"couplings", "trust"} and len(f.keys()) == len(net.state_dict()) - 1  # `level` is training's own
        assert torch.equal(f.get_tensor("couplings.1.outp.weight"), net.couplings[1].outp.weight) and f.get_tensor("trust.outp.weight").shape == (64, 16, 1, 1)
    with pytest.raises(ValueError, match="ablation"):
        export_run.write(Inn(InnConfig(channel=False)), path)
    net.couplings[0].outp.bias.data[0] = float("nan")
    with pytest.raises(ValueError, match="couplings.0.outp.bias.*finite"):
        export_run.write(net, path)


def test_a_runs_best_weights_are_exported(tmp_path, capsys):
    net = wild(4)
    meta = dict(step=7, config=dict(kind="inn", model=asdict(net.config)))
    checkpoint.save(tmp_path / "r/best", {"ema": net.state_dict()}, meta)
    assert export_run.main([str(tmp_path / "r"), str(tmp_path / "o.safetensors")]) == 0
    with safe_open(tmp_path / "o.safetensors", "pt") as f:
        assert torch.equal(f.get_tensor("trust.inp.bias"), net.trust.inp.bias)
    checkpoint.save(tmp_path / "h/best", {"ema": {}}, dict(step=1, config=dict(kind="hidden", model={})))
    for folder in ("h", "none"):
        assert export_run.main([str(tmp_path / folder), str(tmp_path / "p.safetensors")]) == 2 and not (tmp_path / "p.safetensors").exists()
    assert "not of an INN" in capsys.readouterr().err


@pytest.mark.parametrize("change", [dict(couplings=0), dict(width=2), dict(alpha=0), dict(cells=(9, 8)), dict(nfreq=(0, 9)), dict(nfreq=(3, 64))])
def test_impossible_networks_are_refused(change):
    with pytest.raises(ValueError, match=r"\[model\]"):
        Inn(InnConfig(**change))
