import pytest
import torch
import torch.nn.functional as F

from undertone_train import complexnn as cn


def rand(*shape):
    return torch.complex(torch.randn(shape), torch.randn(shape))


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(3)


def test_convolution_equals_complex_sums():
    layer = cn.ComplexConv2d(2, 3, (5, 2), (2, 1), (2, 0))
    torch.nn.init.normal_(layer.bias)
    z = rand(1, 2, 8, 4)
    got = cn.unstack(layer(cn.stack(z)))
    w, bias = torch.complex(layer.wr, layer.wi), torch.complex(*layer.bias.chunk(2))
    zp = F.pad(z, (0, 0, 2, 2))
    for o in range(3):
        for f in range(4):
            for t in range(3):
                want = bias[o] + (w[o] * zp[0, :, 2 * f : 2 * f + 5, t : t + 2]).sum()
                assert torch.isclose(got[0, o, f, t], want, atol=1e-5)


def test_transposed_convolution_equals_scatter():
    layer = cn.ComplexConvTranspose2d(2, 3, (5, 2), (2, 1), (2, 0), (1, 0))
    torch.nn.init.normal_(layer.bias)
    z = rand(1, 2, 4, 3)
    got = cn.unstack(layer(cn.stack(z)))
    w, bias = torch.complex(layer.wr, layer.wi), torch.complex(*layer.bias.chunk(2))
    full = torch.zeros(3, 12, 4, dtype=torch.complex64)
    for i in range(2):
        for f in range(4):
            for t in range(3):
                full[:, 2 * f : 2 * f + 5, t : t + 2] += w[i] * z[0, i, f, t]
    want = full[:, 2:10] + bias[:, None, None]
    assert got.shape[1:] == want.shape
    assert torch.allclose(got[0], want, atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstm_equals_four_real_passes(bidirectional):
    layer = cn.ComplexLstm(5, 4, bidirectional)
    x, y = torch.randn(2, 6, 5), torch.randn(2, 6, 5)
    re, im = layer(x, y)
    assert torch.allclose(re, layer.re(x)[0] - layer.im(y)[0], atol=1e-6)
    assert torch.allclose(im, layer.re(y)[0] + layer.im(x)[0], atol=1e-6)


def correlated(channels=3):
    z = rand(8, channels, 9, 11)
    return torch.complex(3 * z.real + 1, 0.5 * z.imag + 0.8 * z.real - 2)


def test_whitening_whitens():
    layer = cn.WhiteningBatchNorm(3)
    out = cn.unstack(layer(cn.stack(correlated())))
    for c in range(3):
        v = out[:, c].flatten()
        cov = torch.cov(torch.stack([v.real, v.imag]))
        assert abs(v.mean()) < 1e-4
        assert torch.allclose(cov, torch.eye(2) / 2, atol=1e-3)


def test_whitening_equals_eigendecomposition_with_any_gamma():
    layer, z = cn.WhiteningBatchNorm(2, eps=1e-5), correlated(2)
    torch.nn.init.normal_(layer.gamma)
    torch.nn.init.normal_(layer.beta)
    got = cn.unstack(layer(cn.stack(z)))
    for c in range(2):
        v = torch.stack([z[:, c].real.flatten(), z[:, c].imag.flatten()])
        d = v - v.mean(1, keepdim=True)
        lam, q = torch.linalg.eigh(d @ d.T / d.shape[1] + 1e-5 * torch.eye(2))
        g = layer.gamma[c].detach()
        want = torch.tensor([[g[0], g[1]], [g[1], g[2]]]) @ (q @ torch.diag(lam**-0.5) @ q.T) @ d + layer.beta[c][:, None]
        assert torch.allclose(got[:, c].real.flatten(), want[0], atol=1e-4)
        assert torch.allclose(got[:, c].imag.flatten(), want[1], atol=1e-4)


@pytest.mark.parametrize("norm", [cn.PlainBatchNorm, cn.WhiteningBatchNorm])
def test_norm_running_statistics_and_affine_form(norm):
    layer = norm(3)
    for _ in range(60):
        layer(cn.stack(correlated()))
    z = correlated()
    train = layer(cn.stack(z))
    layer.eval()
    out = layer(cn.stack(z))
    assert (train - out).abs().mean() < 0.05  # statistics have settled on those of the source
    m, b = layer.affine_matrix()
    want = torch.einsum("cij,bjcft->bicft", m, torch.stack([z.real, z.imag], 1)) + b.T[None, :, :, None, None]
    assert torch.allclose(out, want.flatten(1, 2), atol=1e-5)


def test_plain_norm_equals_separate_parts():
    layer, z = cn.PlainBatchNorm(3), correlated()
    out = cn.unstack(layer(cn.stack(z)))
    for part, want in ((out.real, z.real), (out.imag, z.imag)):
        mean, var = want.mean((0, 2, 3), keepdim=True), want.var((0, 2, 3), keepdim=True, unbiased=False)
        assert torch.allclose(part, (want - mean) / (var + 1e-5).sqrt(), atol=1e-4)


def test_whitening_statistics_hold_no_graph():
    layer = cn.WhiteningBatchNorm(3)
    layer(cn.stack(correlated()).requires_grad_())
    assert layer.running_cov.grad_fn is None and layer.running_mean.grad_fn is None


def test_joining_keeps_parts_apart():
    a, b = rand(1, 2, 3, 3), rand(1, 1, 3, 3)
    assert torch.equal(cn.unstack(cn.complex_cat(cn.stack(a), cn.stack(b))), torch.cat([a, b], 1))
