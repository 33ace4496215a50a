"""The hider's TOML tables [attack] and [loss].  Unknown tables and keys are errors, so a typo cannot pass for a setting."""
import tomllib
from dataclasses import dataclass, field, fields

from ..config import _fill as fill
from .attacks import AttackConfig, parse
from .objective import LossConfig


@dataclass
class Settings:
    attack: AttackConfig = field(default_factory=AttackConfig)
    loss: LossConfig = field(default_factory=LossConfig)


def read(path):
    with open(path, "rb") as f:
        t = tomllib.load(f)
    tables = {f.name: f.default_factory for f in fields(Settings)}
    unknown = set(t) - set(tables)
    if unknown:
        raise ValueError(f"{path}: unknown tables {sorted(unknown)}; known are {sorted(tables)}")
    s = Settings(**{name: fill(cls, t.get(name, {}), name).check() for name, cls in tables.items()})
    for channel in s.attack.channels:
        parse(channel)
    return s
