from __future__ import annotations

import subprocess
import sys
import threading

from edgeguard.runtime.stacks import stacks


def _wait_here(gate: threading.Event) -> None:
    gate.wait(30)


def test_every_thread_is_shown_by_name_and_the_stuck_one_first() -> None:
    gate = threading.Event()
    threads = [
        threading.Thread(target=_wait_here, args=(gate,), name=name, daemon=True)
        for name in ("alerts", "vision")
    ]
    for thread in threads:
        thread.start()
    text = stacks(["vision"])
    gate.set()
    assert text.startswith(f"STUCK thread vision (0x{threads[1].ident:016x}):\n")
    assert text.index("thread vision") < text.index("thread MainThread")
    assert "\nthread alerts (0x" in text
    assert "in _wait_here" in text
    assert "STUCK thread alerts" not in text


def test_the_last_words_come_without_the_interpreter_and_only_if_they_are_not_put_off() -> None:
    program = """
import ctypes, sys, time
from edgeguard.runtime.stacks import LastWords
words = LastWords(0.5)
for _ in range(4):
    words.put_off()
    time.sleep(0.2)
print("fed", file=sys.stderr, flush=True)
ctypes.PyDLL(None).usleep(900_000)  # keeps the interpreter to itself
print("late", file=sys.stderr, flush=True)
words.put_off()
words.call_off()
time.sleep(0.6)
LastWords(None).put_off()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after = done.stderr.split("late")
    fed, said = before.split("fed")
    assert fed == after.strip() == ""
    assert "Timeout" in said
    assert "most recent call first" in said
