"""Installs moto and the peers, once: virtual environments of pinned packages, and Node.js packages where there is npm.

A stamp with what was asked for marks an environment as complete, so that one left half-way is made anew. Writes below its folder only.
"""

import dataclasses
import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Environments:
    """Folders; `cdk` is None where npm or node is missing."""

    moto: pathlib.Path
    tools: pathlib.Path
    cdk: pathlib.Path | None


def install(folder):
    if sys.version_info < (3, 11):
        sys.exit("run.py: Python 3.11 or later is needed (moto and Ansible set that limit)")
    folder.mkdir(parents=True, exist_ok=True)
    made = Environments(
        folder / "moto", folder / "tools", folder / "cdk" if shutil.which("npm") and shutil.which("node") else None
    )
    python(made.moto, HERE / "requirements-moto.txt")
    python(made.tools, HERE / "requirements-tools.txt")
    if made.cdk:
        node(made.cdk, HERE / "contestants/cdk")
    return made


def python(folder, requirements):
    def make():
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "-r", str(requirements)], check=True, stdin=subprocess.DEVNULL)

    once(folder, sys.version + requirements.read_text(), make)


def node(folder, source):
    lock = source / "package-lock.json"

    def make():
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        npm = ["npm", "ci", "--prefix", str(folder), "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(npm, check=True, stdin=subprocess.DEVNULL)

    once(folder, lock.read_text(), make)


def once(folder, wanted, make):
    stamp, wanted = folder / "peers-stamp", hashlib.sha256(wanted.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"installing {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    make()
    stamp.write_text(wanted)
