"""Training of hiders: the loop, its configurations, the literature's networks, the crops."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pictures import batch, scene
from undertone_train.hide import config, crops, run
from undertone_train.hide import carriers as cs
from undertone_train.hide.adversary import NETS, Adversary
from undertone_train.hide.exchange import equal_rates, exchange
from undertone_train.hide.inn import Inn, InnConfig
from undertone_train.hide.literal import HiDDeN, HiddenConfig, Literal, LiteralConfig, SteganoConfig, SteganoGan, haar, unhaar

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
HIDERS = sorted(p.stem for p in CONFIGS.glob("hide-*.toml") if p.stem not in ("hide-attack", "hide-guide"))


# --- the literature's networks

def small():
    yield Literal(LiteralConfig(width=8, couplings=2, cell=8))
    yield HiDDeN(HiddenConfig(width=8, cell=8))
    yield SteganoGan(SteganoConfig(width=8, planes=2))


def test_haar_is_orthonormal():
    x = batch(16, 24)
    y = haar(x)
    assert y.shape == (2, 12, 8, 12) and torch.allclose(y.square().sum(), x.square().sum(), rtol=1e-5) and torch.allclose(unhaar(y), x, atol=1e-3)


def test_literal_couplings_undo_themselves():
    torch.manual_seed(0)
    net = Literal(LiteralConfig(width=8, couplings=3))
    for p in net.parameters():
        p.data += 0.05 * torch.randn_like(p)
    x, m = torch.randn(2, 12, 6, 5), torch.randn(2, 4, 6, 5)
    a, b = x, m
    for c in net.couplings:
        a, b = c(a, b)
    assert (a - x).abs().mean() > 1e-3
    for c in reversed(net.couplings):
        a, b = c.reverse(a, b)
    assert torch.allclose(a, x, atol=1e-4) and torch.allclose(b, m, atol=1e-4)


@pytest.mark.parametrize("which", range(3))
def test_literal_hiders_take_any_size_and_their_bits_match_their_llrs(which):
    torch.manual_seed(0)
    net = list(small())[which].train()
    for h, w in ((32, 48), (40, 16)):
        x = batch(h, w)
        key, bits = net.draw(x.shape, torch.Generator().manual_seed(1))
        stego, _ = net.embed(x, key, bits)
        llr = net.read(stego, key)
        assert stego.shape == x.shape and llr.shape == bits.shape and torch.equal(stego, stego.detach().round()) and 0 <= stego.min() and stego.max() <= 255
    llr.sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    with pytest.raises(ValueError, match="no multiple") if net.config.cell > 1 else pytest.raises(ValueError, match="planes"):
        net.draw((1, 3, 36, 36), None) if net.config.cell > 1 else SteganoConfig(planes=0).check()


@pytest.mark.parametrize("which", range(3))
def test_literal_hiders_learn(which):
    """A few steps on one batch: bits arrive where at first they did not."""
    torch.manual_seed(0)
    net, x = list(small())[which], batch(32, 32)
    opt = torch.optim.Adam(net.parameters(), 5e-3)
    lacking = []
    for step in range(60):
        key, bits = net.draw(x.shape, torch.Generator().manual_seed(step))
        llr = net.read(net.embed(x, key, bits)[0], key)
        loss = torch.nn.functional.softplus(llr * (2 * bits - 1)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        lacking.append(loss.item() / np.log(2))
    assert np.mean(lacking[-5:]) < 0.9 * np.mean(lacking[:5])


# --- crops

def test_crops_are_packed_split_by_photo_and_the_same_again(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(12):
        Image.fromarray(scene(100, 150, i).transpose(1, 2, 0)).save(photos / f"p{i}.png")
    assert crops.main([str(photos), str(tmp_path / "c.npz"), "--size", "64", "--each", "2"]) == 0
    pixels, names = crops.read(tmp_path / "c.npz")
    assert pixels.shape == (24, 3, 64, 64) and len(set(names)) == 24
    c = crops.Crops(pixels, names, 32, 0.3)
    photo = lambda rows: {names[i].rsplit(".", 1)[0] for i in rows}
    assert not photo(c.train) & photo(c.held) and len(c.train) + len(c.held) == 24
    assert torch.equal(c.batch(5, 4), crops.Crops(pixels, names, 32, 0.3).batch(5, 4)) and not torch.equal(c.batch(5, 4), c.batch(6, 4))
    assert c.batch(0, 3).shape == (3, 3, 32, 32) and c.validation(4).shape[2:] == (56, 56)
    for size in (12, 72):
        with pytest.raises(ValueError, match="multiple of 8"):
            crops.Crops(pixels, names, size, 0.3)
    with pytest.raises(ValueError, match="one side"):
        crops.Crops(pixels, names, 32, 0.0)


@pytest.mark.parametrize("write", [lambda p: p.write_bytes(b"no zip"), lambda p: np.savez(p, pixels=np.zeros((2, 3, 8, 8))), lambda p: np.savez(p, pixels=np.zeros((2, 8, 8, 3), np.uint8), names=np.array(["a", "b"])),
                                   lambda p: np.savez(p, pixels=np.array([{}], dtype=object), names=np.array(["a"]))])
def test_wrong_packs_are_one_clear_line(write, tmp_path):
    write(tmp_path / "c.npz")
    with pytest.raises(ValueError, match="not a pack of crops") as e:
        crops.read(tmp_path / "c.npz")
    assert "\n" not in str(e.value)


# --- configurations and the loop

@pytest.mark.parametrize("name", HIDERS)
def test_shipped_configurations(name):
    c = config.read(CONFIGS / f"{name}.toml")
    assert c.network().kind == c.kind and c.run.out == f"runs/{name}"


def test_ablations_differ_from_the_whole_in_one_thing():
    whole = config.read(CONFIGS / "hide-inn.toml").to_dict()
    for name, tables in (("no-attention", {"model"}), ("no-adversary", {"loss", "adversary"}), ("no-attack", {"attack"})):
        other = config.read(CONFIGS / f"hide-inn-{name}.toml").to_dict()
        other["run"]["out"] = whole["run"]["out"]
        assert {k for k in whole if whole[k] != other[k]} == tables, name


@pytest.mark.parametrize("text, complaint", [
    ("[models]", "unknown tables.*models"), ("kind = 3", "unknown tables"), ("[model]\nkind = 'cnn'", "use one of inn, literal"), ("[model]\nwide = 3", "unknown keys.*wide"),
    ("[run]\naim = 'best'", "aim is 'best'"), ("[run]\naim = 'exchange'\n[model]\nkind = 'hidden'", "for the INN"), ("[adversary]\nnet = 'srnet'", "go together"), ("[loss]\nadversarial = 1.0", "go together"),
    ("[data]\nchannels = ['jpg:3']", "jpg"), ("[model]\nkind = 'literal'\ncell = 3", "even"), ("[adversary]\nnet = 'x'", "srnet, zhunet or critic"),
])
def test_bad_settings_are_one_clear_line(text, complaint, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ValueError, match=complaint) as e:
        config.read(tmp_path / "c.toml")
    assert "\n" not in str(e.value)


def tiny(out, kind="inn", **tables):
    c = config.shrink(config.read(CONFIGS / f"hide-{'inn-no-adversary' if kind == 'inn' else kind}.toml"))
    c.run.out, c.model.width, c.run.ramp = str(out), 8, 0
    if kind == "inn":
        c.model.blocks = 1
    return c


def test_a_run_goes_on_where_it_stopped(tmp_path):
    """Three steps and three more are the six of one go, to bfloat16's precision of the moments."""
    def steps(folder, *counts):
        for n in counts:
            c = tiny(tmp_path / folder)
            c.run.steps, c.run.warmup = 6, 1
            t = run.Trainer(c, 0.0)
            while t.step < n:
                t.train_step()
            t.save("last")
        return t
    a, b = steps("a", 6), steps("b", 3, 6)
    moved = max(float((p - q).detach().abs().max()) for p, q in zip(a.net.parameters(), config.read(CONFIGS / "hide-inn.toml").network().parameters()) if p.shape == q.shape)
    assert all(torch.allclose(p, q, atol=2e-4) for p, q in zip(a.net.parameters(), b.net.parameters())) and moved > 1e-3
    assert a.ema.steps == b.ema.steps == 6


def test_another_model_in_the_folder_is_refused(tmp_path):
    run.Trainer(tiny(tmp_path / "a"), 0.0).save("last")
    c = tiny(tmp_path / "a")
    c.model.couplings = 3
    with pytest.raises(ValueError, match="another model"):
        run.Trainer(c, 0.0)
    c.run.out, c.run.init = str(tmp_path / "b"), str(tmp_path / "a")
    with pytest.raises(ValueError, match="differs"):
        run.Trainer(c, 0.0)


def test_exchange_is_about_nothing_at_the_identity_and_says_what_growing_costs(tmp_path):
    t = run.Trainer(tiny(tmp_path / "a"), 0.0)
    cover = t.crops.batch(0, 2)
    key, bits = t.draw(cover.shape, 0)
    stego, sent = t.net.embed(cover, key, bits)
    llr, flat = t.payload(t.net, stego, key, bits, sent)
    score = lambda x: exchange(cover, x, llr, flat, key, bits, 1.9)
    parts = score(stego)[1]
    assert abs(float(parts["more"])) < 1e-2
    louder = cover + 2 * (stego - cover)
    assert 0.3 < float(score(louder)[1]["more"]) < 1.2  # ln 2, clipping aside
    assert score(louder)[0] > score(stego)[0]


def test_equal_rates_do_not_reward_loudness():
    """The identity, and the same with all steps 1.3 times as coarse: at equal visibility they carry the same."""
    x = batch(96, 96)
    key, bits = cs.draw(x.shape, [14, 14], [15, 15], 0.84, torch.Generator().manual_seed(0))
    noisy = {"noise": lambda y: (y + 3 * torch.randn(y.shape[0], 1, *y.shape[2:], generator=torch.Generator().manual_seed(1))).clamp(0, 255)}
    net = Inn(InnConfig(width=8, blocks=1)).eval()
    class Louder(Inn):
        def embed(self, cover, k, b):
            return super().embed(cover, cs.Key(k.carriers, k.dither, 1.3 * k.width, k.alpha), b)
        def read(self, received, k, sent=None, b=None):
            return super().read(received, cs.Key(k.carriers, k.dither, 1.3 * k.width, k.alpha), sent, b)
    loud = Louder(InnConfig(width=8, blocks=1)).eval()
    a, b = (equal_rates(n, x, key, bits, noisy)["noise"] for n in (net, loud))
    once = 1 - run.payload_bits(*(t[key.carriers] for t in (loud.read(noisy["noise"](loud.embed(x, key, bits)[0]), key, None, bits)[0], bits)))
    assert 0.1 < a < 0.9 and abs(b / a - 1) < 0.04 and once > 1.15 * a


@pytest.mark.parametrize("net", NETS)
def test_an_adversary_learns_and_is_listened_to_only_when_it_has(net, tmp_path):
    torch.manual_seed(0)
    a = Adversary(config.AdversaryConfig(net=net, channels=3, ahead=1), torch.device("cpu"))
    cover, stego = batch(32, 32), (batch(32, 32) + 20).clamp(0, 255)
    before = [p.clone() for p in a.net.parameters()]
    assert not a.ready
    for _ in range(2):
        assert 0 <= a.learn(cover, stego) <= 1
    assert a.ready and any((p != q).any() for p, q in zip(before, a.net.parameters()))


def test_the_command_runs_stops_in_time_and_names_mistakes(tmp_path, capsys):
    text = (CONFIGS / "hide-inn-no-adversary.toml").read_text().replace("blocks = 3", "blocks = 1").replace("width = 48", "width = 8")
    (tmp_path / "c.toml").write_text(text)
    assert run.main([str(tmp_path / "c.toml"), "--smoke", "--out", str(tmp_path / "r")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "r/log.jsonl").read_text().splitlines()]
    assert rows[0]["event"] == "start" and rows[-1] == {"event": "finished", "step": 4}
    scores = [r for r in rows if r.get("event") == "validation"]
    assert [r["step"] for r in scores] == [0, 4] and all(0 < r["webp:80"] < 1 and 30 < r["psnr"] < 50 for r in scores)
    assert {p.name.split("-")[0] for p in (tmp_path / "r/last").iterdir()} == {"ema", "weights", "optim", "meta.json"}
    assert run.main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "q")]) == 2
    assert "pack-hide.npz" in capsys.readouterr().err
    limit = ["--smoke", "--steps", "100000", "--max-seconds", str(run.SAVE_SECONDS + 0.5)]
    assert run.main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "s"), *limit]) == 0
    assert "out of time" in (tmp_path / "s/log.jsonl").read_text()
    assert run.main([str(tmp_path / "none.toml")]) == 2


@pytest.mark.parametrize("kind", ["hidden", "steganogan"])
def test_weighted_runs(kind, tmp_path):
    c = tiny(tmp_path / kind, kind)
    c.adversary.net, c.adversary.every = "critic", 1
    t = run.Trainer(c, 0.0)
    first, second, third = (t.train_step() for _ in range(3))
    assert "fooled" in first and first["adversarial"] == 1 != third["adversarial"]  # one bit, a guess, until it has learnt
    t.validate()
    t.save("last")
    assert run.Trainer(c, 0.0).adversary.steps == t.adversary.steps


def test_the_picture_fades_in(tmp_path):
    c = tiny(tmp_path / "a", "steganogan")
    c.run.ramp, c.loss.adversarial, c.adversary.net = 10, 0.0, ""
    t = run.Trainer(c, 0.0)
    cover = t.crops.batch(0, 2)
    llr, flat = torch.tensor([1.0, -1.0]), torch.tensor([1.0, 1.0])
    stego, values = (cover + 9).clamp(0, 255), []
    for t.step in (0, 5, 10):
        values.append(float(t.losses(cover, stego, llr, flat, None, None)[0]))
    assert values[0] == pytest.approx(float(run.payload_bits(llr, flat))) and values[2] > values[1] > values[0]
    assert values[1] == pytest.approx((values[0] + values[2]) / 2)
