#!/usr/bin/env python3
"""Runs the fuzzers of a build with the preset `fuzz`, two at a time, and tells what each found.

    fuzz.py all 1200            every harness for twenty minutes; its log is BUILD/fuzz/NAME.log
    fuzz.py text                one, for a minute
    fuzz.py all --coverage      lines of each reader that the corpora in the tree reach
    fuzz.py text --minimise     the corpus in the tree becomes the least that covers what it and the found inputs cover
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Beyond the file itself (64 KiB), a reader of checkpoints or graph text needs little; an idx file may claim more than it
# holds and is given a mebibyte, and gzip grows a thousandfold at most.
MEGABYTES_AT_ONCE = {'checkpoint': 8, 'header': 8, 'text': 32, 'idx': 8, 'gzip': 128, 'builders': 32, 'command_line': 128}
# Stderr is what the harness looks at.
MORE = {'command_line': ['-close_fd_mask=3']}


def names():
    return sorted(path.stem.removesuffix('_fuzzer') for path in HERE.glob('*_fuzzer.cpp'))


class Fuzzer:
    def __init__(self, name, build):
        self.name = name
        self.binary = build / 'tests' / 'fuzz' / f'{name}_fuzzer'
        self.seeds = HERE / 'corpus' / name
        self.work = build / 'fuzz'
        self.found = self.work / 'corpus' / name
        self.findings = self.work / 'findings' / name
        for directory in (self.found, self.findings):
            directory.mkdir(parents=True, exist_ok=True)

    def environment(self):
        # Memory that was freed comes back soon, so that it is still in the cache; where it was allocated is told to who runs a
        # finding again.
        return os.environ | {
            'ASAN_OPTIONS': 'quarantine_size_mb=8:malloc_context_size=0:allocator_may_return_null=0',
            'LSAN_OPTIONS': f'suppressions={HERE.parent / "support" / "leaks.txt"}:print_suppressions=0',
            'LLVM_PROFILE_FILE': str(self.work / f'{self.name}.profraw'),
        }

    def options(self):
        # Without the entropic schedule: where an input reaches thousands of edges, its lists of rare ones take most of the time.
        options = ['-entropic=0', '-max_len=65536', '-rss_limit_mb=512', '-timeout=5', '-print_final_stats=1',
                   f'-malloc_limit_mb={MEGABYTES_AT_ONCE[self.name]}', f'-artifact_prefix={self.findings}/']
        dictionary = HERE / f'{self.name}.dict'
        return options + MORE.get(self.name, []) + ([f'-dict={dictionary}'] if dictionary.exists() else [])

    def run(self, *arguments):
        """The exit status, seconds of CPU and text of one process."""
        log = self.work / f'{self.name}.log'
        with open(log, 'wb') as out:
            process = subprocess.Popen([self.binary, *self.options(), *map(str, arguments)], stdout=out,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.environment())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage.ru_utime + usage.ru_stime, log.read_text(errors='replace')

    def fuzz(self, seconds):
        status, cpu, text = self.run(f'-max_total_time={seconds}', self.found, self.seeds)
        figures = dict(re.findall(r'stat::(\w+):\s+(\d+)', text))
        executions = int(figures.get('number_of_executed_units', 0))
        kept = sorted(path.name for path in self.findings.iterdir())
        if status == 0 and not kept:
            outcome = '0 findings'
        else:
            outcome = f'FINDING (exit status {status}): {", ".join(kept) or "none kept"} in {self.findings}'
        print(f'{self.name:<13} {executions:>12,} executions {executions / max(cpu, 1):>8,.0f} a second of CPU '
              f'{cpu:>7,.0f} s of CPU   {outcome}   {self.work / self.name}.log', flush=True)
        return status == 0 and not kept

    def replay(self):
        status, _, _ = self.run('-runs=0', self.seeds)
        return status == 0

    def minimise(self):
        with tempfile.TemporaryDirectory() as least:
            status, _, text = self.run('-merge=1', least, self.seeds, self.found)
            if status != 0:
                print(text[-2000:])
                return False
            shutil.rmtree(self.seeds)
            shutil.copytree(least, self.seeds)
        files = list(self.seeds.iterdir())
        print(f'{self.name:<13} {len(files)} files, {sum(file.stat().st_size for file in files):,} bytes')
        return True


def coverage(fuzzers):
    """Prints the covered lines of each file that readers.txt names; true if each has at least 90 %."""
    work = fuzzers[0].work
    for fuzzer in fuzzers:
        if not fuzzer.replay():
            sys.exit(f'fuzz.py: {fuzzer.name}: its corpus has a finding; see {work / fuzzer.name}.log')
    profile = work / 'all.profdata'
    subprocess.run(['llvm-profdata-14', 'merge', '-o', profile, *(work / f'{f.name}.profraw' for f in fuzzers)], check=True)
    readers = [line for line in (HERE / 'readers.txt').read_text().splitlines() if line.endswith('.cpp')]
    objects = [part for fuzzer in fuzzers[1:] for part in ('-object', fuzzer.binary)]
    report = subprocess.run(['llvm-cov-14', 'export', '-summary-only', f'-instr-profile={profile}', fuzzers[0].binary,
                             *objects], check=True, capture_output=True).stdout
    enough = True
    for file in json.loads(report)['data'][0]['files']:
        for reader in readers:
            if file['filename'].endswith('/' + reader):
                lines = file['summary']['lines']
                enough &= lines['percent'] >= 90
                print(f'{reader:<42} {lines["covered"]:>5} of {lines["count"]:>5} lines  {lines["percent"]:5.1f} %')
    return enough


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', choices=names() + ['all'])
    parser.add_argument('seconds', nargs='?', type=int, default=60)
    parser.add_argument('--build', type=pathlib.Path, default=HERE.parent.parent / 'build' / 'fuzz')
    parser.add_argument('--coverage', action='store_true')
    parser.add_argument('--minimise', action='store_true')
    arguments = parser.parse_args()
    fuzzers = [Fuzzer(name, arguments.build.resolve()) for name in (names() if arguments.name == 'all' else [arguments.name])]
    if arguments.coverage:
        sys.exit(0 if coverage(fuzzers) else 1)
    if arguments.minimise:
        sys.exit(0 if all([fuzzer.minimise() for fuzzer in fuzzers]) else 1)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as two:
        good = list(two.map(lambda fuzzer: fuzzer.fuzz(arguments.seconds), fuzzers))
    sys.exit(0 if all(good) else 1)


if __name__ == '__main__':
    main()
