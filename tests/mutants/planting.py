"""Lines of a file that are changed in a copy of the tree, and changed back: planted bugs, promises switched off.

    planting.py LIST…           fails if a line of such a list does not stand exactly once in its file
"""
import dataclasses
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@dataclasses.dataclass
class Change:
    number: int
    file: str
    words: list[str]  # behind the name of the file
    before: str = ''
    after: str = ''


def read_changes(path):
    """A line FILE WORDS…, then "- " and the line as it is, "+ " and the line as it is to be."""
    changes = []
    for line in path.read_text().splitlines():
        if line.startswith('- '):
            changes[-1].before = line[2:]
        elif line.startswith('+'):
            changes[-1].after = line[2:]
        elif line and not line.startswith('#'):
            file, *words = line.split()
            changes.append(Change(len(changes) + 1, file, words))
    return changes


def place_of(tree, change):
    """The file to be changed, and its text."""
    path = tree / change.file
    text = path.read_text()
    if text.splitlines().count(change.before) != 1:
        raise ValueError(f'line not found exactly once in {change.file}: {change.before}')
    return path, text


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

    def configure(self, *options):
        subprocess.run(['cmake', '-G', 'Ninja', '-S', self.tree, '-B', self.build, '-DCMAKE_BUILD_TYPE=Release', *options],
                       check=True, stdout=subprocess.DEVNULL)

    def compile(self, *targets):
        """What the compiler says if it does not succeed."""
        done = subprocess.run(['cmake', '--build', self.build, '--parallel', str(os.cpu_count()), '--target', *targets],
                              capture_output=True, text=True)
        return '' if done.returncode == 0 else done.stdout[-3000:]


class Planted:
    """A change in its file; the file is as it was afterwards, and newer than what was made of it."""

    def __init__(self, tree, change):
        self.path, self.text = place_of(tree.tree, change)
        self.changed = self.text.replace(change.before + '\n', change.after + '\n', 1)

    def __enter__(self):
        self.path.write_text(self.changed)

    def __exit__(self, *_):
        self.path.write_text(self.text)


def main():
    lost = 0
    for name in sys.argv[1:]:
        for change in read_changes(pathlib.Path(name)):
            try:
                place_of(ROOT, change)
            except (OSError, ValueError) as error:
                lost += 1
                print(f'{name}, {change.number}: {error}')
    return lost > 0


if __name__ == '__main__':
    sys.exit(main())
