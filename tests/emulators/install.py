#!/usr/bin/env python3
"""Makes the virtual environments of the two emulators and of the aws CLI, once, whoever asks first: `install.py DIR`.

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
}


def make(folder, requirements):
    stamp = folder / "crossgate-stamp"
    wanted = "\n".join([sys.version.split()[0], *requirements])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"installing {requirements[0]} into {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for attempt in (1, 2, 3):
        done = subprocess.run([*pip, *requirements], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if done.returncode == 0:
            break
        if attempt == 3:
            sys.exit(f"install.py: pip could not install {' '.join(requirements)} (see above)")
    stamp.write_text(wanted)


def main():
    if sys.version_info < (3, 10):
        sys.exit("install.py: Python 3.10 or later is needed for the emulators")
    root = pathlib.Path(sys.argv[1]).absolute()
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, requirements in PINNED.items():
            make(root / name, requirements)


if __name__ == "__main__":
    os.environ.pop("PYTHONHOME", None)
    main()
