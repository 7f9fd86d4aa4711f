#!/usr/bin/env python3
"""weft beside PyTorch: both run in turns, several rounds, and what counts is the ratio of their medians.

    ./run bench                          # five rounds at 1 and 2 threads
    ./run bench --rounds 3 --threads 1 --hidden 256 --json bench.json
"""
import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, which Debian's python3-torch belongs to


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, help="the vae binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", help="write all figures to this file")
    for name, default in (("batch", 128), ("hidden", 512), ("layers", 3), ("latent", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def peer_environment():
    """The fairest settings: the OpenMP flavour of OpenBLAS where it is installed, and memory that is not given back."""
    environment = dict(os.environ, MALLOC_MMAP_THRESHOLD_="1073741824", MALLOC_TRIM_THRESHOLD_="4294967296")
    openmp = glob.glob("/usr/lib/*/openblas-openmp")
    if openmp:
        environment["LD_LIBRARY_PATH"] = openmp[0]
    return environment, bool(openmp)


def run(command, environment=None):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    args = parse()
    environment, openmp = peer_environment()
    has_torch = subprocess.run([PYTHON, "-c", "import torch"], capture_output=True, check=False).returncode == 0
    if not has_torch:
        print("PyTorch is missing (Debian: python3-torch): weft alone is measured")
    elif not openmp:
        print("OpenBLAS of the OpenMP flavour is missing (Debian: libopenblas0-openmp): PyTorch may be slower than it could be")
    shape = [part for name in ("batch", "hidden", "layers", "latent") for part in (f"--{name}", str(getattr(args, name)))]
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    print(f"{cpu}, {os.cpu_count()} cores; {args.rounds} rounds, medians in ms, ratio = weft / PyTorch")
    report = {"cpu": cpu, "rounds": args.rounds, "shape": shape, "threads": {}}
    for threads in args.threads:
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(run([args.tool, "bench", "--json", "--threads", str(threads), *shape]))
            if has_torch:
                theirs.append(run([PYTHON, os.path.join(HERE, "torch_vae.py"), "--threads", str(threads), *shape], environment))
        report["threads"][threads] = {"weft": ours, "pytorch": theirs}
        print(f"\n{threads} thread{'s' if threads > 1 else ''}            weft     PyTorch   ratio   ratios of the rounds")
        for key in [k for k in ours[0] if k == "train_ms" or k.startswith(("encoder_ms", "decoder_ms"))]:
            mine = statistics.median(r[key] for r in ours)
            line = f"{key:16} {mine:9.4f}"
            if has_torch:
                other = statistics.median(r[key] for r in theirs)
                ratios = " ".join(f"{a[key] / b[key]:.2f}" for a, b in zip(ours, theirs))
                line += f"   {other:9.4f}   {mine / other:5.2f}   {ratios}"
            print(line)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)


main()
