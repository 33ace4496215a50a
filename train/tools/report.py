"""All rows of docs/RESULTS.md's section on the enhancer, as Markdown: three sets, every stage, the shipped program, and both coded.

    python tools/report.py --data DATA --pack PACK [--run A=RUN ...] [--enhance COMMAND] [--same A] [--code COMMAND] [--kbps 6,9,12,16] [--out FILE]

  --run      a stage's name and its folder; each is scored in PyTorch
  --enhance  the shipped program, "../build/undertone enhance {in} -o {out}"
  --same     the run whose weights it holds (the last --run unless given): the two are compared file by file
  --code     "../build/tools/code_voice {in} {out} opus {kbps}": the shipped program (without one, the last run) and the clean recordings, coded

A row that fails says so in its place, and the exit status is 1.  Everything file by file goes to --json FOLDER.
"""
import argparse
import contextlib
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from undertone_train import metrics, score  # noqa: E402

TITLES = dict(voicebank="VoiceBank+DEMAND test pairs", unseen="Unseen speakers in unseen noise", competing="Another voice in the background")
SHIPPED = "shipped model in C"


def machine():
    """The processor's name and the commit, for whoever repeats this."""
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "unknown processor")
    git = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return f"{cpu}, commit {git.stdout.strip() or 'unknown'}"


def options(a, name, folder):
    """score's command line for one set."""
    words = ["--set", name, "--data", a.data, "--pack", a.pack, "--cache", a.cache, "--json", str(folder / f"{name}.json")]
    for run in a.run:
        words += ["--system", run]
    if a.enhance:
        words += ["--system", f"{SHIPPED}={a.enhance}"]
    if a.limit:
        words += ["--limit", str(a.limit)]
    if a.code and name != "competing":
        words += ["--system", "clean=clean"] if name == "voicebank" else []
        last = [SHIPPED] if a.enhance else [r.partition("=")[0] for r in a.run[-1:]]
        coded = last + (["clean"] if name == "voicebank" else [])
        words += ["--code", a.code, "--kbps", a.kbps, "--coded", ",".join(coded)] if coded else []
    return words


def same_weights(rows, torch_name):
    """How far the C program is from PyTorch with the same weights."""
    ours, theirs = (next((r for r in rows if r["system"] == n and "failed" not in r), None) for n in (SHIPPED, torch_name))
    if not ours or not theirs:
        return None
    parts = []
    for m in metrics.NAMES:
        d = [ours["files"][f][m] - theirs["files"][f][m] for f in ours["files"]]
        parts.append(f"{metrics.TITLES[m]} {sum(d) / len(d):+.4f} (greatest {max(d, key=abs):+.4f})")
    return f"C minus PyTorch ({torch_name}), mean over files: " + "; ".join(parts) + "."


def section(a, name, folder):
    """(Markdown, exit status)."""
    words, text = options(a, name, folder), io.StringIO()
    print(f"== {name}", file=sys.stderr, flush=True)
    with contextlib.redirect_stdout(text):
        status = score.main(words)
    out = f"### {TITLES[name]}\n\n{text.getvalue()}"
    if status == 2:
        return out + "\nfailed: the set could not be scored\n", 1
    if a.enhance and a.run:
        line = same_weights(json.loads((folder / f"{name}.json").read_text())["rows"], a.same or a.run[-1].partition("=")[0])
        out += f"\n{line or 'C against PyTorch: not compared, a row failed'}\n"
    return out + f"\n    python -m undertone_train.score {shlex.join(words)}\n", status


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python tools/report.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True)
    ap.add_argument("--pack", required=True)
    ap.add_argument("--run", action="append", default=[], metavar="NAME=RUN")
    ap.add_argument("--enhance")
    ap.add_argument("--same")
    ap.add_argument("--code")
    ap.add_argument("--kbps", default="6,9,12,16")
    ap.add_argument("--sets", default="voicebank,unseen,competing")
    ap.add_argument("--limit", type=int)
    ap.add_argument("--cache", default="runs/score-cache")
    ap.add_argument("--json", default="runs/report", help="folder")
    ap.add_argument("--out")
    a = ap.parse_args(argv)
    folder = Path(a.json)
    folder.mkdir(parents=True, exist_ok=True)
    done = [section(a, name, folder) for name in a.sets.split(",")]
    text = f"Measured on {machine()}.\n\n" + "\n".join(part for part, _ in done)
    if a.out:
        Path(a.out).write_text(text)
    else:
        print(text)
    return max(status for _, status in done)


if __name__ == "__main__":
    sys.exit(main())
