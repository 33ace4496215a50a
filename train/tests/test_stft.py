import numpy as np
import pytest
import scipy.signal
import torch

from undertone_train.stft import Stft, compress, decompress


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
