"""Run configuration: TOML tables [run] [data] [mix] [model] [loss_a] [loss_b] [gan].  Unknown keys are errors, so a typo cannot pass for a setting."""
import tomllib
from dataclasses import asdict, dataclass, field, fields

from .data import MixConfig
from .dccrn import ModelConfig


@dataclass
class RunConfig:
    out: str = "runs/unnamed"
    stage: str = "A"
    init: str = ""  # folder of an earlier run: start from its EMA weights
    steps: int = 20000
    schedule_seconds: float = 0  # if set, the learning rate also falls with training time and the run ends there
    batch: int = 64  # over all processes
    lr: float = 1e-3
    warmup: int = 500
    weight_decay: float = 0.01
    clip: float = 5.0
    ema: float = 0.999
    seed: int = 0
    threads: int = 1  # on one CPU: threads that compute gradients independently (set OMP_NUM_THREADS=1); see run.Asynchronous
    workers: int = 0  # loader processes for each training process
    bf16: str = "auto"  # auto: on CUDA only; on, off
    compile: bool = False
    log_every: int = 50
    validate_every: int = 1000
    checkpoint_seconds: float = 120
    ramp: int = 1000  # steps over which stage B's metric losses fade in


@dataclass
class DataConfig:
    pack: str = ""  # folder of shards; or a layout and its root; neither: made-up sounds
    layout: str = ""
    root: str = ""
    holdout: float = 0.04
    validation: int = 64  # mixtures


@dataclass
class GanConfig:
    labels: str = "pesq"
    weight: float = 0.05
    lr: float = 5e-4
    pretrain: int = 300  # discriminator steps before the enhancer listens
    experts: int = 4
    width: int = 24
    replay: int = 2000
    replay_share: float = 0.2
    label_workers: int = 0
    max_error: float = 0.02
    max_drop_db: float = 0.5


@dataclass
class Config:
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss_a: dict = field(default_factory=dict)
    loss_b: dict = field(default_factory=dict)
    gan: GanConfig = field(default_factory=GanConfig)

    to_dict = asdict


def _fill(cls, table, name):
    unknown = set(table) - {f.name for f in fields(cls)}
    if unknown:
        raise ValueError(f"[{name}] has unknown keys {sorted(unknown)}; known are {sorted(f.name for f in fields(cls))}")
    return cls(**table)


def read_as(path, kind):
    """A dataclass of dataclasses from a TOML file: its fields are the tables.  Unknown tables and keys are errors, so that a typo cannot pass for a setting."""
    with open(path, "rb") as f:
        t = tomllib.load(f)
    tables = {f.name: f.default_factory for f in fields(kind)}
    unknown = set(t) - set(tables)
    if unknown:
        raise ValueError(f"{path}: unknown tables {sorted(unknown)}; known are {sorted(tables)}")
    return kind(**{name: _fill(cls, t.get(name, {}), name) for name, cls in tables.items()})


def read(path):
    with open(path, "rb") as f:
        t = tomllib.load(f)
    unknown = set(t) - {f.name for f in fields(Config)}
    if unknown:
        raise ValueError(f"{path}: unknown tables {sorted(unknown)}")
    config = Config(
        run=_fill(RunConfig, t.get("run", {}), "run"),
        data=_fill(DataConfig, t.get("data", {}), "data"),
        mix=_fill(MixConfig, t.get("mix", {}), "mix"),
        model=_fill(ModelConfig, t.get("model", {}), "model"),
        loss_a=t.get("loss_a", {}),
        loss_b=t.get("loss_b", {}),
        gan=_fill(GanConfig, t.get("gan", {}), "gan"),
    )
    if config.run.stage not in ("A", "B", "C"):
        raise ValueError(f"[run] stage is {config.run.stage!r}; use A, B or C")
    return config


def shrink(config):
    """For --smoke: seconds on one CPU core, on made-up sounds.  Proves that a stage runs, and nothing about quality."""
    config.data = DataConfig(validation=4, holdout=0.34)
    config.model.channels, config.model.lstm_hidden = [8, 16, 16], 16
    config.mix.seconds = 1.0
    r, g = config.run, config.gan
    r.steps, r.batch, r.warmup, r.log_every, r.validate_every, r.workers, r.ramp, r.schedule_seconds = 8, 4, 2, 2, 4, 0, 2, 0
    r.compile = False
    g.labels, g.pretrain, g.width, g.replay, g.max_error, g.label_workers = "proxy", 2, 4, 16, 1.0, 0
    return config
