"""Complex layers on stacked real tensors: [batch, 2C, freq, time], the C real parts first, then the C imaginary parts.

A complex product with W = A + jB is the real matrix [[A, -B], [B, A]].  The layers build that matrix and run one real
convolution, which is also the form exported to C after batch norm is folded in (the fold breaks the complex symmetry).
"""
import torch
import torch.nn.functional as F
from torch import nn


def stack(z):
    """Complex [B, C, ...] -> stacked real [B, 2C, ...]."""
    return torch.cat([z.real, z.imag], 1)


def unstack(x):
    """Stacked real -> complex; always in 32-bit floats (there is no complex bfloat16)."""
    re, im = x.float().chunk(2, 1)
    return torch.complex(re, im)


def complex_cat(a, b):
    """Join along channels, keeping real parts in front of imaginary ones."""
    ar, ai = a.chunk(2, 1)
    br, bi = b.chunk(2, 1)
    return torch.cat([ar, br, ai, bi], 1)


class ComplexConv2d(nn.Module):
    """Complex 2-D convolution.  in/out channels are complex ones; kernel, stride and padding are (frequency, time)."""

    transposed = False

    def __init__(self, cin, cout, kernel, stride=(1, 1), padding=(0, 0), output_padding=(0, 0)):
        super().__init__()
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        shape = (cin, cout, *kernel) if self.transposed else (cout, cin, *kernel)
        # Variance of a complex weight is the sum of both parts': half of He's for each, for PReLU with slope 1/4.
        std = (1 / (cin * kernel[0] * kernel[1])) ** 0.5
        if self.transposed:
            std *= (stride[0] * stride[1]) ** 0.5
        self.wr = nn.Parameter(torch.randn(shape) * std)
        self.wi = nn.Parameter(torch.randn(shape) * std)
        self.bias = nn.Parameter(torch.zeros(2 * cout))

    def real_weight(self):
        """[2*cout, 2*cin, kf, kt], as a plain Conv2d has it."""
        return torch.cat([torch.cat([self.wr, -self.wi], 1), torch.cat([self.wi, self.wr], 1)], 0)

    def forward(self, x):
        return F.conv2d(x, self.real_weight(), self.bias, self.stride, self.padding)


class ComplexConvTranspose2d(ComplexConv2d):
    """Complex transposed convolution; weights [cin, cout, kf, kt] like nn.ConvTranspose2d."""

    transposed = True

    def real_weight(self):
        """[2*cin, 2*cout, kf, kt]: rows are inputs, so the minus sign sits on the other corner."""
        return torch.cat([torch.cat([self.wr, self.wi], 1), torch.cat([-self.wi, self.wr], 1)], 0)

    def forward(self, x):
        return F.conv_transpose2d(x, self.real_weight(), self.bias, self.stride, self.padding, self.output_padding)


class PlainBatchNorm(nn.BatchNorm2d):
    """Batch norm of real and imaginary parts as separate channels (the "plain" form)."""

    def __init__(self, channels):
        super().__init__(2 * channels)

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            if x.device.type == "cpu":  # takes bfloat16 with 32-bit statistics as it is; the copies would cost more than the norm
                return super().forward(x)
            return super().forward(x.float()).to(x.dtype)

    def affine_matrix(self):
        """(M [C,2,2], b [C,2]) with eval-mode output = M [re, im]^T + b."""
        scale = self.weight / (self.running_var + self.eps).sqrt()
        shift = self.bias - self.running_mean * scale
        re, im = scale.chunk(2)
        return torch.diag_embed(torch.stack([re, im], -1)), torch.stack(shift.chunk(2), -1)


class WhiteningBatchNorm(nn.Module):
    """Complex batch norm of Trabelsi et al. 2018, section 3.5: x~ = V^(-1/2) (x - E[x]), then gamma x~ + beta with a symmetric 2x2 gamma.

    V is the 2x2 covariance of real and imaginary part per channel.  Gamma starts at I/sqrt(2) so that |output| has variance 1.
    """

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        r = 0.5**0.5
        self.gamma = nn.Parameter(torch.tensor([r, 0.0, r]).repeat(channels, 1))  # rr, ri, ii
        self.beta = nn.Parameter(torch.zeros(channels, 2))
        self.register_buffer("running_mean", torch.zeros(channels, 2))
        self.register_buffer("running_cov", torch.tensor([0.5, 0.0, 0.5]).repeat(channels, 1))

    def _matrix(self, cov):
        """gamma V^(-1/2) per channel, [C,2,2].  Closed form: with s = sqrt(det V), t = sqrt(tr V + 2s), V^(-1/2) = (adj V + s I)/(s t)."""
        vrr, vri, vii = cov[:, 0] + self.eps, cov[:, 1], cov[:, 2] + self.eps
        s = (vrr * vii - vri**2).clamp_min(self.eps**2).sqrt()
        scale = 1 / (s * (vrr + vii + 2 * s).sqrt())
        wrr, wri, wii = (vii + s) * scale, -vri * scale, (vrr + s) * scale
        grr, gri, gii = self.gamma.unbind(1)
        rows = [grr * wrr + gri * wri, grr * wri + gri * wii, gri * wrr + gii * wri, gri * wri + gii * wii]
        return torch.stack(rows, -1).view(-1, 2, 2)

    def affine_matrix(self):
        m = self._matrix(self.running_cov)
        return m, self.beta - torch.einsum("cij,cj->ci", m, self.running_mean)

    def forward(self, x):
        dtype = x.dtype
        with torch.autocast(x.device.type, enabled=False):
            b, c2, f, t = x.shape
            z = x.float().view(b, 2, c2 // 2, f, t)
            if self.training:
                mean = z.mean((0, 3, 4)).T  # [C,2]
                d = z - mean.T[None, :, :, None, None]
                cov = torch.stack([(d[:, 0] ** 2).mean((0, 2, 3)), (d[:, 0] * d[:, 1]).mean((0, 2, 3)), (d[:, 1] ** 2).mean((0, 2, 3))], -1)
                with torch.no_grad():  # updating inside autograd would keep every step's graph alive
                    n = b * f * t
                    self.running_mean.lerp_(mean, self.momentum)
                    self.running_cov.lerp_(cov * (n / max(n - 1, 1)), self.momentum)
                m = self._matrix(cov)
                shift = self.beta - torch.einsum("cij,cj->ci", m, mean)
            else:
                m, shift = self.affine_matrix()
            out = torch.einsum("cij,bjcft->bicft", m, z) + shift.T[None, :, :, None, None]
            return out.reshape(b, c2, f, t).to(dtype)


class ComplexLstm(nn.Module):
    """Complex LSTM as in DCCRN (Hu et al. 2020, eq. 4): two real LSTMs, out = (Lr(xr) - Li(xi)) + j (Lr(xi) + Li(xr)).

    Input and output are pairs (re, im) of [batch, time, features].  Always 32-bit: recurrences lose too much in bfloat16.
    """

    def __init__(self, nin, hidden, bidirectional=False):
        super().__init__()
        self.re = nn.LSTM(nin, hidden, batch_first=True, bidirectional=bidirectional)
        self.im = nn.LSTM(nin, hidden, batch_first=True, bidirectional=bidirectional)

    def forward(self, xr, xi):
        b = xr.shape[0]
        both = torch.cat([xr, xi], 0).float()  # one pass for both inputs
        with torch.autocast(both.device.type, enabled=False):
            lr, li = self.re(both)[0], self.im(both)[0]
        return lr[:b] - li[b:], lr[b:] + li[:b]
