#!/usr/bin/env python3
"""weft beside its peers: every program in a process of its own, in turns every tenth of a second, several rounds; what counts is
the ratio of medians (weft / peer).

    ./run bench                                   # five rounds at 1 and 2 threads, about a quarter of an hour
    ./run bench --only model --threads 1 --rounds 9 --json bench.json
    ./run bench --matrix                          # other models and sizes, too
    ./run bench --quick                           # one short round: does everything work?

Sections: machine (what the processor can do at best), products (of the network's training step, beside OpenBLAS and oneDNN), model
(training step and inference, beside PyTorch, libtorch, ONNX Runtime, and a step composed by hand of oneDNN's products), footprint
(start-up, memory, size of the library), matrix.
"""
from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time

from driver.programs import Programs, Shape
from driver.rounds import openmp_blas, processors, say
from driver.sections import DEFAULT, SECTIONS, Bench


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=os.path.abspath, help=argparse.SUPPRESS)  # ./run gives it
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=lambda text: [int(part) for part in text.split(",")], default=[1, 2], metavar="1,2")
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="SECTION", help=f"some of {', '.join(SECTIONS)}")
    parser.add_argument("--matrix", action="store_true", help="the section matrix, too")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--json", metavar="FILE", help="default: bench.json in the build directory")
    shape = parser.add_argument_group("the section model, of another size; beside PyTorch only")
    for name, value in vars(Shape()).items():
        shape.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    for section in args.only or []:
        if section not in SECTIONS:
            parser.error(f"--only: got '{section}', expected some of {', '.join(SECTIONS)}")
    if min(args.threads) < 1 or args.rounds < 1:
        parser.error("--threads and --rounds: expected 1 or more")
    return args


def first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else "unknown"


def describe() -> dict[str, object]:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["./run bench", *sys.argv[3:]]),
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "compiler": first_line(["c++", "--version"]),
        "commit": first_line(["git", "describe", "--always", "--dirty"]),
        "load": os.getloadavg()[0],
        "openblas": openmp_blas() or "not the OpenMP flavour",
    }


def main() -> None:
    args = parse()
    rounds, slices = (1, 2) if args.quick else (args.rounds, 5)
    most = len(processors(1_000_000))
    if max(args.threads) > most:
        say(f"only {most} processors: figures of more threads are left out")
        args.threads = [threads for threads in args.threads if threads <= most] or [most]
    wanted = args.only or [*DEFAULT, *(["matrix"] if args.matrix else [])]
    shape = Shape(args.batch, args.hidden, args.layers, args.latent)
    bench = Bench(Programs(args.build), rounds, slices, args.threads, shape, machine={})
    report: dict[str, object] = {**describe(), "rounds": rounds, "shape": vars(shape), "sections": {}}
    print("; ".join(f"{key} {report[key]}" for key in ("cpu", "cores", "date", "commit", "command")))
    print(f"medians of {rounds} rounds; ratio = weft / peer (lowest–highest of the rounds)")
    if report["load"] > 0.5:
        print(f"the machine is busy (load {report['load']:.1f}): threads that wait for each other, as OpenMP's do, suffer most, and "
              "these figures say little")
    if not openmp_blas():
        print("OpenBLAS of the OpenMP flavour is missing (Debian: libopenblas0-openmp): peers on 2 threads are slower than they could be")
    begin = time.perf_counter()
    path = args.json or os.path.join(args.build, "bench.json")
    for name in [name for name in SECTIONS if name in wanted]:
        report["sections"][name] = SECTIONS[name](bench)
        with open(path, "w", encoding="utf-8") as file:  # after each: what was measured is not lost
            json.dump(report, file, indent=1)
    print(f"{time.perf_counter() - begin:.0f} s; all figures: {path}")


if __name__ == "__main__":
    main()
