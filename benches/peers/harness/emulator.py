"""The emulators as processes: moto, and crossgate's own sandbox; each with the proxy before it. Stops only what it started, by its pid.

Both answer on 127.0.0.1 only. `fresh` gives back an account pair without anything in it.
"""

import configparser
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import boto3

from harness.world import DEV, REGION, TOOLS, World

HERE = pathlib.Path(__file__).resolve().parent
READY_SECONDS = 60


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def environment(scratch):
    """Only what a program needs to start: nothing of the caller's AWS settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8"}


def ask(port, path, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=10) as answer:
        return answer.read()


def stop(process):
    process.kill()
    process.wait()


def wait_until_ready(process, port, path, log):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            return ask(port, path)
        time.sleep(0.05)
    sys.exit(f"run.py: no answer on port {port}; the end of its log:\n{log.read_text(errors='replace')[-3000:]}")


class Proxy:
    def __init__(self, upstream):
        command = [sys.executable, "-I", str(HERE / "proxy.py"), str(upstream)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
        self.port = int(self.process.stdout.readline())

    def begin(self, milliseconds):
        ask(self.port, f"/peers/begin?ms={milliseconds}", "POST")

    def calls(self):
        return json.loads(ask(self.port, "/peers/calls"))

    def stop(self):
        stop(self.process)


class Moto:
    """moto 5.2.5 for every service. It tells accounts apart by the session that a call is signed with."""

    name = "moto"

    def __init__(self, environments, scratch):
        self.port, log = free_port(), scratch / "moto.log"
        command = [
            f"{environments.moto}/bin/python",
            f"{environments.moto}/bin/moto_server",
            "-H",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(scratch))
        wait_until_ready(self.process, self.port, "/moto-api/", log)
        self.proxy = Proxy(self.port)

    def fresh(self):
        ask(self.port, "/moto-api/reset", "POST")
        endpoint = f"http://127.0.0.1:{self.port}"
        sts = boto3.client(
            "sts", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="AKIABASE", aws_secret_access_key="test"
        )
        credentials = {}
        for name, account in (("tools", TOOLS), ("dev", DEV)):
            given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/Admin", RoleSessionName="peers")["Credentials"]
            credentials[name] = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        return World(endpoint, credentials)

    def stop(self):
        self.proxy.stop()
        stop(self.process)


class Sandbox:
    """crossgate's own emulator, which keeps up where moto does not: started anew whenever it must be empty."""

    name = "sandbox"

    def __init__(self, crossgate, scratch):
        self.crossgate, self.folder, self.port, self.process = crossgate, scratch / "sandbox", free_port(), None
        self.folder.mkdir()
        self.log = scratch / "sandbox.log"
        self.proxy = Proxy(self.port)

    def fresh(self):
        self.stop_server()
        command = [str(self.crossgate), "sandbox", "--dir", str(self.folder / "given"), "--port", str(self.port)]
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(self.folder), cwd=self.folder
            )
        deadline = time.monotonic() + READY_SECONDS
        while "The sandbox answers" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"run.py: the sandbox does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.01)
        credentials = {}
        read = configparser.ConfigParser()
        read.read(self.folder / "given/credentials")
        for name in ("tools", "dev"):
            credentials[name] = (
                read[name]["aws_access_key_id"],
                read[name]["aws_secret_access_key"],
                read[name].get("aws_session_token"),
            )
        return World(f"http://127.0.0.1:{self.port}", credentials)

    def stop_server(self):
        if self.process:
            stop(self.process)
            self.process = None

    def stop(self):
        self.proxy.stop()
        self.stop_server()
