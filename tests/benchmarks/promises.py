#!/usr/bin/env python3
"""What the promises cost: weft beside itself with the promises of promises.txt switched off, in turns.

    tests/benchmarks/promises.py [--rounds 5] [--threads 1,2]

Builds both in build/promises. Ratios are with / without: of a training step, and of whole runs of `vae train`, whose checkpoints
are on the disk after each epoch.
"""
import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'mutants'))

from driver.rounds import Program, in_turns, side_by_side, start
from driver.tables import print_beside
from planting import ROOT, Planted, Tree, read_changes

EPOCHS = 3


def build(place, changes):
    """The tree with these changes, built."""
    tree = Tree(place / 'tree', place / 'build')
    tree.copy()
    with contextlib.ExitStack() as stack:
        for change in changes:
            stack.enter_context(Planted(tree, change))
        tree.configure()
        problem = tree.compile('weft_model', 'vae')
    if problem:
        sys.exit(f'promises.py: does not compile:\n{problem}')
    return tree.build


def run_seconds(program, threads):
    """Of a whole run, with its pictures and checkpoints."""
    with tempfile.TemporaryDirectory() as directory:
        out = Program(program.name, (*program.command, '--out', f'{directory}/run'))
        begin = time.perf_counter()
        process = start(out, threads)
        _, errors = process.communicate()
        if process.returncode != 0:
            sys.exit(f'promises.py: {program.name}: exit {process.returncode}: {errors.strip()[-300:]}')
        return {'run_s': time.perf_counter() - begin}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=lambda text: [int(part) for part in text.split(',')], default=[1, 2], metavar='1,2')
    arguments = parser.parse_args()
    place = ROOT / 'build' / 'promises'
    builds = {'weft': build(place / 'with', []), 'without': build(place / 'without', read_changes(HERE / 'promises.txt'))}
    steps = [Program(name, (str(path / 'tests/benchmarks/weft_model'), '--threads', '{threads}')) for name, path in builds.items()]
    runs = [Program(name, (str(path / 'examples/vae'), 'train', '--epochs', str(EPOCHS), '--validation', '0', '--threads', '{threads}'))
            for name, path in builds.items()]
    for threads in arguments.threads:
        results = side_by_side('step', steps, threads, arguments.rounds, slices=10)
        print_beside(f'{threads} threads, ms', steps, results, {'train_ms': 'training step, batch 128'})
        results = in_turns('run', runs, threads, arguments.rounds, run_seconds)
        print_beside(f'{threads} threads, s', runs, results, {'run_s': f'vae train --epochs {EPOCHS}'})


if __name__ == '__main__':
    main()
