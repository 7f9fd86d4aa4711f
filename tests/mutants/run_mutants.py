#!/usr/bin/env python3
"""Plants the bugs of mutants.txt in a copy of the tree, one at a time, and tells which test finds each.

    run_mutants.py              all of them
    run_mutants.py 3 10-20      some, by their numbers in the list
    run_mutants.py --list       the numbers

A mutant is killed by a test that fails (or does not end). One that survives says that a test is missing; one whose line
is not found exactly once, or that does not compile, is an error of the list.
"""
import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TIMEOUT = 300  # seconds for the tests of one mutant, which take a few


@dataclasses.dataclass
class Mutant:
    number: int
    file: str
    tests: str
    filter: str
    before: str = ''
    after: str = ''

    @property
    def target(self):
        return f'weft_{self.tests}_tests'


def read_mutants():
    mutants = []
    for line in (HERE / 'mutants.txt').read_text().splitlines():
        if line.startswith('- '):
            mutants[-1].before = line[2:]
        elif line.startswith('+ '):
            mutants[-1].after = line[2:]
        elif line and not line.startswith('#'):
            mutants.append(Mutant(len(mutants) + 1, *line.split()))
    return mutants


def chosen(mutants, numbers):
    if not numbers:
        return mutants
    wanted = set()
    for text in numbers:
        first, _, last = text.partition('-')
        wanted.update(range(int(first), int(last or first) + 1))
    return [mutant for mutant in mutants if mutant.number in wanted]


class Tree:
    """A copy of the files that git knows, and its build."""

    def __init__(self, tree, build):
        self.tree, self.build = tree, build

    def copy(self):
        for name in subprocess.run(['git', '-C', ROOT, 'ls-files', '-z'], check=True, capture_output=True).stdout.decode().split('\0'):
            source, target = ROOT / name, self.tree / name
            if name and source.is_file() and not (target.exists() and target.read_bytes() == source.read_bytes()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
                target.chmod(source.stat().st_mode)

    def configure(self):
        # Bugs are found by any build; this one is the quickest to make.
        subprocess.run(['cmake', '-G', 'Ninja', '-S', self.tree, '-B', self.build, '-DCMAKE_BUILD_TYPE=Release',
                        '-DCMAKE_CXX_FLAGS_RELEASE=-O1'], check=True, stdout=subprocess.DEVNULL)

    def compile(self, target):
        """What the compiler says if it does not succeed."""
        done = subprocess.run(['cmake', '--build', self.build, '--parallel', str(os.cpu_count()), '--target', target],
                              capture_output=True, text=True)
        return '' if done.returncode == 0 else done.stdout[-3000:]

    def test(self, mutant):
        """The first test that fails, '' if all pass, None if there are none."""
        command = [self.build / 'tests' / mutant.target, f'--gtest_filter={mutant.filter}', '--gtest_color=no',
                   '--gtest_fail_fast']
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=TIMEOUT)
        except subprocess.TimeoutExpired as expired:
            started = re.findall(r'\[ RUN      \] (\S+)', (expired.stdout or b'').decode(errors='replace'))
            return f'{started[-1] if started else mutant.filter} (does not end)'
        if done.returncode == 0:
            return '' if re.search(r'\[  PASSED  \] [1-9]', done.stdout) else None
        failed = re.findall(r'\[  FAILED  \] ([^\s,]+)', done.stdout)
        started = re.findall(r'\[ RUN      \] (\S+)', done.stdout)
        return failed[0] if failed else f'{started[-1] if started else mutant.filter} (ends the process)'


class Planted:
    """A mutant in its file; the file is as it was afterwards, and newer than what was made of it."""

    def __init__(self, tree, mutant):
        self.path = tree.tree / mutant.file
        self.text = self.path.read_text()
        if self.text.splitlines().count(mutant.before) != 1:
            raise ValueError(f'line not found exactly once in {mutant.file}: {mutant.before}')
        self.mutated = self.text.replace(mutant.before + '\n', mutant.after + '\n', 1)

    def __enter__(self):
        self.path.write_text(self.mutated)

    def __exit__(self, *_):
        self.path.write_text(self.text)


def check_unharmed(tree, mutants):
    """Every filter names tests, and they pass where nothing is planted."""
    for target in sorted({mutant.target for mutant in mutants}):
        problem = tree.compile(target)
        if problem:
            sys.exit(f'run_mutants.py: {target} does not compile:\n{problem}')
        for mutant in {m.filter: m for m in mutants if m.target == target}.values():
            failed = tree.test(mutant)
            if failed or failed is None:
                sys.exit(f'run_mutants.py: without a bug: {target} --gtest_filter={mutant.filter}: {failed or "no tests"}')


def run(tree, mutant):
    """'killed', 'survived' or 'error', and by what."""
    try:
        with Planted(tree, mutant):
            problem = tree.compile(mutant.target)
            if problem:
                return 'error', 'does not compile: ' + ' '.join(re.findall(r'error: .*', problem)[:1])
            failed = tree.test(mutant)
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
    mutants = chosen(read_mutants(), arguments.numbers)
    if arguments.list:
        for mutant in mutants:
            print(f'{mutant.number:>3}  {mutant.file:<45} {mutant.after.strip()}')
        return
    place = ROOT / 'build' / 'mutants'
    tree = Tree(arguments.tree or place / 'tree', arguments.build or place / 'build')
    if arguments.tree is None:
        tree.copy()
    if arguments.build is None:
        tree.configure()
    check_unharmed(tree, mutants)
    counts = {'killed': 0, 'survived': 0, 'error': 0}
    for mutant in sorted(mutants, key=lambda m: (m.target, m.file, m.number)):
        outcome, by = run(tree, mutant)
        counts[outcome] += 1
        print(f'{mutant.number:>3}  {outcome:<8}  {mutant.file:<45} {by}', flush=True)
    print(f'{counts["killed"]} of {len(mutants)} killed, {counts["survived"]} survived, {counts["error"]} errors')
    sys.exit(0 if counts['killed'] == len(mutants) else 1)


if __name__ == '__main__':
    main()
