"""A hider's run as TOML: [run] [data] [model] [attack] [loss] [adversary].  Unknown tables and keys are errors, so a typo cannot pass for a setting."""
import tomllib
from dataclasses import asdict, dataclass, field, fields

from ..config import _fill as fill
from .attacks import AttackConfig, parse
from .inn import Inn, InnConfig
from .literal import HiDDeN, HiddenConfig, Literal, LiteralConfig, SteganoConfig, SteganoGan
from .objective import LossConfig

MODELS = {"inn": (Inn, InnConfig), "literal": (Literal, LiteralConfig), "hidden": (HiDDeN, HiddenConfig), "steganogan": (SteganoGan, SteganoConfig)}


@dataclass
class RunConfig:
    out: str = "runs/hide"
    init: str = ""  # folder of an earlier run: start from its EMA weights
    steps: int = 20000
    schedule_seconds: float = 0  # if set, the learning rate also falls with training time and the run ends there
    batch: int = 16
    lr: float = 1e-3
    warmup: int = 200
    weight_decay: float = 0.0
    clip: float = 1.0
    ema: float = 0.998
    seed: int = 0
    bf16: str = "auto"  # auto: on CUDA only; on, off.  The INN is always in single precision
    log_every: int = 20
    validate_every: int = 500
    checkpoint_seconds: float = 120
    aim: str = "weighted"  # weighted: [loss] as it stands; exchange, for the INN: more bits at the visibility of mode 0 (run.Trainer.exchange)
    exchange: float = 1.9
    ramp: int = 0  # weighted: steps over which all but the payload fades in


@dataclass
class DataConfig:
    pack: str = ""  # made by undertone_train.hide.crops
    crop: int = 192
    holdout: float = 0.15
    validation: int = 24
    channels: list = field(default_factory=lambda: ["webp:80", "jpeg:75"])  # real codecs that validate


@dataclass
class AdversaryConfig:
    net: str = ""  # srnet, zhunet, critic; none if empty.  Its weight for the hider is [loss] adversarial
    channels: int = 1  # 1: luma
    lr: float = 1e-3
    clip: float = 5.0
    every: int = 1  # hider's steps for one of the adversary's
    ahead: int = 200  # steps it learns before the hider listens


@dataclass
class Config:
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    kind: str = "inn"
    model: object = field(default_factory=InnConfig)
    attack: AttackConfig = field(default_factory=AttackConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)

    to_dict = asdict

    def network(self):
        return MODELS[self.kind][0](self.model)


def read(path):
    with open(path, "rb") as f:
        t = tomllib.load(f)
    unknown = set(t) - {f.name for f in fields(Config)} | ({"kind"} & set(t))
    if unknown:
        raise ValueError(f"{path}: unknown tables {sorted(unknown)}; known are run, data, model, attack, loss, adversary")
    model = dict(t.get("model", {}))
    kind = model.pop("kind", "inn")
    if kind not in MODELS:
        raise ValueError(f"[model] kind is {kind!r}; use one of {', '.join(MODELS)}")
    c = Config(kind=kind, model=fill(MODELS[kind][1], model, "model").check(), attack=fill(AttackConfig, t.get("attack", {}), "attack").check(),
               loss=fill(LossConfig, t.get("loss", {}), "loss").check(), run=fill(RunConfig, t.get("run", {}), "run"), data=fill(DataConfig, t.get("data", {}), "data"),
               adversary=fill(AdversaryConfig, t.get("adversary", {}), "adversary"))
    for channel in c.attack.channels + c.data.channels:
        parse(channel)
    if c.run.aim not in ("weighted", "exchange") or (c.run.aim == "exchange" and kind != "inn"):
        raise ValueError(f"[run] aim is {c.run.aim!r}; use weighted, or exchange for the INN")
    if c.adversary.net not in ("", "srnet", "zhunet", "critic") or c.adversary.channels not in (1, 3):
        raise ValueError("[adversary] net is srnet, zhunet or critic, or empty for none; channels is 1 or 3")
    if bool(c.adversary.net) != bool(c.loss.adversarial):
        raise ValueError("[adversary] net and [loss] adversarial go together: name a net and a weight above 0, or neither")
    return c


def shrink(c):
    """For --smoke: seconds on one CPU core, on made-up pictures.  Proves that a run runs, and nothing about quality."""
    c.data.pack, c.data.crop, c.data.validation, c.data.holdout = "", 64, 2, 0.3
    r = c.run
    r.steps, r.batch, r.warmup, r.log_every, r.validate_every, r.schedule_seconds = 4, 2, 2, 2, 4, 0
    c.adversary.ahead = 1
    return c
