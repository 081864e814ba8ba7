#!/usr/bin/env python3
"""crossgate and its peers, side by side on one emulator: `python3 benches/peers/run.py`. README.md says what is measured, and how.

This file needs the standard library only. It makes virtual environments below target/peers-venv and starts itself again in one.
"""

import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(HERE))

from harness import install  # noqa: E402


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--crossgate",
        default=REPOSITORY / "target/release/crossgate",
        type=pathlib.Path,
        help="the binary (default: %(default)s)",
    )
    parser.add_argument(
        "--venvs",
        default=REPOSITORY / "target/peers-venv",
        type=pathlib.Path,
        help="where peers are installed (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few repetitions, and one gate without latency for the slow ones: about five minutes",
    )
    parser.add_argument(
        "--everything",
        action="store_true",
        help="20 gates without latency for the slow ones too, and more of the sequential script",
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="only this contestant (may be given several times)")
    parser.add_argument(
        "--results",
        default=HERE,
        type=pathlib.Path,
        help="where results.json and RESULTS.md are written (default: %(default)s)",
    )
    parser.add_argument("--table", action="store_true", help="write RESULTS.md anew from results.json, and measure nothing")
    return parser.parse_args()


def main():
    chosen = options()
    if chosen.table:
        return tables(chosen)
    chosen.crossgate = chosen.crossgate.resolve()
    if not (chosen.crossgate.is_file() and os.access(chosen.crossgate, os.X_OK)):
        sys.exit(f"run.py: {chosen.crossgate} is no program: `cargo build --release` makes it, --crossgate names another")
    environments = install.install(chosen.venvs.resolve())
    if pathlib.Path(sys.prefix) != environments.tools:
        python = environments.tools / "bin/python"
        os.execv(python, [str(python), str(HERE / "run.py"), *sys.argv[1:]])
    from harness import bench

    bench.run(chosen, environments)
    tables(chosen)


def tables(chosen):
    from harness import table

    table.write(chosen.results)
    if chosen.results.resolve() == HERE and not chosen.only:
        table.in_short(chosen.results, REPOSITORY / "README.md")


if __name__ == "__main__":
    main()
