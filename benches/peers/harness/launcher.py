"""Runs commands one after the other and says what each cost. Standard library only, and small on purpose.

A process's peak memory counts what it was before it became the command, so commands must not be started from a big one. A line
of JSON in (`{"argv", "env", "cwd", "out", "err"}`), a line out: wall and CPU seconds of the whole process tree (children that were
waited for), peak resident memory of its largest process in KiB, exit status.
"""

import json
import os
import sys
import time


def run(order):
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, order["out"], write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, order["err"], write, 0o600),
    ]
    os.chdir(order["cwd"])
    started = time.perf_counter()
    pid = os.posix_spawn(order["argv"][0], order["argv"], order["env"], file_actions=actions, setpgroup=0)
    _, status, used = os.wait4(pid, 0)
    return {
        "wall": time.perf_counter() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "rss_kib": used.ru_maxrss,
        "exit": os.waitstatus_to_exitcode(status),
    }


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
