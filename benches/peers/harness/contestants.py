"""Who takes part, how each is called, what it says of itself, and how it tells that something is not as it should be.

A kind of run is `fresh` (nothing is wired), `check` (all is wired, read only) or `again` (all is wired, the writing command).
"""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable

from harness.world import DEV, REGION, TOOLS, manifest, task

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "contestants"

AWSCLI = ("version 1, as PyPI has no other; version 2 is not measured",)
ANSIBLE = (
    "no module reads a pipeline, and community.aws.codepipeline writes at every run and has no check mode:"
    " the playbook calls the aws CLI for it",
)
CDK = (
    "roles and policies only. The pipeline belongs to another stack, and CloudFormation has no resource for a part of a pipeline",
    "its check is `cdk diff --method=template`, which is quicker than with change sets: template against template."
    " What differs in the accounts is asked by `cdk drift` (DetectStackDrift), which moto does not have",
    "moto makes the stacks at once and does not charge the seconds that CloudFormation takes on AWS for each stack",
)


@dataclasses.dataclass
class Run:
    """What a run was and said. `exit` and output are all a caller in CI has."""

    exit: int
    out: str
    err: str


@dataclasses.dataclass
class Contestant:
    name: str
    title: str
    version: str
    # Argument list by kind of run.
    commands: dict[str, list[str]]
    # Whether a run of the read-only kind says that something differs.
    differs: Callable[[Run], bool]
    # Environment variables beside those that all get.
    variables: dict[str, str]
    # False where a part of the work cannot be done by it.
    with_actions: bool = True
    # So slow that it is measured with fewer repetitions.
    slow: bool = False
    # What the table has to say of it.
    notes: tuple[str, ...] = ()


def everyone(chosen, environments, scratch):
    """The contestants, and why others are not among them. `scratch` is the folder that `prepare` fills."""
    result, absent = [crossgate(chosen.crossgate, scratch), *boto3(environments, scratch)], []
    if shutil.which("jq"):
        result.append(awscli(environments, scratch))
    else:
        absent.append("aws CLI script: there is no jq on this machine")
    result.append(ansible(environments, scratch))
    if environments.cdk:
        result.append(cdk(environments, scratch))
    else:
        absent.append("CDK: there is no npm, or no node, on this machine")
    return result, absent


def crossgate(binary, scratch):
    command = [str(binary), "-c", str(scratch / "crossgate.toml")]
    write = [*command, "bootstrap", "--yes"]
    commands = {"fresh": write, "check": [*command, "check"], "again": write}
    return Contestant("crossgate", "crossgate", version([str(binary), "--version"], scratch), commands, exits_3, {})


def boto3(environments, scratch):
    python = str(environments.tools / "bin/python")
    said = version(
        [python, "-c", "import boto3, platform as p; print('boto3', boto3.__version__, 'on Python', p.python_version())"],
        scratch,
    )
    command = [python, str(SCRIPTS / "boto3/gates.py"), str(scratch / "task.json")]
    yield Contestant("boto3", "boto3 script", said, kinds(command), exits_3, {})
    yield Contestant("boto3-16", "boto3 script, 16 threads", said, kinds([*command, "--workers", "16"]), exits_3, {})


def awscli(environments, scratch):
    path = f"{environments.tools}/bin:{os.environ['PATH']}"
    command = [shutil.which("bash"), str(SCRIPTS / "awscli/gates.sh"), str(scratch / "task.json")]
    said = version([str(environments.tools / "bin/aws"), "--version"], scratch)
    return Contestant("awscli", "aws CLI script", said, kinds(command), exits_3, {"PATH": path}, slow=True, notes=AWSCLI)


def ansible(environments, scratch):
    playbook = str(environments.tools / "bin/ansible-playbook")
    command = [playbook, "-i", str(scratch / "inventory.json"), str(SCRIPTS / "ansible/gates.yml")]
    settings = {"ANSIBLE_CONFIG": str(SCRIPTS / "ansible/ansible.cfg")}
    said = f"ansible {importlib.metadata.version('ansible')}, {version([playbook, '--version'], scratch)}"
    return Contestant("ansible", "Ansible", said, kinds(command), ansible_changed, settings, slow=True, notes=ANSIBLE)


def cdk(environments, scratch):
    modules = environments.cdk / "node_modules"
    settings = {
        "NODE_PATH": str(modules),
        "CDK": str(modules / "aws-cdk/bin/cdk"),
        "GATES_FILE": str(scratch / "task.json"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
    }
    command = [shutil.which("bash"), str(SCRIPTS / "cdk/gates.sh")]
    said = f"aws-cdk {version([shutil.which('node'), settings['CDK'], '--version'], scratch)}"
    return Contestant("cdk", "CDK", said, kinds(command), exits_1, settings, with_actions=False, slow=True, notes=CDK)


def kinds(command):
    return {"fresh": command, "check": [*command, "--check"], "again": command}


def version(command, scratch):
    env = {"PATH": os.environ["PATH"], "HOME": str(scratch / "home"), "NO_COLOR": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return (done.stdout.strip() or "unknown").splitlines()[0]


def exits_1(run):
    return run.exit == 1


def exits_3(run):
    return run.exit == 3


def ansible_changed(run):
    return any(int(number) > 0 for number in re.findall(r"changed=(\d+)", run.out))


def prepare(scratch, gates, environments):
    """Writes what each is told of the work: a JSON file, a manifest, an inventory."""
    work = task(gates)
    (scratch / "task.json").write_text(json.dumps(work, indent=1))
    (scratch / "crossgate.toml").write_text(manifest(gates))
    hosts = {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in work["gates"]}
    pipelines = {name: {} for name in dict.fromkeys(one["pipeline"] for one in work["gates"])}
    variables = {
        "project": work["project"],
        "region": REGION,
        "tools_id": TOOLS,
        "dev_id": DEV,
        "aws_cli": str(environments.tools / "bin/aws"),
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    inventory = {"all": {"vars": variables}, "gates": {"hosts": hosts}, "pipelines": {"hosts": pipelines}}
    (scratch / "inventory.json").write_text(json.dumps(inventory, indent=1))
    return work["gates"]
