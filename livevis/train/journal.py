"""What a run says while it trains: a bar with the time left, or log lines where there is no terminal; metrics.jsonl."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Any


class Stage:
    """Wall time of one stage against its budget; `spent_s` carries over from an earlier run of the same stage."""

    def __init__(self, journal: Journal, name: str, budget_s: float, spent_s: float):
        self.name, self.budget_s = name, budget_s
        self._journal, self._before_s, self._started = journal, spent_s, time.monotonic()
        self._rung: dict[str, float] = {}
        self._since: list[dict[str, float]] = []

    @property
    def spent_s(self) -> float:
        return self._before_s + time.monotonic() - self._started

    @property
    def fraction(self) -> float:
        """Part of the budget used, 0 and up; the stage ends at 1."""
        return self.spent_s / self.budget_s

    @property
    def over(self) -> bool:
        return self.fraction >= 1.0

    def every(self, what: str, period_s: float, *, at_once: bool = False) -> bool:
        """True once per `period_s` for each name, first after one whole period or, if `at_once`, when first asked."""
        now = time.monotonic()
        first = now - period_s if at_once else now
        if now - self._rung.setdefault(what, first) < period_s:
            return False
        self._rung[what] = now
        return True

    def tell(self, step: int, **figures: float) -> None:
        """Report figures of a step: to the bar at once, their means to the log and metrics.jsonl every ten seconds."""
        self._journal.show(self, step, figures)
        self._since.append(figures)
        if self.every("tell", 10.0):
            names = dict.fromkeys(name for row in self._since for name in row)  # steps may report different ones
            means = {name: fmean(row[name] for row in self._since if name in row) for name in names}
            self._journal.record(stage=self.name, step=step, spent_s=round(self.spent_s, 1), **means)
            self._since.clear()


class Journal:
    """Open for the length of one run; `folder` gets metrics.jsonl, one JSON object a line."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._metrics = (folder / "metrics.jsonl").open("a", encoding="utf-8")
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Journal:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._metrics.close()

    def stage(self, name: str, *, budget_s: float, spent_s: float = 0.0) -> Stage:
        if self._bar is not None:
            self._task = self._bar.add_task(name, total=budget_s, completed=spent_s, note="")
        return Stage(self, name, budget_s, spent_s)

    def show(self, stage: Stage, step: int, figures: dict[str, float]) -> None:
        if self._bar is not None:
            left = max(0.0, stage.budget_s - stage.spent_s)
            note = f"{left / 60:.0f} min left · step {step} · {_brief(figures)}"
            self._bar.update(self._task, completed=min(stage.spent_s, stage.budget_s), note=note)

    def record(self, **row: Any) -> None:
        """One line of metrics.jsonl, and of the log where there is no bar."""
        self._metrics.write(json.dumps(row) + "\n")
        self._metrics.flush()
        if self._bar is None:
            print(_brief(row), file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text)
        else:
            print(text, file=sys.stderr, flush=True)


def _brief(row: dict[str, Any]) -> str:
    return " ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
    )
