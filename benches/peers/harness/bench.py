"""What is measured: each contestant, the same work, the same proxy. Writes results.json; decides nothing about what is good."""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from harness import contestants
from harness.emulator import Moto, Sandbox
from harness.world import REGION

HERE = pathlib.Path(__file__).resolve().parent
DRIFTS = ("grant removed", "trust edited", "action edited", "policy added")


@dataclasses.dataclass(frozen=True)
class Case:
    """How often a contestant is run in one place: 0 leaves it out."""

    gates: int
    ms: int
    fresh: int
    check: int
    again: int


def cases(chosen, contestant):
    """As much as ten minutes allow: the slow ones take seconds a run, and the better part of a minute with 20 gates."""
    if contestant.slow:
        few = [Case(1, 0, 1, 1, 0)] if chosen.quick else [Case(1, 0, 1, 2, 0), Case(1, 60, 1, 1, 0), Case(20, 60, 1, 1, 0)]
        return few + [Case(20, 0, 1, 1, 0)] * chosen.everything
    fresh, check = (1, 3) if chosen.quick else (3, 15) if contestant.name == "crossgate" else (2, 5)
    one_by_one = contestant.name == "boto3"
    result = [Case(1, 0, fresh, check, fresh), Case(1, 60, fresh, check, fresh), Case(20, 0, fresh, check, fresh)]
    result.append(Case(20, 60, 1, 1, 0) if one_by_one and not chosen.everything else Case(20, 60, fresh, check, fresh))
    return result


class Bench:
    def __init__(self, chosen, environments, scratch):
        self.chosen, self.environments, self.scratch = chosen, environments, scratch
        self.started = time.monotonic()
        self.results = {
            "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "quick": chosen.quick,
            "machine": machine(),
        }
        self.results |= {"contestants": [], "runs": [], "drift": [], "mended": []}
        command = [sys.executable, "-I", "-S", str(HERE / "launcher.py")]
        self.launcher = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, text):
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", file=sys.stderr, flush=True)

    def write_profiles(self, emulator, world):
        text = ""
        for name, (key, secret, token) in world.credentials.items():
            text += f"[profile {name}]\nregion = {REGION}\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
            text += f"aws_session_token = {token}\n\n" if token else "\n"
        (self.scratch / "aws-config").write_text(text)

    def environment(self, emulator, contestant):
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.scratch / "home"),
            "TMPDIR": str(self.scratch),
            "LANG": "C.UTF-8",
            "AWS_CONFIG_FILE": str(self.scratch / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{emulator.proxy.port}",
        } | contestant.variables

    def run(self, emulator, contestant, kind, ms):
        """One measured run: what it cost, and what it said."""
        out, err = self.scratch / "out", self.scratch / "err"
        order = {
            "argv": contestant.commands[kind],
            "env": self.environment(emulator, contestant),
            "cwd": str(self.scratch / "home"),
            "out": str(out),
            "err": str(err),
        }
        emulator.proxy.begin(ms)
        self.launcher.stdin.write(json.dumps(order) + "\n")
        self.launcher.stdin.flush()
        cost = json.loads(self.launcher.stdout.readline()) | emulator.proxy.calls()
        return cost, contestants.Run(cost["exit"], out.read_text(errors="replace"), err.read_text(errors="replace"))

    def case(self, emulator, contestant, case):
        gates = contestants.prepare(self.scratch, case.gates, self.environments)
        record = {"emulator": emulator.name, "contestant": contestant.name, "gates": case.gates, "ms": case.ms}
        for kind, times in (("fresh", case.fresh), ("check", case.check), ("again", case.again)):
            samples, calls, failed = [], [], None
            for _ in range(times):
                if kind == "fresh":
                    world = emulator.fresh()
                    self.write_profiles(emulator, world)
                    world.seed(gates)
                cost, said = self.run(emulator, contestant, kind, case.ms)
                calls.append(cost.pop("calls"))
                samples.append(cost)
                failed = failed or self.failure(world, gates, contestant, kind, said)
                if failed:
                    break
            if samples:
                # Calls are the same in every run of a kind, or else the most of them is what may be needed.
                most = max(calls, key=lambda counted: sum(counted.values()))
                self.results["runs"].append(record | {"kind": kind, "calls": most, "samples": samples, "failed": failed})
                wall = statistics.median(sample["wall"] for sample in samples)
                self.say(
                    f"{emulator.name} {contestant.name} {case.gates} gates {case.ms} ms {kind}: {wall:.3f} s, {sum(most.values())} calls {failed or ''}"
                )
            if failed:
                return

    def failure(self, world, gates, contestant, kind, said):
        """Why a run does not count: it failed, or what it left is not what was to be done."""
        if said.exit != 0:
            return f"exit {said.exit}: {(said.err.strip() or said.out.strip())[-2000:]}"
        if kind == "check" and contestant.differs(said):
            return f"says that something differs: {said.out[-2000:]}"
        return "; ".join(world.problems(gates, contestant.with_actions)) or None

    def drift(self, emulator, contestant):
        """Somebody else changes one thing: does the read-only run say so, and does the writing one put it right?"""
        gates = contestants.prepare(self.scratch, 1, self.environments)
        world = emulator.fresh()
        self.write_profiles(emulator, world)
        world.seed(gates)
        _, said = self.run(emulator, contestant, "fresh", 0)
        if self.failure(world, gates, contestant, "fresh", said):
            return
        kinds = [kind for kind in DRIFTS if contestant.with_actions or kind != "action edited"]
        for kind in kinds:
            take_back = world.drift(kind, gates[0])
            _, checked = self.run(emulator, contestant, "check", 0)
            take_back()
            answer = {
                "contestant": contestant.name,
                "drift": kind,
                "noticed": contestant.differs(checked),
                "check_exit": checked.exit,
            }
            self.results["drift"].append(answer)
            self.say(f"{contestant.name}, {kind}: {'noticed' if answer['noticed'] else 'NOT noticed'}")
        # A policy that somebody added is for a person to judge, and nobody removes it unasked.
        asked = [kind for kind in kinds if kind != "policy added"]
        for kind in asked:
            world.drift(kind, gates[0])
        _, applied = self.run(emulator, contestant, "again", 0)
        left = world.problems(gates, contestant.with_actions)
        mended = {"contestant": contestant.name, "asked": asked, "left": left, "apply_exit": applied.exit}
        self.results["mended"].append(mended)
        self.say(f"{contestant.name}, {len(asked)} drifts: {'left ' + '; '.join(left) if left else 'mended'}")

    def save(self):
        """After each contestant, so that an interrupted run has something to show."""
        self.results["seconds"] = round(time.monotonic() - self.started)
        self.results["machine"]["load_after"] = os.getloadavg()
        self.chosen.results.mkdir(parents=True, exist_ok=True)
        lines = []
        for name, value in self.results.items():
            # A line for each run: a difference of two files can be read.
            many = isinstance(value, list) and "[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"
            lines.append(f"{json.dumps(name)}: {many or json.dumps(value)}")
        (self.chosen.results / "results.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg(),
    }


def run(chosen, environments):
    with contextlib.ExitStack() as stack:
        # Whatever ends this process, what it started ends first.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crossgate-peers-")))
        (scratch / "home").mkdir()
        bench = Bench(chosen, environments, scratch)
        stack.callback(bench.launcher.stdin.close)
        everyone, bench.results["absent"] = contestants.everyone(chosen, environments, scratch)
        if unknown := set(chosen.only or ()) - {one.name for one in everyone}:
            sys.exit(f"run.py: no contestant {', '.join(unknown)}: there are {', '.join(one.name for one in everyone)}")
        taking_part = [one for one in everyone if not chosen.only or one.name in chosen.only]
        for one in taking_part:
            described = {"name": one.name, "title": one.title, "version": one.version, "notes": one.notes}
            bench.results["contestants"].append(described)
        moto = Moto(environments, scratch)
        stack.callback(moto.stop)
        for one in taking_part:
            for case in cases(chosen, one):
                bench.case(moto, one, case)
            bench.drift(moto, one)
            bench.save()
        sandbox = Sandbox(chosen.crossgate, scratch)
        stack.callback(sandbox.stop)
        for one in taking_part:
            # What the sequential script waits for at 60 ms is the latency, whoever answers.
            fast = [case for case in cases(chosen, one) if not one.slow and (one.name != "boto3" or case.ms == 0)]
            for case in fast:
                bench.case(sandbox, one, case)
        bench.save()
