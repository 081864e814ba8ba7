#!/usr/bin/env python3
"""Runs moto and ministack on free loopback ports until standard input ends: `serve.py VENVS [--moto-account ID]`.

Prints one line of JSON (`{"moto": PORT, "ministack": PORT}`) as soon as both answer. Because the pipe on standard input
closes with the process that holds it, however that process ends, no emulator outlives its user. Stops only what it started.
"""

import argparse
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

READY_SECONDS = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def base_env(scratch):
    """Only what an emulator needs: no AWS setting of the caller may reach it."""
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL")}
    return keep | {"HOME": scratch, "TMPDIR": scratch, "PYTHONUNBUFFERED": "1"}


def start(command, env, log):
    with open(log, "wb") as out:
        # A session of its own: the emulator and the workers it starts are stopped together, as one group.
        return subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def start_moto(venvs, scratch, account):
    port = free_port()
    env = base_env(scratch)
    if account:
        env["MOTO_ACCOUNT_ID"] = account
    command = [f"{venvs}/moto/bin/python", f"{venvs}/moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)]
    log = f"{scratch}/moto.log"
    return start(command, env, log), port, f"http://127.0.0.1:{port}/moto-api/", log


def start_ministack(venvs, scratch):
    port = free_port()
    env = base_env(scratch) | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
        # Functions run `python3`: the one that has boto3.
        "PATH": f"{venvs}/ministack/bin:{os.environ.get('PATH', '')}",
    }
    command = [f"{venvs}/ministack/bin/python", str(pathlib.Path(__file__).with_name("ministack.py"))]
    log = f"{scratch}/ministack.log"
    return start(command, env, log), port, f"http://127.0.0.1:{port}/_ministack/health", log


def wait_ready(process, url, log):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    tail = pathlib.Path(log).read_text(errors="replace")[-3000:]
    raise SystemExit(f"serve.py: no answer from {url}; the end of its log:\n{tail}")


def stop(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("venvs")
    arguments.add_argument("--moto-account")
    options = arguments.parse_args()
    venvs = os.path.abspath(options.venvs)
    scratch = tempfile.mkdtemp(prefix="crossgate-emulators-")
    running = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        servers = {}
        for name, begin in (
            ("moto", lambda: start_moto(venvs, scratch, options.moto_account)),
            ("ministack", lambda: start_ministack(venvs, scratch)),
        ):
            servers[name] = begin()
            running.append(servers[name][0])
        for process, _, url, log in servers.values():
            wait_ready(process, url, log)
        print(json.dumps({name: server[1] for name, server in servers.items()}), flush=True)
        while True:
            select.select([sys.stdin], [], [])
            if not os.read(sys.stdin.fileno(), 4096):
                return
    finally:
        for process in running:
            stop(process)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
