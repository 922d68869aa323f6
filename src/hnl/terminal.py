"""What the command line writes with: two consoles and a progress bar."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

out_console = Console()
err_console = Console(stderr=True)


class EventRate(ProgressColumn):
    """Events so far and events per second."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time or task.elapsed
        rate = f"{task.fields['events'] / seconds:,.0f}" if seconds else "-"
        return Text(f"{task.fields['events']:,}/{task.fields['all_events']:,} events  {rate} events/s")


def progress_bar(counted: str, *more: str | ProgressColumn) -> Progress:
    """A progress bar on stderr that counts something, with further columns."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(counted), *more)
    return Progress(*columns, TimeRemainingColumn(), console=err_console)


def note(sentence: str) -> None:
    """What a user should know, on stderr."""
    err_console.print(sentence, markup=False, highlight=False, soft_wrap=True)
