import numpy as np
import pytest
import soundfile
from conftest import RATE, voice

from undertone_train import data, pack
from undertone_train.data import Bank, MixConfig, Mixer


def put(path, wave, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate)


def test_dns_layout(tree):
    recs = data.dns(tree)
    assert [sum(r.kind == k for r in recs) for k in ("speech", "noise", "rir")] == [4, 3, 2]
    assert {r.speaker for r in recs if r.kind == "speech"} == {"00000", "00001", "00002", "00003"}


def test_voicebank_noise_is_the_difference(tmp_path):
    clean, noise = voice(1, 0), 0.01 * np.ones(RATE, np.float32)
    put(tmp_path / "clean_trainset_28spk_wav" / "p226_001.wav", clean)
    put(tmp_path / "noisy_trainset_28spk_wav" / "p226_001.wav", clean + noise)
    speech, diff = data.voicebank(tmp_path)
    assert speech.speaker == "p226" and diff.kind == "noise"
    assert np.allclose(data.load(diff), noise, atol=1e-4)
    put(tmp_path / "noisy_trainset_28spk_wav" / "p226_002.wav", clean)
    with pytest.raises(ValueError, match="p226_002"):
        data.voicebank(tmp_path)


def test_librispeech_and_vctk_layouts(tmp_path):
    put(tmp_path / "ls" / "dev-clean" / "84" / "121123" / "84-121123-0000.flac", voice(1, 0))
    assert [r.speaker for r in data.librispeech(tmp_path / "ls")] == ["84"]
    for mic in (1, 2):
        put(tmp_path / "vctk" / "wav48_silence_trimmed" / "p225" / f"p225_001_mic{mic}.flac", voice(1, 0), 48000)
    recs = data.vctk(tmp_path / "vctk")
    assert [(r.speaker, r.name) for r in recs] == [("p225", "p225_001_mic1")]
    assert abs(len(data.load(recs[0])) - RATE / 3) <= 2  # 48 kHz became 16


def test_shared_layout(tmp_path):
    for corpus, stem in (("librispeech", "103-1240-0000"), ("emodb", "03a01Fa"), ("ljspeech", "LJ001-0001"), ("picovoice", "ab-cd")):
        put(tmp_path / "speech" / "train" / corpus / f"{stem}.flac", voice(1, 0))
    put(tmp_path / "noise" / "train" / "moodist" / "rain.flac", voice(1, 0))
    put(tmp_path / "noise" / "rir" / "hall.flac", voice(1, 0))
    recs = data.shared(tmp_path)
    assert [r.speaker for r in recs if r.kind == "speech"] == ["emodb/03", "librispeech/103", "ljspeech/LJ", "picovoice/ab-cd"]


def test_an_empty_folder_is_an_error_with_its_name(tmp_path):
    with pytest.raises(ValueError, match=str(tmp_path)):
        data.librispeech(tmp_path)


@pytest.fixture(scope="module")
def bank(tree):
    return Bank.from_layout("dns", tree)


def test_examples_depend_on_seed_and_number_alone(bank):
    a, b = Mixer(bank, seed=5), Mixer(bank, seed=5)
    b.example(3)
    for i in (0, 7):
        for x, y in zip(a.example(i), b.example(i)):
            assert np.array_equal(x, y)
    assert not np.array_equal(a.example(0)[0], a.example(1)[0])
    assert not np.array_equal(a.example(0)[0], Mixer(bank, seed=6).example(0)[0])


ONLY = dict(p_noise=0, p_reverb=0, p_competing=0, p_clip=0, p_band=0)


def test_signal_to_noise_ratio_is_the_one_asked_for(bank):
    for want in (-5.0, 10.0, 20.0):
        mixer = Mixer(bank, MixConfig(**{**ONLY, "p_noise": 1, "snr_db": [want, want]}))
        for i in range(5):
            mix, target = mixer.example(i)
            got = 20 * np.log10(data.active_rms(target) / np.sqrt(np.mean((mix - target) ** 2)))
            assert abs(got - want) < 0.1


def test_nothing_drawn_leaves_clean_speech(bank):
    mix, target = Mixer(bank, MixConfig(**ONLY)).example(0)
    assert np.array_equal(mix, target) and np.abs(mix).max() > 0.01


def test_the_target_is_the_louder_talker(bank):
    mixer = Mixer(bank, MixConfig(**{**ONLY, "p_competing": 1, "competing_db": [3.0, 15.0]}))
    for i in range(10):
        mix, target = mixer.example(i)
        ratio = 20 * np.log10(data.active_rms(target) / data.active_rms(mix - target))
        assert 2.9 < ratio < 15.1


def test_reverberation_keeps_early_part_in_the_target(bank):
    mixer = Mixer(bank, MixConfig(**{**ONLY, "p_reverb": 1}))
    mix, target = mixer.example(1)
    assert 0.001 < np.mean((mix - target) ** 2) / np.mean(target**2) < 10
    whole, early = mixer._room(np.random.default_rng(0))
    assert np.count_nonzero(early[800:]) == 0 and np.array_equal(whole[:800], early[:800])


def test_clipping_touches_the_mixture_and_band_limits_both(bank):
    mix, target = Mixer(bank, MixConfig(**{**ONLY, "p_clip": 1})).example(2)
    assert np.isclose(mix, mix.max()).sum() > 5 and np.abs(target).max() > mix.max()
    mix, target = Mixer(bank, MixConfig(**{**ONLY, "p_noise": 1, "p_band": 1})).example(2)
    for w in (mix, target):
        power = np.abs(np.fft.rfft(w)) ** 2
        assert power[int(7400 * 2) :].sum() < 1e-6 * power.sum()


def test_levels_stay_in_range(bank):
    for i in range(30):
        mix, target = Mixer(bank, seed=1).example(i)
        assert mix.dtype == np.float32 and len(mix) == len(target) == 2 * RATE
        assert np.isfinite(mix).all() and np.abs(mix).max() <= 1


def test_split_shares_no_speaker_or_noise(bank):
    rest, held = bank.split(0.25)
    assert not set(rest.speech) & set(held.speech) and not set(rest.noise) & set(held.noise)
    assert set(rest.speech) | set(held.speech) == set(bank.speech) and held.speech and held.noise


@pytest.mark.parametrize("mode", ["bytes", "pcm"])
def test_pack_reads_back(tree, tmp_path, mode, bank):
    report = pack.pack(data.dns(tree), tmp_path / "p", 10 << 20, mode, shard_bytes=200_000)
    assert report["speech"][0] == 4 and len(list((tmp_path / "p").glob("*.utpack"))) > 1
    back = pack.load_pack(tmp_path / "p")
    for kind in ("speech", "noise", "rir"):
        assert set(getattr(back, kind)) == set(getattr(bank, kind))
        for name, waves in getattr(bank, kind).items():
            assert all(np.array_equal(a, b) for a, b in zip(waves, getattr(back, kind)[name]))


def test_pack_obeys_its_limit_and_repeats(tree, tmp_path):
    for name in "ab":
        pack.pack(data.dns(tree), tmp_path / name, 400_000, seed=3)
    files = [sorted((tmp_path / n).glob("*")) for n in "ab"]
    assert 0 < sum(f.stat().st_size for f in files[0]) <= 400_000
    assert [f.read_bytes() for f in files[0]] == [f.read_bytes() for f in files[1]]


def test_pack_of_opus_keeps_the_bytes(tmp_path):
    path = tmp_path / "in" / "1-2-3.opus"
    path.parent.mkdir()
    try:
        soundfile.write(path, voice(1, 0), RATE, format="OGG", subtype="OPUS")
    except (RuntimeError, ValueError):
        pytest.skip("this libsndfile writes no Opus")
    pack.pack(data.librispeech(path.parent), tmp_path / "p", 1 << 20)
    assert path.read_bytes() in (tmp_path / "p" / "shard-000.utpack").read_bytes()
    (entry, wave), = pack.read_shard(tmp_path / "p" / "shard-000.utpack")
    assert entry["speaker"] == "1" and abs(len(wave) - RATE) < 1000


def test_cut_pack_is_refused(tree, tmp_path):
    pack.pack(data.dns(tree), tmp_path / "p", 10 << 20)
    shard = tmp_path / "p" / "shard-000.utpack"
    for keep in (4, 20, shard.stat().st_size - 10):
        cut = tmp_path / "cut.utpack"
        cut.write_bytes(shard.read_bytes()[:keep])
        with pytest.raises(ValueError, match="cut"):
            list(pack.read_shard(cut))


def test_a_recording_that_cannot_be_decoded_is_left_out_and_named(tree, tmp_path, capsys):
    (tmp_path / "in" / "clean").mkdir(parents=True)
    (tmp_path / "in" / "noise").mkdir()
    put(tmp_path / "in" / "clean" / "good.wav", voice(1, 0))
    put(tmp_path / "in" / "noise" / "n.wav", voice(1, 1))
    (tmp_path / "in" / "clean" / "broken.wav").write_bytes(b"RIFF nonsense")
    report = pack.pack(data.dns(tmp_path / "in"), tmp_path / "p", 1 << 20)
    assert report["speech"][0] == 1 and "broken.wav" in capsys.readouterr().err
    with pytest.raises(ValueError, match="broken.wav"):
        Bank.from_layout("dns", tmp_path / "in")
