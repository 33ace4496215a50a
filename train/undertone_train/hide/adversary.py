"""The detector that learns beside the hider and that the hider listens to; one step each in turn."""
import torch
from torch import nn
from torch.nn import functional as F

from .. import checkpoint
from ..detect.srnet import SRNet
from ..detect.zhunet import ZhuNet
from .jpeg import to_ycc
from .rounding import Rounding


class Critic(nn.Module):
    """SteganoGAN's small judge, with two logits in place of one score so that the cross-entropies are everyone's."""

    def __init__(self, channels=3, width=32):
        super().__init__()
        sizes = [channels, width, width, width]
        self.layers = nn.Sequential(*(m for a, b in zip(sizes, sizes[1:]) for m in (nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU())))
        self.head = nn.Conv2d(width, 2, 3, padding=1)

    def forward(self, x):
        return self.head(self.layers(x / 127.5 - 1)).mean((2, 3))


NETS = {"srnet": SRNet, "zhunet": ZhuNet, "critic": Critic}


class Adversary:
    def __init__(self, config, device):
        self.config = config
        self.net = NETS[config.net](config.channels).to(device)
        self.opt = torch.optim.Adamax(self.net.parameters(), config.lr)
        self.steps = 0

    @property
    def ready(self):
        return self.steps > self.config.ahead

    def learn(self, cover, stego):
        """One step on the pair; -> share judged wrong."""
        x = torch.cat([cover, stego.detach()])
        x = to_ycc(x, Rounding("soft"))[0][:, None] if self.config.channels == 1 else x
        label = torch.arange(2, device=x.device).repeat_interleave(len(cover))
        logits = self.net.train()(x)
        self.opt.zero_grad(set_to_none=True)
        F.cross_entropy(logits, label).backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)):
            self.opt.step()
        self.steps += 1
        return float((logits.argmax(1) != label).float().mean())

    def save_into(self, groups, meta):
        groups["adversary"] = self.net.state_dict()
        groups["adversary_optim"] = checkpoint.optimizer_tensors(self.opt)
        meta["adversary_steps"] = self.steps

    def restore(self, folder, meta):
        self.net.load_state_dict(checkpoint.load_tensors(folder, "adversary"))
        checkpoint.restore_optimizer(self.opt, checkpoint.load_tensors(folder, "adversary_optim"))
        self.steps = meta["adversary_steps"]
