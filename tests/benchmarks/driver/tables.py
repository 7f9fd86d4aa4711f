"""Medians, ratios, and tables that can be read on a terminal and pasted into a Markdown page."""
from __future__ import annotations

import math
import statistics

from .rounds import Figures, Missing, Program

Results = dict[str, list[Figures]]


def median(results: Results, name: str, key: str) -> float | None:
    values = [figures[key] for figures in results.get(name, []) if key in figures]
    return statistics.median(values) if values else None


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else f"{value:.0f}"


def ratio(results: Results, peer: str, key: str) -> str:
    """weft / peer, of the medians, and the range of the rounds."""
    ours, theirs = median(results, "weft", key), median(results, peer, key)
    if not ours or not theirs:
        return "–"
    rounds = [a[key] / b[key] for a, b in zip(results["weft"], results[peer])]
    spread = f" ({min(rounds):.2f}–{max(rounds):.2f})" if len(rounds) > 1 else ""
    return f"{ours / theirs:.2f}{spread}"


def print_table(head: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                                 for i, (cell, width) in enumerate(zip(cells, widths))) + " |"

    print("\n" + line(head))
    print("|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|")
    for row in rows:
        print(line(row), flush=True)


def print_beside(title: str, programs: list[Program | Missing], results: Results, rows: dict[str, str],
                 limits: dict[str, float] | None = None) -> None:
    """A row a figure (name in the results → name in the table), and beside weft a value and a ratio for each peer. Where
    there are limits of figures, a column says how much of them weft reaches."""
    peers = [program for program in programs if program.name != "weft"]
    head = [title, "weft"] + (["of peak"] if limits else []) + [cell for peer in peers for cell in (peer.name, "ratio")]
    lines = []
    for key, name in rows.items():
        ours = median(results, "weft", key)
        cells = [name, "–" if ours is None else number(ours)]
        if limits:
            cells.append(f"{100 * ours / limits[key]:.0f} %" if ours and key in limits else "–")
        for peer in peers:
            theirs = median(results, peer.name, key)
            if isinstance(peer, Missing):
                cells += ["missing", "–"]
            elif peer.name not in results:
                cells += ["failed", "–"]
            else:
                cells += ["–" if theirs is None else number(theirs), ratio(results, peer.name, key)]
        lines.append(cells)
    print_table(head, lines)
    for peer in peers:
        if isinstance(peer, Missing):
            print(f"missing: {peer.name} ({peer.reason})")
