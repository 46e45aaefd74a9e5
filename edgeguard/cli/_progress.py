"""How far a download is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from edgeguard.models import download

_STEP_PERCENT = 10


@contextmanager
def progress() -> Iterator[download.Progress]:
    """Shows on standard error what is fetched: as bars on a terminal, as a line now and then elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _Lines(console)
        return
    bars = _Bars(console)
    try:
        yield bars
    finally:
        bars.stop()


class _Lines:
    """A line for every tenth of a file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, int] = {}

    def __call__(self, name: str, done: int, total: int | None) -> None:
        percent = 100 * done // total if total else 0
        step = percent - percent % _STEP_PERCENT
        if step > self._said.get(name, 0):
            self._said[name] = step
            self._console.print(f"{name}: {step} %", soft_wrap=True)


class _Bars:
    """A bar for each file; nothing if none is fetched."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(*columns, console=console)
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, done: int, total: int | None) -> None:
        if not self._tasks:
            self._bars.start()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def stop(self) -> None:
        if self._tasks:
            self._bars.stop()


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Shows on standard error how far each phase of a long work is; nothing where nobody looks."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _phase, _step, _steps: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(phase: str, step: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase)
            bars.update(tasks[phase], completed=step, total=total, visible=step < total)

        yield tell
