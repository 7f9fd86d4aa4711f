"""Programs in turns, all with the same processors and the same environment."""
from __future__ import annotations

import glob
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

Figures = dict[str, float]
SLICE_SECONDS = 0.1


@dataclass(frozen=True)
class Program:
    """`{threads}` in the command is replaced."""
    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """A peer that is not here, and what would bring it."""
    name: str
    reason: str


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def processors(threads: int) -> set[int]:
    """As many as there are threads, no two of one core while there are other cores."""
    allowed = sorted(os.sched_getaffinity(0))
    siblings: dict[str, int] = {}
    for cpu in allowed:
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", encoding="utf-8") as file:
                siblings.setdefault(file.read().strip(), cpu)
        except OSError:
            siblings[str(cpu)] = cpu
    firsts = sorted(siblings.values())
    return set((firsts + [cpu for cpu in allowed if cpu not in firsts])[:threads])


def openmp_blas() -> str | None:
    """The directory of OpenBLAS in the flavour that does not fight PyTorch's own threads."""
    return next(iter(glob.glob("/usr/lib/*/openblas-openmp")), None)


def environment_for(threads: int) -> dict[str, str]:
    """Best settings of the peers that we know; ours ignores them."""
    result = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                  MALLOC_MMAP_THRESHOLD_="1073741824", MALLOC_TRIM_THRESHOLD_="4294967296")
    blas = openmp_blas()
    if blas:
        result["LD_LIBRARY_PATH"] = blas
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        if "avx512f" in file.read():
            result["ATEN_CPU_CAPABILITY"] = "avx512"
    return result


def start(program: Program, threads: int) -> subprocess.Popen[str]:
    cpus = processors(threads)
    return subprocess.Popen([part.replace("{threads}", str(threads)) for part in program.command],
                            env=environment_for(threads) | program.environment, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, cpus))


def run(program: Program, threads: int) -> Figures | None:
    """Of a program that prints a JSON line of figures and ends: the figures, or None and a sentence on stderr."""
    process = start(program, threads)
    output, errors = process.communicate()
    if process.returncode != 0:
        say(f"{program.name}: exit {process.returncode}: {errors.strip()[-300:]}")
        return None
    return json.loads(output.strip().splitlines()[-1])


def run_start_up(program: Program, threads: int) -> Figures | None:
    """For a program that prints a line behind its first step and goes on for some more."""
    begin = time.perf_counter()
    with start(program, threads) as process:
        line = process.stdout.readline()
        seconds = time.perf_counter() - begin
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0 or not line:
            say(f"{program.name}: exit {process.returncode}: {process.stderr.read().strip()[-300:]}")
            return None
    return {"first_step_ms": 1e3 * seconds, "peak_rss_mb": usage.ru_maxrss / 1024}


class Asked:
    """A program that answers as tests/benchmarks/answers.h does. While others are asked it is stopped, so that no thread of it
    that spins for work takes their time."""

    def __init__(self, program: Program, threads: int) -> None:
        self.name = program.name
        self._process = start(program, threads)
        self.figures: list[str] = []
        if (line := self._line()) is not None:
            self.figures = json.loads(line)["figures"]
            self._process.send_signal(signal.SIGSTOP)

    def _line(self) -> str | None:
        """The next of its answers, or None and a sentence on stderr if it ended."""
        line = self._process.stdout.readline()
        if line:
            return line
        errors = self._process.communicate()[1]
        say(f"{self.name}: exit {self._process.returncode}: {errors.strip()[-300:]}")
        self.figures = []
        return None

    def ask(self, figure: str, seconds: float) -> float | None:
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(f"{seconds} {figure}\n")
        self._process.stdin.flush()
        line = self._line()
        if line is None:
            return None
        self._process.send_signal(signal.SIGSTOP)
        return float(line)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def side_by_side(what: str, programs: list[Program], threads: int, rounds: int, slices: int) -> dict[str, list[Figures]]:
    """All programs at once, asked in turns, a tenth of a second each: what else happens on the machine meets them alike. A
    figure of a round is the median of its slices. Who fails once is left out."""
    asked = [Asked(program, threads) for program in programs]
    results: dict[str, list[Figures]] = {each.name: [] for each in asked}
    try:
        for turn in range(rounds):
            say(f"{what}, {threads} thread{'s' if threads > 1 else ''}: round {turn + 1} of {rounds}")
            for each in asked:
                results[each.name].append({})
            for figure in asked[0].figures:
                answers: dict[str, list[float]] = {}
                for begin in range(slices):
                    first = begin % len(asked)
                    for each in asked[first:] + asked[:first]:
                        if figure in each.figures and (answer := each.ask(figure, SLICE_SECONDS)) is not None:
                            answers.setdefault(each.name, []).append(answer)
                for name, values in answers.items():
                    results[name][-1][figure] = statistics.median(values)
        return {each.name: results[each.name] for each in asked if each.figures}
    finally:
        for each in asked:
            each.end()


def in_turns(what: str, programs: list[Program], threads: int, rounds: int, measure=run) -> dict[str, list[Figures]]:
    """Every program once a round; who begins changes from round to round. Who fails once is left out."""
    results: dict[str, list[Figures]] = {program.name: [] for program in programs}
    failed: set[str] = set()
    for turn in range(rounds):
        say(f"{what}, {threads} thread{'s' if threads > 1 else ''}: round {turn + 1} of {rounds}")
        first = turn % len(programs)
        for program in programs[first:] + programs[:first]:
            if program.name in failed:
                continue
            figures = measure(program, threads)
            if figures is None:
                failed.add(program.name)
            else:
                results[program.name].append(figures)
    return {name: figures for name, figures in results.items() if name not in failed}
