import numpy as np
import pytest
import scipy.signal
import torch

from undertone_train.stft import Stft, compress, compressed_magnitude, cut_frames, decompress, energy, join_frames, rfft


@pytest.mark.parametrize("win,hop", [(400, 100), (512, 128)])
@pytest.mark.parametrize("samples", [1, 99, 100, 8000, 8001])
def test_perfect_reconstruction(win, hop, samples):
    stft = Stft(512, win, hop)
    x = torch.randn(2, samples, generator=torch.Generator().manual_seed(0))
    spectrum = stft(x)
    assert spectrum.shape == (2, 257, stft.frames(samples))
    assert torch.allclose(stft.inverse(spectrum, samples), x, atol=1e-5)


def test_equals_scipy():
    stft, n = Stft(512, 400, 100), 4000
    x = np.random.default_rng(0).standard_normal(n)
    window = np.zeros(512)
    window[56:456] = scipy.signal.get_window("hann", 400)
    _, _, want = scipy.signal.stft(x, window=window, nperseg=512, noverlap=412, boundary="zeros", padded=False)
    want = want * window.sum()  # scipy normalises
    got = stft(torch.tensor(x[None], dtype=torch.float32))[0].numpy()
    frames = want.shape[1]
    assert frames >= 40 and got.shape[1] >= frames
    assert np.abs(got[:, :frames] - want).max() < 1e-3


def test_compression_inverts_and_has_finite_gradient_at_zero():
    z = torch.complex(torch.randn(50), torch.randn(50))
    back = decompress(compress(z, 0.3), 0.3)
    assert torch.allclose(back, z, atol=1e-3)
    zero = torch.zeros(4, dtype=torch.complex64, requires_grad=True)
    compress(zero, 0.3).abs().sum().backward()
    assert torch.isfinite(torch.view_as_real(zero.grad)).all()


def test_refuses_a_window_that_cannot_be_inverted():
    with pytest.raises(ValueError):
        Stft(512, 400, 300)


def test_fast_gradients_are_the_right_ones():
    """Against finite differences, in 64 bits; hops that divide the window and hops that do not, odd lengths, samples no frame covers."""
    gen = torch.Generator().manual_seed(0)
    rand = lambda *shape: torch.randn(shape, generator=gen, dtype=torch.float64)
    for n, hop, samples in ((8, 4, 20), (8, 3, 21), (6, 2, 7)):
        window = rand(n)
        assert torch.autograd.gradcheck(lambda w: cut_frames(w, window, hop), rand(2, samples).requires_grad_())
        assert torch.autograd.gradcheck(lambda c: join_frames(c, window, hop), rand(2, 3, n).requires_grad_())
    for n, size in ((None, 8), (None, 7), (12, 8)):
        assert torch.autograd.gradcheck(lambda x: rfft(x, size if n is None else n), rand(2, size).requires_grad_())
    z = torch.complex(rand(3, 4), rand(3, 4)).requires_grad_()
    assert torch.autograd.gradcheck(energy, z)
    assert torch.autograd.gradcheck(lambda z: compressed_magnitude(z, 0.3, 1e-2, 1e-3), z)


def test_fast_forms_equal_plain_ones():
    x, window = torch.randn(2, 50), torch.rand(8)
    assert torch.equal(cut_frames(x, window, 3), x.unfold(-1, 8, 3) * window)
    cut = torch.randn(2, 5, 8)
    want = torch.nn.functional.fold((cut * window).transpose(1, 2), (1, 20), (1, 8), stride=(1, 3)).reshape(2, 20)
    assert torch.allclose(join_frames(cut, window, 3), want, atol=1e-6)
    assert torch.equal(rfft(x), torch.fft.rfft(x)) and torch.equal(rfft(x, 64), torch.fft.rfft(x, n=64))
    z = rfft(x)
    assert torch.allclose(energy(z), z.abs() ** 2, rtol=1e-5)
    assert torch.allclose(compressed_magnitude(z, 0.3, 1e-6), (compress(z, 0.3, 1e-6).abs() ** 2 + 1e-9).sqrt(), rtol=1e-5)


@pytest.mark.parametrize("win,hop", [(400, 100), (512, 128), (512, 256)])
def test_equals_librosa(win, hop):
    librosa = pytest.importorskip("librosa")
    x = np.random.default_rng(1).standard_normal(9 * hop).astype(np.float32)
    want = librosa.stft(x, n_fft=512, hop_length=hop, win_length=win, window="hann", center=True, pad_mode="constant")
    got = Stft(512, win, hop)(torch.tensor(x[None]))[0].numpy()
    assert got.shape == want.shape and np.abs(got - want).max() < 1e-4
