"""What happens to a process when it opens a certain file: it dies, waits, or the file goes."""

import os
import signal
import sys
import time
from pathlib import Path

VARIABLE = "HNL_TEST_FAULT"


def fault(action: str, path: Path, notes: Path, out: Path, *, times: int = 1) -> str:
    """A fault, for `install` or the environment variable.

    Args:
        action: 'kill', 'wait' (until the folder of notes is gone) or 'vanish'.
        path: of the file, whose opening sets it off.
        notes: folder, made here, in which every fault leaves a note.
        out: output folder of the run: nothing happens before it has a plan, while files are only looked at.
        times: how often it happens, in all processes together.
    """
    notes.mkdir()
    return "\n".join([action, str(path), str(notes), str(out), str(times)])


def install(description: str) -> None:
    """Lets a fault happen in this process. It cannot be taken back."""
    action, path, folder, out, times = description.split("\n")
    notes, plan = Path(folder), Path(out) / "plan.json"
    active = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal active
        if event != "open" or str(arguments[0]) != path:
            return
        if not active or not plan.exists() or not _mine(notes, int(times)):
            return
        active = False
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == "vanish":
            Path(path).unlink()
        else:
            while notes.exists():
                time.sleep(0.05)

    sys.addaudithook(watch)


def _mine(notes: Path, times: int) -> bool:
    """Whether the fault is still to happen, once more."""
    for i in range(times):
        try:
            os.mkdir(notes / str(i))  # noqa: PTH102 (atomic)
            return True
        except FileExistsError:
            continue
        except FileNotFoundError:
            return False
    return False
