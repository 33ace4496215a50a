"""The platforms' JPEG encoders, read from data/profiles (the format is in its README).  Only what the attack needs: tables, qualities, subsampling."""
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .jpeg import SUBSAMPLING, tables

FOLDER = Path(__file__).resolve().parents[3] / "data" / "profiles"


@dataclass
class Profile:
    name: str
    quality: tuple = ()  # least and most; empty if there are tables
    luma: list = field(default_factory=list)
    chroma: list = field(default_factory=list)
    chroma_quality: int = 0
    subsampling: str = "420"
    progressive: bool = False  # does not change the picture

    def tables(self, quality=None):
        """[2][8][8]; of a profile that has qualities, at the one given (the least if none is)."""
        if self.quality:
            return tables(quality or self.quality[0])
        luma = torch.tensor(self.luma, dtype=torch.float32).reshape(8, 8)
        if self.chroma_quality:
            return torch.stack([luma, tables(self.chroma_quality)[1]])
        return torch.stack([luma, torch.tensor(self.chroma, dtype=torch.float32).reshape(8, 8)])


def _numbers(value, where):
    try:
        return [int(v) for v in value.split()]
    except ValueError:
        raise ValueError(f"{where} holds something other than whole numbers") from None


def profile(name, folder=FOLDER):
    path = Path(folder) / f"{name}.profile"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in Path(folder).glob("*.profile"))) or "none"
        raise ValueError(f"no profile {name!r} in {folder}; there are: {known}")
    p = Profile(name)
    for line in path.read_text().splitlines():
        key, _, value = (s.strip() for s in line.partition("="))
        if key == "quality":
            least, _, most = value.partition("-")
            p.quality = tuple(_numbers(f"{least} {most or least}", f"{path}: quality"))
        elif key == "luma":
            p.luma += _numbers(value, f"{path}: luma")
        elif key == "chroma":
            p.chroma = list(p.luma) if value == "luma" else p.chroma + _numbers(value, f"{path}: chroma")
        elif key == "chroma_quality":
            (p.chroma_quality,) = _numbers(value, f"{path}: chroma_quality")
        elif key == "subsampling":
            p.subsampling = value
        elif key == "progressive":
            p.progressive = value == "yes"
    whole = not p.quality and len(p.luma) == 64 and bool(p.chroma_quality) != (len(p.chroma) == 64)
    if p.subsampling not in SUBSAMPLING or not (whole or (p.quality and not p.luma and 1 <= p.quality[0] <= p.quality[1] <= 100)):
        raise ValueError(f"{path}: needs either quality, or 64 numbers of luma with chroma or chroma_quality, and subsampling of {', '.join(SUBSAMPLING)}")
    return p
