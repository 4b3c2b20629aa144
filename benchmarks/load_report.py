"""The report of a load test: one page of HTML with its plots inside it, to be sent to somebody as it is."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.figures import percentile
from benchmarks.load_story import SOCKET, Story, of_counts
from benchmarks.results import Result, number

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}.missed{color:#b3261e;font-weight:600}.met{color:#1b6e3c}
svg{width:100%;height:auto}"""


def draw(folder: Path, story: Story, results: Sequence[Result], facts: Mapping[str, str]) -> None:
    """Write index.html into the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    # Text stays text, and the same figures give the same file.
    mpl.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "ringside", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
    )
    plots = [_api(story), _events(story), _routes(story), _memory(story)]
    (folder / "index.html").write_text(_page(results, facts, story.errors, plots), encoding="utf-8")


def _page(results: Sequence[Result], facts: Mapping[str, str], errors: Iterable[tuple[str, int]], plots: Sequence[str]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td class=n>{number(one.value)} {escape(one.unit)}</td>"
        f'<td class="{"met" if one.met else "missed"}">{escape(one.verdict)}</td></tr>'
        for one in results
    )
    told = "".join(f"<tr><td>{escape(name)}</td><td>{escape(fact)}</td></tr>" for name, fact in facts.items())
    wrong = "".join(f"<li>{times} times: {escape(what)}</li>" for what, times in errors)
    held = all(one.met for one in results)
    verdict = '<p class="met">The promise held.</p>' if held else '<p class="missed">The promise was broken.</p>'
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>A sales floor at work</title><style>{_STYLE}</style>'
        f"<h1>A sales floor at work</h1>{verdict}<table>{rows}</table>{f'<h2>Errors</h2><ul>{wrong}</ul>' if wrong else ''}"
        f"{''.join(plots)}<h2>Where and how</h2><table>{told}</table></html>\n"
    )


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _slices(story: Story) -> float:
    last = max((one.at for one in story.everything), default=1.0)
    return max(1.0, last / 60)


def _api(story: Story) -> str:
    """p50 and p95 of the API over the time, and how much there was to do."""
    width = _slices(story)
    slices: dict[int, list[float]] = {}
    for one in story.everything:
        if not one.name.startswith(SOCKET):
            slices.setdefault(int(one.at / width), []).append(one.ms)
    figure = Figure(figsize=(9, 3))
    axes = figure.subplots()
    times = sorted(slices)
    for share, label in ((0.5, "p50"), (0.95, "p95")):
        axes.plot([one * width for one in times], [percentile(slices[one], share) for one in times], label=label)
    axes.set(title="API: how long answers took", xlabel="seconds", ylabel="ms", ylim=(0, None))
    other = axes.twinx()
    other.plot([one * width for one in times], [len(slices[one]) / width for one in times], color="0.7", lw=0.8)
    other.set(ylabel="requests a second (grey)", ylim=(0, None))
    other.grid(visible=False)
    axes.legend(loc="upper left")
    return _svg(figure)


def _events(story: Story) -> str:
    """From the log to the screens over the time."""
    figure = Figure(figsize=(9, 3))
    axes = figure.subplots()
    seconds = sorted(story.deliveries)
    for share, label in ((0.5, "p50"), (0.95, "p95")):
        axes.plot(seconds, [of_counts(story.deliveries[one], share) for one in seconds], label=label)
    axes.set(title="Events: from the log to the screens", xlabel="seconds", ylabel="ms", ylim=(0, None))
    other = axes.twinx()
    other.plot(seconds, [story.deliveries[one].total() for one in seconds], color="0.7", lw=0.8)
    other.set(ylabel="deliveries a second (grey)", ylim=(0, None))
    other.grid(visible=False)
    if seconds:
        axes.legend(loc="upper left")
    return _svg(figure)


def _routes(story: Story) -> str:
    """p50 and p95 of each route."""
    routes = sorted(story.by_route().items(), reverse=True)
    figure = Figure(figsize=(9, 0.8 + 0.32 * len(routes)))
    axes = figure.subplots()
    names = [f"{name} ({len(took):,})" for name, took in routes]
    axes.barh(names, [percentile(took, 0.95) for _, took in routes], color="#7aa6d9", label="p95")
    axes.barh(names, [percentile(took, 0.5) for _, took in routes], color="#2f5f98", label="p50")
    axes.set(title="By route (how often)", xlabel="ms")
    if names:
        axes.legend()
    return _svg(figure)


def _memory(story: Story) -> str:
    """What the processes held."""
    figure = Figure(figsize=(9, 2.5))
    axes = figure.subplots()
    for name, looks in story.memory.seen.items():
        axes.plot([at - story.began for at, _ in looks], [mb for _, mb in looks], label=name)
    axes.set(title="Memory", xlabel="seconds", ylabel="MB", ylim=(0, None))
    if story.memory.seen:
        axes.legend(loc="lower right")
    return _svg(figure)
