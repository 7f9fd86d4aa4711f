"""What is measured: each section runs its programs in turns, prints its tables, and returns all figures."""
from __future__ import annotations

import math
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from .programs import Programs, Shape
from .rounds import Missing, Program, in_turns, run_start_up, side_by_side
from .tables import Results, median, number, print_beside, print_table

BATCH = 128
# How often a training step does the products of a layer: all, and those that hand a gradient on.
LAYERS = {"784->512": (1, 0), "512->512": (4, 4), "512->784": (1, 1), "512->2": (2, 2), "2->512": (1, 1)}


@dataclass
class Bench:
    programs: Programs
    rounds: int
    slices: int  # of a round
    threads: list[int]
    shape: Shape
    machine: dict[int, Results]  # of the section of that name; empty if it was left out


def here(programs: list[Program | Missing]) -> list[Program]:
    return [program for program in programs if isinstance(program, Program)]


def counted(threads: int) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}"


def machine(bench: Bench) -> dict[int, Results]:
    programs = bench.programs.machine()
    results = {threads: in_turns("machine", here(programs), threads, bench.rounds) for threads in bench.threads}
    rows = {"fma_gflops": "f32 multiply-add, GFLOP/s"}
    for level in ("L1", "L2", "L3", "memory"):
        for kind in ("read", "triad"):
            rows[f"{level}_{kind}_gbs"] = f"{level} {kind}, GB/s"
    lines = []
    for key, name in rows.items():
        values = [median(results[threads], "weft", key) for threads in bench.threads]
        lines.append([name, *("–" if value is None else number(value) for value in values)])
    print_table(["this processor", *(counted(threads) for threads in bench.threads)], lines)
    bench.machine = results
    return results


def step_ms(figures: dict[str, float], heat: str) -> float:
    """All products of a training step at these rates."""
    total = 0.0
    for layer, (count, handed_on) in LAYERS.items():
        inputs, outputs = map(int, layer.split("->"))
        megaflops = 2e-6 * BATCH * inputs * outputs
        for kind, times in (("fwd", count), ("dX", handed_on), ("dW", count)):
            if times:
                total += times * megaflops / figures[f"{kind} {layer} {heat}"]
    return total


def products(bench: Bench) -> dict[int, Results]:
    programs = bench.programs.products()
    results: dict[int, Results] = {}
    for threads in bench.threads:
        results[threads] = side_by_side("products", here(programs), threads, bench.rounds, bench.slices)
        for figures in [each for rounds in results[threads].values() for each in rounds]:
            figures |= {f"step {heat} ms": step_ms(figures, heat) for heat in ("hot", "cold")}
        ours = results[threads].get("weft", [{}])[0]
        peak = median(bench.machine.get(threads, {}), "weft", "fma_gflops")
        for heat in ("hot", "cold"):
            rows = {key: key.removesuffix(f" {heat}") for key in ours if key.endswith(f" {heat}")}
            print_beside(f"{heat}, {counted(threads)}, GFLOP/s", programs, results[threads],
                         rows | {f"step {heat} ms": "26 products of a step, ms"}, dict.fromkeys(rows, peak) if peak else None)
    return results


def model(bench: Bench) -> dict[int, Results]:
    programs = bench.programs.model(bench.shape)
    rows = {"train_ms": f"training step, batch {bench.shape.batch}"}
    for half in ("encoder", "decoder"):
        for batch in (1, 128, 1024):
            rows[f"{half}_ms_{batch}"] = f"{half}, {batch} image{'s' if batch > 1 else ''}"
    results = {}
    for threads in bench.threads:
        results[threads] = side_by_side("model", here(programs), threads, bench.rounds, bench.slices)
        print_beside(f"{counted(threads)}, ms", programs, results[threads], rows)
    return results


def matrix_rows() -> dict[str, tuple[str, ...]]:
    """Name → options of both programs. Batch normalisation cannot be trained on one image, so a batch of 1 is the
    classifier's."""
    rows: dict[str, tuple[str, ...]] = {"tutorial's": ()}
    for option, values in (("hidden", (64, 256, 1024, 2048)), ("layers", (1, 2, 8)), ("batch", (17, 100, 256, 1000)),
                           ("latent", (8, 20, 64))):
        for value in values:
            rows[f"{option} {value}"] = (f"--{option}", str(value))
    classifier = ("--model", "classifier", "--layers", "2")
    return rows | {
        "float64": ("--dtype", "float64"),
        "classifier 784-512-512-10": classifier,
        "classifier, batch 1": (*classifier, "--batch", "1"),
        "classifier, float64": (*classifier, "--dtype", "float64"),
        "classifier, 32 layers of 64": ("--model", "classifier", "--layers", "32", "--hidden", "64"),
    }


def matrix(bench: Bench) -> dict[str, dict[int, Results]]:
    results: dict[str, dict[int, Results]] = {}
    for threads in bench.threads:
        ratios, lines = [], []
        for name, options in matrix_rows().items():
            programs = bench.programs.training(*options)
            figures = side_by_side(f"matrix, {name}", here(programs), threads, bench.rounds, bench.slices)
            results.setdefault(name, {})[threads] = figures
            ours, theirs = median(figures, "weft", "train_ms"), median(figures, "PyTorch", "train_ms")
            if ours and theirs:
                ratios.append(ours / theirs)
            lines.append([name, number(ours) if ours else "failed", number(theirs) if theirs else "missing",
                          f"{ours / theirs:.2f}" if ours and theirs else "–"])
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            lines.append([f"geometric mean of {len(ratios)}", "", "", f"{mean:.2f}"])
        print_table([f"training step, {counted(threads)}, ms", "weft", "PyTorch", "ratio"], lines)
    return results


def stripped_megabytes(library: str) -> float:
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, os.path.basename(library))
        shutil.copy(library, copy)
        subprocess.run(["strip", "--strip-unneeded", copy], check=True)
        return os.path.getsize(copy) / 2**20


def footprint(bench: Bench) -> dict[str, object]:
    programs = bench.programs.start_up()
    threads = max(bench.threads)
    results = in_turns("start-up", here(programs), threads, bench.rounds, run_start_up)
    print_beside(f"start-up, {counted(threads)}", programs, results,
                 {"first_step_ms": "process start to end of first step, ms", "peak_rss_mb": "peak memory after 21 steps, MiB"})
    sizes = {}
    for name, kind in (("libweft.a", "static"), ("libweft.so", "shared")):
        library = os.path.join(bench.programs.build, name)
        if os.path.exists(library):
            sizes[kind] = stripped_megabytes(os.path.realpath(library))
            print(f"library, {kind}, stripped: {sizes[kind]:.2f} MiB")
    return {"threads": threads, "start_up": results, "library_mib": sizes}


SECTIONS = {"machine": machine, "products": products, "model": model, "footprint": footprint, "matrix": matrix}
DEFAULT = ("machine", "products", "model", "footprint")
