"""The hider's TOML tables [attack] and [loss].  Unknown tables and keys are errors, so a typo cannot pass for a setting."""
from dataclasses import dataclass, field

from ..config import read_as
from .attacks import AttackConfig, parse
from .objective import LossConfig


@dataclass
class Settings:
    attack: AttackConfig = field(default_factory=AttackConfig)
    loss: LossConfig = field(default_factory=LossConfig)


def read(path):
    s = read_as(path, Settings)
    for table in vars(s).values():
        table.check()
    for channel in s.attack.channels:
        parse(channel)
    return s
