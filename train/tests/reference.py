"""The network once more, from exported tensors alone and with plain real operations: what the C side has to compute.

Runs in the precision of its tensors.  `trace`, a dict, is given every intermediate result as [rows, frames], under the names that
src/stage/enhance/net.c uses."""
import torch
import torch.nn.functional as F

from undertone_train.stft import Stft, compress, decompress


def lstm(t, prefix, x):
    """[time, features], gate order i, f, g, o."""
    def run(p, seq):
        w, r, b = t[p + ".input"], t[p + ".recurrent"], t[p + ".bias"]
        h = c = torch.zeros(r.shape[1], dtype=r.dtype)
        out = []
        for v in seq:
            i, f, g, o = (w @ v + r @ h + b).chunk(4)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            out.append(h)
        return torch.stack(out)

    y = run(prefix + ".forward", x)
    if prefix + ".backward.input" in t:
        y = torch.cat([y, run(prefix + ".backward", x.flip(0)).flip(0)], 1)
    return y


def bottleneck(t, x, keep):
    """[2C, freq, time] -> same."""
    c2, f, n = x.shape
    flat = lambda p: p.permute(2, 0, 1).reshape(n, -1)
    back = lambda p: p.view(n, -1, f).permute(1, 2, 0)
    if "bottleneck.proj.weight" in t:
        y, i = flat(x), 0
        while f"bottleneck.real.{i}.forward.input" in t:
            y = lstm(t, f"bottleneck.real.{i}", y)
            keep(f"lstm.{i}", y.T)
            i += 1
        return back(y @ t["bottleneck.proj.weight"].T + t["bottleneck.proj.bias"])
    re, im, i = flat(x[: c2 // 2]), flat(x[c2 // 2 :]), 0
    while f"bottleneck.{i}.re.0.forward.input" in t:
        run = lambda kind, v: lstm(t, f"bottleneck.{i}.{kind}.0", v)
        re, im = run("re", re) - run("im", im), run("re", im) + run("im", re)
        keep(f"lstm.{i}.re", re.T), keep(f"lstm.{i}.im", im.T)
        i += 1
    re, im = (v @ t[f"bottleneck.proj_{k}.weight"].T + t[f"bottleneck.proj_{k}.bias"] for k, v in (("re", re), ("im", im)))
    return torch.cat([back(re), back(im)])


def enhance(t, c, wave, trace=None):
    def keep(name, x):
        if trace is not None:
            trace[name] = x.reshape(-1, x.shape[-1])

    t = {k: v.to(wave.dtype) for k, v in t.items()}
    stft = Stft(c["n_fft"], c["win_length"], c["hop"])
    stft.window = stft.window.to(wave.dtype)
    s = stft(wave[None])[0]
    offline, layers = c["variant"] == "offline", len(c["channels"])
    z = compress(s[:-1], c["power"]) if offline else s[1:]
    seen = torch.cat([z, s[-1:]]) if offline else s
    keep("spectrum.re", seen.real), keep("spectrum.im", seen.imag)
    x, skips = torch.stack([z.real, z.imag]), []
    for i in range(layers):
        x = F.conv2d(F.pad(x, (1, 0, 2, 2))[None], t[f"encoder.{i}.weight"], t[f"encoder.{i}.bias"], (2, 1))[0]
        x = torch.where(x > 0, x, x * t[f"encoder.{i}.slope"][:, None, None])
        skips.append(x)
        keep(f"encoder.{i}", x)
    x = bottleneck(t, x, keep)
    keep("bottleneck", x)
    for i in range(layers):
        a, b = x.chunk(2), skips[-1 - i].chunk(2)
        x = F.conv_transpose2d(torch.cat([a[0], b[0], a[1], b[1]])[None], t[f"decoder.{i}.weight"], t[f"decoder.{i}.bias"], (2, 1), (2, 0), (1, 0))[0]
        x = x[..., 1:] if c["lookahead"] else x[..., :-1]
        if f"decoder.{i}.slope" in t:
            x = torch.where(x > 0, x, x * t[f"decoder.{i}.slope"][:, None, None])
        keep(f"decoder.{i}", x)
    y = torch.complex(*x.chunk(2))
    if offline:
        y = decompress(c["gain_max"] * torch.sigmoid(t["gain_slope"][:, None] * y[0].real) * z + y[1], c["power"])
        y = F.pad(y, (0, 0, 0, 1))
    elif c["variant"] == "CL":
        y = F.pad(z * y[0], (0, 0, 1, 0))
    else:
        y = F.pad(z * torch.tanh(y[0].abs()) * torch.exp(1j * y[0].angle()), (0, 0, 1, 0))
    keep("enhanced.re", y.real), keep("enhanced.im", y.imag)
    return stft.inverse(y[None], len(wave))[0]
