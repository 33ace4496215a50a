import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from undertone_train.detect import judge as judging
from undertone_train.detect import pairs

PROGRAM = Path(os.environ.get("UT_PROGRAM", Path(__file__).parents[2] / "build" / "undertone"))

# Stands in for the program where it is not built: hides by adding 3 to every other pixel, through channels that change nothing or code as JPEG.
STAND_IN = f'#!{sys.executable}' + '''
import json, sys
import numpy as np
from PIL import Image
a = sys.argv[1:]
if a[0] == "--version":
    print("stand-in 1")
elif a[0] == "keygen":
    open(a[2], "w").write("key")
elif a[0] == "channel":
    name = a[a.index("--through") + 1]
    Image.open(a[1]).save(a[2], "JPEG" if name.startswith("jpeg") else "PNG", **({"quality": 75} if name.startswith("jpeg") else {}))
elif a[0] == "hide":
    nbytes, picture, out = len(open(a[1], "rb").read()), np.asarray(Image.open(a[2])).astype(int), a[a.index("-o") + 1]
    if nbytes > 300:
        print("undertone: does not fit", file=sys.stderr)
        sys.exit(4)
    picture[::2] += 3
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(out, "PNG")
    print(json.dumps({"payload_bytes": nbytes + 35, "net_bpp": 8 * (nbytes + 35) / picture[..., 0].size, "psnr_db": 40.0}))
'''


@pytest.fixture
def folder(tmp_path):
    """Twelve made-up photos of 136x72: two tiles of 64 each."""
    photos = tmp_path / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:72, :136]
    for i in range(12):
        p = np.stack([120 + 50 * np.sin(x / rng.uniform(5, 15)) + 50 * np.cos(y / rng.uniform(5, 15)) for _ in range(3)], -1)
        Image.fromarray(np.clip(p + rng.normal(0, 2, p.shape), 0, 255).astype(np.uint8)).save(photos / f"photo{i}.png")
    return photos


@pytest.fixture
def stand_in(tmp_path):
    path = tmp_path / "undertone"
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return path


def run(folder, program, tmp_path, *more):
    return judging.main([str(folder), "--program", str(program), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "r.json"), "--tile", "64",
                         "--folds", "3", "--draws", "50", "--detectors", "rich fld", *more])


def test_tiles_keep_the_grid_and_do_not_overlap():
    y, x = np.mgrid[:100, :150]
    picture = np.stack([y, x, 0 * x], -1).astype(np.uint8)
    found = pairs.tiles(picture, 32, 99, seed=1)
    corners = {(int(t[0, 0, 0]), int(t[0, 0, 1])) for t in found}
    assert len(found) == len(corners) == 3 * 4 and all(t.shape == (32, 32, 3) for t in found)
    assert all(a % 8 == 0 and b % 8 == 0 for a, b in corners)
    assert all(abs(a - c) >= 32 or abs(b - d) >= 32 for a, b in corners for c, d in corners if (a, b) != (c, d))


def test_splits_never_share_a_photo(folder):
    names = [name for name, _ in pairs.cut(folder, 64, 2)]
    assert len(names) == 24
    fold = pairs.folds(names, 5)
    assert set(fold) == set(range(5))
    for photo in {pairs.photo_of(n) for n in names}:
        assert len({f for n, f in zip(names, fold) if pairs.photo_of(n) == photo}) == 1
    with pytest.raises(ValueError, match="do not fill"):
        pairs.folds(names[:4], 5)


def test_jpeg_luma_is_its_own(folder, tmp_path):
    Image.open(folder / "photo0.png").save(tmp_path / "a.jpg", quality=75)
    luma, planes = pairs.load(tmp_path / "a.jpg")
    assert luma.shape == (72, 136) and planes.shape == (3, 72, 136) and np.array_equal(luma, np.rint(luma))
    assert np.abs(luma - pairs.load(folder / "photo0.png")[0]).mean() < 4


def test_harness_detects_what_is_loud_and_not_what_is_nothing(folder, stand_in, tmp_path, capsys):
    assert run(folder, stand_in, tmp_path, "--channels", "jpeg:75", "--payloads", "0.2", "0.99", "--keep", str(tmp_path / "kept")) == 0
    out = capsys.readouterr().out
    r = json.loads((tmp_path / "r.json").read_text())
    rows = {(row["what"], row["view"]): row for row in r["rows"] if row["what"] != "LSB replacement"}
    assert rows["undertone", "as sent"]["p_e"] < 0.1 and rows["undertone", "as sent"]["net_bpp"] == pytest.approx(0.2, abs=0.01)
    assert rows["cover against cover", "as sent"]["fixed"] > 0.25
    assert r["photos"] == 12 and "only 0 pairs" in out  # 0.99 bit/pixel fits nowhere
    # kept pictures can be packed, and the pack belongs together
    kept = tmp_path / "kept" / "as-sent"
    assert pairs.main([str(kept / "cover"), str(kept / "jpeg:75@0.2"), str(tmp_path / "p.npz"), "--rgb"]) == 0
    cover, stego, names = pairs.read_pack(tmp_path / "p.npz")
    assert cover.shape == (12, 3, 64, 64) and len(set(map(pairs.photo_of, names))) == 12
    assert np.abs(stego[:, :, 1::2].astype(int) - cover[:, :, 1::2]).max() == 0 and np.abs(stego.astype(int) - cover).max() == 3


def test_harness_goes_on_from_finished_tiles_but_not_from_others(folder, stand_in, tmp_path, capsys):
    more = ["--channels", "png", "--payloads", "0.2"]
    assert run(folder, stand_in, tmp_path, *more) == 0
    first = (tmp_path / "r.json").read_text()
    stand_in.write_text("#!/bin/sh\necho stand-in 1\n")  # makes nothing any more, so all must come from the folder
    assert run(folder, stand_in, tmp_path, *more) == 0
    assert (tmp_path / "r.json").read_text() == first
    assert run(folder, stand_in, tmp_path, "--channels", "png", "--payloads", "0.3") == 2
    assert "other settings" in capsys.readouterr().err


def test_failing_program_is_one_clear_line(folder, tmp_path, stand_in, capsys):
    stand_in.write_text("#!/bin/sh\necho undertone: broken >&2\nexit 8\n")
    assert run(folder, stand_in, tmp_path) == 2
    err = capsys.readouterr().err
    assert "broken" in err and err.count("\n") == 1 and not (tmp_path / "r.json").exists()


@pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not built")
def test_with_the_real_program(folder, tmp_path):
    program = pairs.Program(PROGRAM, tmp_path)
    out = tmp_path / "s.png"
    report = program.hide_rate(folder / "photo0.png", 0.2, "png", out, np.random.default_rng(0))
    assert report["net_bpp"] == pytest.approx(0.2, abs=0.002)
    assert np.abs(pairs.load(out)[1].astype(int) - pairs.load(folder / "photo0.png")[1]).max() == 1
    with pytest.raises(ValueError, match="header alone"):
        program.hide_rate(folder / "photo0.png", 0.01, "png", out, np.random.default_rng(0))
