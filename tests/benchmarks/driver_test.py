"""The driver of ./run bench, on programs that print what they are told."""
import contextlib
import io
import json
import os
import sys
import unittest

from driver import rounds, sections, tables
from driver.rounds import Missing, Program


def prints(name: str, **figures: float) -> Program:
    return Program(name, (sys.executable, "-c", f"print('noise'); print({json.dumps(figures)!r})"))


def shown(action) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        action()
    return out.getvalue()


class Rounds(unittest.TestCase):
    def test_who_begins_changes(self):
        begun = []
        with contextlib.redirect_stderr(io.StringIO()):
            rounds.in_turns("", [Program("a", ()), Program("b", ())], 1, 2, lambda program, _: begun.append(program.name) or {})
        self.assertEqual(begun, ["a", "b", "b", "a"])

    def test_who_fails_is_left_out(self):
        fails = Program("fails", (sys.executable, "-c", "raise SystemExit('no')"))
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            results = rounds.in_turns("", [prints("weft", ms=2), fails], 1, 2)
        self.assertEqual(results, {"weft": [{"ms": 2}, {"ms": 2}]})
        self.assertEqual(errors.getvalue().count("fails: exit 1: no"), 1)

    def test_threads_reach_command_and_environment(self):
        code = "import os, sys; print('[%s, %s]' % (sys.argv[1], os.environ['OMP_NUM_THREADS']))"
        self.assertEqual(rounds.run(Program("", (sys.executable, "-c", code, "{threads}")), 1), [1, 1])

    def test_start_up_ends_at_the_first_line(self):
        code = "import time; print('first step', flush=True); time.sleep(1)"
        figures = rounds.run_start_up(Program("", (sys.executable, "-c", code)), 1)
        self.assertLess(figures["first_step_ms"], 1000)
        self.assertGreater(figures["peak_rss_mb"], 1)

    def test_processors_are_as_many_as_there_are(self):
        self.assertEqual(len(rounds.processors(1)), 1)
        self.assertEqual(rounds.processors(10_000), os.sched_getaffinity(0))


def answers(name: str, figures: list[str], code: str) -> Program:
    """Speaks as tests/benchmarks/answers.h says: `code` makes `answer` of `seconds` and `figure`."""
    program = (f"import sys\nprint('{json.dumps({'figures': figures})}', flush=True)\nfor line in sys.stdin:\n"
               f"    seconds, figure = line.split(maxsplit=1)\n    {code}\n    print(answer, flush=True)")
    return Program(name, (sys.executable, "-c", program))


class SideBySide(unittest.TestCase):
    def test_each_is_asked_for_what_it_has(self):
        weft = answers("weft", ["a ms", "b ms"], "answer = len(figure)")
        peer = answers("peer", ["b ms"], "answer = 2 * float(seconds)")
        with contextlib.redirect_stderr(io.StringIO()):
            results = rounds.side_by_side("", [weft, peer], 1, 2, 3)
        self.assertEqual(results, {"weft": [{"a ms": 5, "b ms": 5}] * 2, "peer": [{"b ms": 2 * rounds.SLICE_SECONDS}] * 2})

    def test_who_fails_is_left_out(self):
        fails = answers("fails", ["ms"], "raise SystemExit('no')")
        silent = Program("silent", (sys.executable, "-c", "raise SystemExit('nothing')"))
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            results = rounds.side_by_side("", [answers("weft", ["ms"], "answer = 1"), fails, silent], 1, 2, 2)
        self.assertEqual(results, {"weft": [{"ms": 1}] * 2})
        self.assertEqual(errors.getvalue().count("fails: exit 1: no"), 1)
        self.assertEqual(errors.getvalue().count("silent: exit 1: nothing"), 1)

    def test_only_who_is_asked_runs(self):
        counts = ("import threading, time; globals().setdefault('n', [0]); "
                  "globals().setdefault('t', [threading.Thread(target=lambda: [n.__setitem__(0, n[0] + 1) or "
                  "time.sleep(0.001) for _ in range(10**9)], daemon=True)]); t[0].is_alive() or t[0].start(); "
                  "before = n[0]; answer = before")
        sleeps = answers("sleeps", ["ms"], "import time; time.sleep(0.5); answer = 1")
        with contextlib.redirect_stderr(io.StringIO()):
            results = rounds.side_by_side("", [answers("weft", ["ms"], counts), sleeps], 1, 1, 2)
        self.assertLess(results["weft"][0]["ms"], 200)


class Tables(unittest.TestCase):
    def test_ratio_of_medians_and_its_rounds(self):
        results = {"weft": [{"ms": 1}, {"ms": 2}, {"ms": 9}], "peer": [{"ms": 2}, {"ms": 4}, {"ms": 3}]}
        self.assertEqual(tables.ratio(results, "peer", "ms"), "0.67 (0.50–3.00)")
        self.assertEqual(tables.ratio(results, "other", "ms"), "–")

    def test_numbers_have_three_digits(self):
        self.assertEqual([tables.number(value) for value in (0, 0.01234, 1.234, 12.34, 1234.5)],
                         ["0", "0.0123", "1.23", "12.3", "1234"])

    def test_missing_peers_are_named(self):
        programs = [Program("weft", ()), Missing("oneDNN", "Debian: libdnnl-dev")]
        table = shown(lambda: tables.print_beside("ms", programs, {"weft": [{"ms": 2.0}]}, {"ms": "step"}, {"ms": 4.0}))
        self.assertIn("| step | 2.00 |    50 % | missing |     – |", table)
        self.assertIn("missing: oneDNN (Debian: libdnnl-dev)", table)


class Sections(unittest.TestCase):
    def test_a_step_has_26_products(self):
        self.assertEqual(sum(2 * count + back for count, back in sections.LAYERS.values()), 26)

    def test_products_of_a_step_at_one_gflop_a_second(self):
        class Everything(dict):
            def __missing__(self, key):
                return 1.0
        self.assertAlmostEqual(sections.step_ms(Everything(), "hot"), 1321.5, delta=0.1)


if __name__ == "__main__":
    unittest.main()
