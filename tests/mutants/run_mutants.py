#!/usr/bin/env python3
"""Plants the bugs of mutants.txt in a copy of the tree, one at a time, and tells which test finds each.

    run_mutants.py              all of them
    run_mutants.py 3 10-20      some, by their numbers in the list
    run_mutants.py --list       the numbers

A mutant is killed by a test that fails (or does not end). One that survives says that a test is missing; one whose line
is not found exactly once, or that does not compile, is an error of the list.
"""
import argparse
import pathlib
import re
import subprocess
import sys

from planting import ROOT, Planted, Tree, read_changes

TIMEOUT = 300  # seconds for the tests of one mutant, which take a few


def target_of(mutant):
    return f'weft_{mutant.words[0]}_tests'


def filter_of(mutant):
    return mutant.words[1]


def chosen(mutants, numbers):
    if not numbers:
        return mutants
    wanted = set()
    for text in numbers:
        first, _, last = text.partition('-')
        wanted.update(range(int(first), int(last or first) + 1))
    return [mutant for mutant in mutants if mutant.number in wanted]


def first_failure(tree, mutant):
    """The first test that fails, '' if all pass, None if there are none."""
    command = [tree.build / 'tests' / target_of(mutant), f'--gtest_filter={filter_of(mutant)}', '--gtest_color=no',
               '--gtest_fail_fast']
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=TIMEOUT)
    except subprocess.TimeoutExpired as expired:
        started = re.findall(r'\[ RUN      \] (\S+)', (expired.stdout or b'').decode(errors='replace'))
        return f'{started[-1] if started else filter_of(mutant)} (does not end)'
    if done.returncode == 0:
        return '' if re.search(r'\[  PASSED  \] [1-9]', done.stdout) else None
    failed = re.findall(r'\[  FAILED  \] ([^\s,]+)', done.stdout)
    started = re.findall(r'\[ RUN      \] (\S+)', done.stdout)
    return failed[0] if failed else f'{started[-1] if started else filter_of(mutant)} (ends the process)'


def check_unharmed(tree, mutants):
    """Every filter names tests, and they pass where nothing is planted."""
    for target in sorted({target_of(mutant) for mutant in mutants}):
        problem = tree.compile(target)
        if problem:
            sys.exit(f'run_mutants.py: {target} does not compile:\n{problem}')
        for mutant in {filter_of(m): m for m in mutants if target_of(m) == target}.values():
            failed = first_failure(tree, mutant)
            if failed or failed is None:
                sys.exit(f'run_mutants.py: without a bug: {target} --gtest_filter={filter_of(mutant)}: {failed or "no tests"}')


def run(tree, mutant):
    """'killed', 'survived' or 'error', and by what."""
    try:
        with Planted(tree, mutant):
            problem = tree.compile(target_of(mutant))
            if problem:
                return 'error', 'does not compile: ' + ' '.join(re.findall(r'error: .*', problem)[:1])
            failed = first_failure(tree, mutant)
    except ValueError as error:
        return 'error', str(error)
    return ('killed', failed) if failed else ('survived', mutant.after.strip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('numbers', nargs='*', metavar='N')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--tree', type=pathlib.Path, help='a copy that is there already, with its build in --build')
    parser.add_argument('--build', type=pathlib.Path)
    arguments = parser.parse_args()
    mutants = chosen(read_changes(pathlib.Path(__file__).with_name('mutants.txt')), arguments.numbers)
    if arguments.list:
        for mutant in mutants:
            print(f'{mutant.number:>3}  {mutant.file:<45} {mutant.after.strip()}')
        return
    place = ROOT / 'build' / 'mutants'
    tree = Tree(arguments.tree or place / 'tree', arguments.build or place / 'build')
    if arguments.tree is None:
        tree.copy()
    if arguments.build is None:
        tree.configure('-DCMAKE_CXX_FLAGS_RELEASE=-O1')  # bugs are found by any build; this one is the quickest to make
    check_unharmed(tree, mutants)
    counts = {'killed': 0, 'survived': 0, 'error': 0}
    for mutant in sorted(mutants, key=lambda m: (target_of(m), m.file, m.number)):
        outcome, by = run(tree, mutant)
        counts[outcome] += 1
        print(f'{mutant.number:>3}  {outcome:<8}  {mutant.file:<45} {by}', flush=True)
    print(f'{counts["killed"]} of {len(mutants)} killed, {counts["survived"]} survived, {counts["error"]} errors')
    sys.exit(0 if counts['killed'] == len(mutants) else 1)


if __name__ == '__main__':
    main()
