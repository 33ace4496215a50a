import importlib.util
import json
import sys

import numpy as np
import pytest
import soundfile
import torch
from conftest import RATE, voice

from undertone_train import data, losses, metrics, pack, run, score, score_report, score_sets

needs_pesq = pytest.mark.skipif(not all(importlib.util.find_spec(p) for p in ("pesq", "pystoi")), reason="needs the pesq and pystoi packages")


@pytest.fixture(scope="module")
def clean():
    return hiss(voice(3, 1), 50)  # no digital silence: there the segmental SNR is -10 dB by definition


def hiss(wave, snr_db, seed=0):
    noise = np.random.default_rng(seed).standard_normal(len(wave))
    return (wave + noise * np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)).astype(np.float32)


@needs_pesq
def test_identical_files_are_perfect_and_noise_costs(clean):
    best, fair, bad = (metrics.score(clean, w) for w in (clean, hiss(clean, 15), hiss(clean, 0)))
    assert abs(best["pesq"] - metrics.PERFECT_PESQ) < 1e-3 and best["sisdr"] == metrics.SISDR_LIMIT and best["ssnr"] == 35 and best["cbak"] == 5
    for m in metrics.NAMES:
        assert best[m] > fair[m] > bad[m], m
    assert abs(fair["sisdr"] - losses.si_sdr(*(torch.tensor(w)[None] for w in (hiss(clean, 15), clean))).item()) < 0.01


@needs_pesq
def test_what_cannot_be_scored_counts_as_one():
    silence = np.zeros(RATE, np.float32)
    assert metrics.wb_pesq(silence, silence) == (1.0, True)


def slow_slope_distance(clean, degraded):
    """Hu and Loizou's procedure band by band and frame by frame."""
    def frames(w):
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, 481) / 481)
        return [w[i : i + 480] * window for i in range(0, len(w) - 600 + 1, 120)]

    def bands(frame):
        power = np.abs(np.fft.fft(frame, 1024)[:512]) ** 2
        out = []
        for f, b in zip(metrics.CENTRES, metrics.WIDTHS):
            gauss = np.array([np.exp(-11 * ((j - int(f / 8000 * 512)) / (b / 8000 * 512)) ** 2) * 70 / b for j in range(512)])
            out.append(max(10 * np.log10((gauss * (gauss > np.exp(-30 / 4.606)) * power).sum() + 1e-300), -100))
        return out

    def weights(e):
        out = []
        for k in range(24):
            n = k
            if e[k + 1] > e[k]:
                while n < 24 and e[n + 1] > e[n]:
                    n += 1
                peak = e[n - 1]
            else:
                while n >= 0 and e[n + 1] <= e[n]:
                    n -= 1
                peak = e[n + 1]
            out.append(20 / (20 + max(e) - e[k]) / (1 + peak - e[k]))
        return out

    distances = []
    for a, b in zip(map(bands, frames(clean)), map(bands, frames(degraded))):
        w = (np.array(weights(a)) + weights(b)) / 2
        distances.append((w * (np.diff(a) - np.diff(b)) ** 2).sum() / w.sum())
    return np.mean(sorted(distances)[: round(0.95 * len(distances))])


def test_slope_distance_equals_the_slow_form(clean):
    a, b = clean[:6000].astype(np.float64), hiss(clean, 5)[:6000].astype(np.float64)
    assert abs(metrics.spectral_slope_distance(a, b) - slow_slope_distance(a, b)) < 1e-6


def test_segmental_snr_of_white_noise_at_a_known_level():
    wave = np.random.default_rng(1).standard_normal(4 * RATE).astype(np.float32)
    assert abs(metrics.segmental_snr(wave, hiss(wave, 8)) - 8) < 0.1
    half = np.concatenate([wave, np.zeros_like(wave)])
    assert abs(metrics.segmental_snr(half, half + 1e-3) - (35 - 10) / 2) < 0.2  # held to 35 dB in talk and to -10 dB in silence


def test_held_out_names_are_the_same_for_ever():
    names = [f"n{i:02d}" for i in range(50)]
    assert data.held_out(names, "noise", 0.04) == data.held_out(names[::-1], "noise", 0.04) == ["n24", "n07"]
    assert data.held_out(names, "speech", 0.04) != data.held_out(names, "noise", 0.04)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data folder of the project's shape: 2 pairs, 3 dev speakers, a pack with 4 noises."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    pairs, dev, noise = root / "speech" / "test" / "voicebank-demand", root / "speech" / "dev" / "librispeech", root / "noise"
    for folder in (pairs / "clean", pairs / "noisy", dev, noise):
        folder.mkdir(parents=True)
    table = ["utterance\tsnr_db\tpublished"]
    for i in range(2):
        wave = voice(2, 10 + i)
        soundfile.write(pairs / "clean" / f"p{i}.flac", 0.5 * wave, RATE)
        soundfile.write(pairs / "noisy" / f"p{i}.flac", 0.5 * hiss(wave, 8), RATE)
        if importlib.util.find_spec("pesq"):
            known = metrics.wb_pesq(*(data.decode(pairs / d / f"p{i}.flac") for d in ("clean", "noisy")))[0]
            table.append(f"p{i}\t8\t{known:.6f}")
    (pairs / "noisy_pesq.tsv").write_text("\n".join(table) + "\n")
    recs = []
    for i in range(3):
        soundfile.write(dev / f"10{i}-1-0000.flac", voice(2.5, 20 + i) - 0.3 * (i == 1), RATE)  # one has an offset, as some real ones do
    for i in range(4):
        soundfile.write(noise / f"n{i}.flac", 0.1 * rng.standard_normal(RATE), RATE)
        recs.append(data.Recording("noise", f"a/n{i}", f"n{i}", noise / f"n{i}.flac"))
    pack.pack(recs, root / "pack", 1 << 20)
    return root


def test_unseen_mixtures_hold_their_ratios_and_avoid_training_noises(root):
    items, lines = score_sets.build("unseen", root, root / "pack", 0)
    assert len(items) == 6 and {it.group for it in items} == {"DEMAND noise", score_sets.HELD}
    for it in items:
        assert abs(it.clean.mean()) < 30
        talk = data.active_rms(it.clean.astype(np.float32))
        rms = np.sqrt(np.mean((it.noisy - it.clean.astype(float)) ** 2))
        assert abs(20 * np.log10(talk / rms) - it.note["snr_db"]) < 0.1
    assert {it.note["snr_db"] for it in items} == {-5.0, 7.5, 20.0}
    away = data.held_out([f"a/n{i}" for i in range(4)], "noise", score_sets.HOLDOUT)
    assert {it.note["noise"] for it in items if it.note["held_out"]} == set(away) and away[0] in lines[0]


def test_competing_talkers_hold_their_gaps(root):
    items, _ = score_sets.build("competing", root, root / "pack", 0)
    assert len(items) == 3 * 5 and all(it.note["speaker"] != it.note["other"] for it in items)
    for it in items:
        if "noise" not in it.note:
            gap = 20 * np.log10(data.active_rms(it.clean.astype(np.float32)) / data.active_rms((it.noisy - it.clean.astype(np.float32))))
            assert abs(gap - it.note["gap_db"]) < 0.2


def test_sets_follow_from_the_seed_and_survive_the_cache(root, tmp_path):
    fresh, again = (score_sets.cached("unseen", root, root / "pack", 0, tmp_path) for _ in range(2))
    assert [i.name for i in fresh[0]] == [i.name for i in again[0]] and fresh[1] == again[1] and fresh[0][0].note == again[0][0].note
    prints = {score_sets.fingerprint(score_sets.build("unseen", root, root / "pack", s)[0]) for s in (0, 0, 1)}
    assert score_sets.fingerprint(again[0]) in prints and len(prints) == 2


def run_score(root, tmp_path, *args):
    code = score.main(["--data", str(root), "--cache", str(tmp_path), "--json", str(tmp_path / "out.json"), *args])
    return code, {r["system"]: r for r in json.loads((tmp_path / "out.json").read_text())["rows"]}


@needs_pesq
def test_rows_of_commands(root, tmp_path, capsys):
    louder = tmp_path / "half.py"
    louder.write_text("import sys, soundfile\nw, r = soundfile.read(sys.argv[1], dtype='int16')\nn = len(w) if len(sys.argv) < 4 else 100\n"
                      "soundfile.write(sys.argv[2], w[:n], r)\nprint('kbps 7.5')\n")
    py = f"{sys.executable} {louder} {{in}} {{out}}"
    code, rows = run_score(root, tmp_path, "--system", f"copy={py}", "--system", f"short={py} cut", "--system", "no=false {in} {out}",
                           "--system", "typo=/no/such/folder", "--system", "clean=clean", "--code", py + " --rate {kbps}", "--kbps", "9", "--coded", "clean")
    text = capsys.readouterr().out
    assert code == 1 and "as published within 0.000" in text and "failed: p0: false: status 1" in text
    assert "100" in rows["short"]["failed"] and "no folder" in rows["typo"]["failed"] and "100" in rows["clean at 9 kbit/s"]["failed"]
    stats = rows["copy"]["groups"]["VoiceBank+DEMAND"]["metrics"]["pesq"]
    assert stats["gain"] == 0 and stats["worse"] == 0 and rows["copy"]["kbps"] == 7.5
    assert abs(rows["clean"]["groups"]["VoiceBank+DEMAND"]["metrics"]["pesq"]["mean"] - metrics.PERFECT_PESQ) < 1e-3
    code, _ = run_score(root, tmp_path, "--system", f"copy={py}")
    assert code == 0


@needs_pesq
def test_a_wrong_published_figure_stops_the_scoring(root, tmp_path, monkeypatch):
    monkeypatch.setattr(score_sets, "published_pesq", lambda root: {"p0": 4.0})
    assert score.main(["--data", str(root), "--cache", str(tmp_path)]) == 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory, root):
    out = tmp_path_factory.mktemp("run")
    c = str(run.Path(__file__).parents[1] / "configs" / "small-a.toml")
    assert run.main([c, "--smoke", "--steps", "2", "--out", str(out)]) == 0
    return out


@needs_pesq
def test_rows_of_runs(root, trained, tmp_path):
    code, rows = run_score(root, tmp_path, "--system", f"A={trained}", "--limit", "1")
    assert code == 0 and len(rows["A"]["files"]) == 1 and "stage A" in rows["A"]["about"][0]


def test_checkpoints_are_run_at_their_level(trained):
    system = score.Checkpoint(trained)
    wave = data.to_int16(hiss(voice(1, 3), 10) * 0.5)
    loud, quiet = system(wave).astype(float), system((wave // 8).astype(np.int16)).astype(float)
    assert np.abs(loud / 8 - quiet).max() < 0.02 * np.abs(loud / 8).max() + 2  # the level is taken out and put back
    assert np.array_equal(system(np.zeros(4000, np.int16)), np.zeros(4000))


@needs_pesq
def test_a_run_that_heard_the_noises_is_refused(root, trained, tmp_path):
    assert set(json.loads((trained / "held.json").read_text())) == {"speech", "noise"}
    code, rows = run_score(root, tmp_path, "--set", "unseen", "--pack", str(root / "pack"), "--system", f"A={trained}", "--limit", "1")
    assert code == 1 and "trained on noises" in rows["A"]["failed"]  # it was trained on made-up noises of other names


def test_intervals_and_counts():
    rng = np.random.default_rng(0)
    lo, hi = score_report.interval(rng.normal(3, 1, 400))
    assert 2.8 < lo < 3 < hi < 3.2 and abs((hi - lo) / 2 - 1.96 / 20) < 0.02
    flat = dict.fromkeys(metrics.NAMES, 1.0)
    rows = [dict(flat, pesq=p, pesq_failed=p == 1) for p in (1.0, 2.0, 3.0)]
    s = score_report.summary(rows, [dict(flat, pesq=2.5, pesq_failed=False)] * 3)
    p = s["metrics"]["pesq"]
    assert (p["mean"], p["median"], p["worse"], s["pesq_failed"]) == (2.0, 2.0, 2, 1) and abs(p["gain"] + 0.5) < 1e-9


def tool(name):
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, run.Path(__file__).parents[1] / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_pesq
def test_report_has_every_row_and_says_what_failed(root, trained, tmp_path):
    copy = tmp_path / "copy.py"
    copy.write_text("import sys, shutil\nshutil.copy(sys.argv[1], sys.argv[2])\nprint('kbps', sys.argv[3] if len(sys.argv) > 3 else 0)\n")
    command = f"{sys.executable} {copy} {{in}} {{out}}"
    base = ["--data", str(root), "--pack", str(root / "pack"), "--cache", str(tmp_path), "--json", str(tmp_path / "json"), "--enhance", command,
            "--code", command + " {kbps}", "--kbps", "6,9", "--limit", "1", "--out", str(tmp_path / "r.md")]
    report = tool("report")
    assert report.main([*base, "--run", f"A={trained}", "--sets", "voicebank"]) == 0
    text = (tmp_path / "r.md").read_text()
    for row in ("noisy", "A", "shipped model in C", "shipped model in C at 6 kbit/s", "shipped model in C at 9 kbit/s", "clean at 9 kbit/s"):
        assert f"| {row} |" in text, row
    assert "C minus PyTorch (A)" in text and "LIMITED" in text
    assert report.main([*base, "--run", "B=/no/such/run", "--sets", "voicebank,competing"]) == 1
    text = (tmp_path / "r.md").read_text()
    assert text.count("| B | | failed:") == 1 + 5 and "not compared" in text


def test_pictures_are_drawn(trained, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    curves, spectrograms = tool("curves"), tool("spectrograms")
    assert curves.main([str(tmp_path / "c.png"), str(trained), str(trained)]) == 0 and curves.main([str(tmp_path / "x.png"), str(tmp_path)]) == 2
    assert np.allclose(curves.smooth(np.array([1.0, 2, 6]), 3), [1.5, 3, 4])
    monkeypatch.setattr(spectrograms, "speech", lambda text: voice(2, 4))
    assert spectrograms.main([str(tmp_path / "s.png"), str(trained)]) == 0
    assert all(1000 < (tmp_path / f"{n}.png").stat().st_size < 200_000 for n in "cs")
    assert spectrograms.main([str(tmp_path / "no.png"), "false {in} {out}"]) == 2
