"""RESULTS.md from results.json: every figure in it was measured by bench.py. Measures nothing; may be run again at any time."""

import json
import statistics

# What issue 8 expects, of the no-change check of one gate without latency: crossgate so many times cheaper than each.
FASTER = (
    ("boto3", "wall", 10),
    ("boto3", "cpu", 30),
    ("awscli", "wall", 50),
    ("ansible", "wall", 50),
    ("cdk", "wall", 50),
)
# Seconds for 20 gates with 60 ms a call, on an emulator that is not itself the limit.
AT_MOST = (("check", 0.5), ("fresh", 1.0))
DRIFTS = ("grant removed", "trust edited", "action edited", "policy added")


class Results:
    def __init__(self, folder):
        self.all = json.loads((folder / "results.json").read_text())
        self.titles = {one["name"]: one["title"] for one in self.all["contestants"]}
        self.runs = {key(run): run for run in self.all["runs"]}

    def get(self, emulator, contestant, gates, ms, kind):
        """A run that worked, or None."""
        run = self.runs.get((emulator, contestant, gates, ms, kind))
        return None if run is None or run["failed"] else run

    def median(self, of, *where):
        run = self.get(*where)
        return statistics.median(sample[of] for sample in run["samples"]) if run else None


def key(run):
    return tuple(run[name] for name in ("emulator", "contestant", "gates", "ms", "kind"))


def seconds(run, of="wall"):
    """`0.021 (0.019) ×15`: median, minimum, how many."""
    if run is None:
        return "–"
    values = [sample[of] for sample in run["samples"]]
    return f"{digits(statistics.median(values))} ({digits(min(values))}) ×{len(values)}"


def digits(value):
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def calls(run):
    return "–" if run is None else str(sum(run["calls"].values()))


def rounds(run):
    """The fewest that were seen: a busy machine only makes chains longer."""
    counted = [sample["rounds"] for sample in run["samples"] if "rounds" in sample] if run else []
    return str(min(counted)) if counted else "–"


def rows(head, lines):
    if not lines:
        return ""
    table = [head, ["---"] + ["--:"] * (len(head) - 1), *lines]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in table) + "\n"


def write(folder):
    results = Results(folder)
    parts = [head(results), expected(results)]
    for emulator, title in (("moto", "moto"), ("sandbox", "crossgate's own sandbox")):
        for gates in (1, 20):
            for ms in (0, 60):
                block = place(results, emulator, gates, ms)
                if block:
                    parts.append(f"## {gates} gate{'s' * (gates > 1)}, {ms} ms added to each call, {title}\n\n{block}")
    parts += [drift(results), operations(results), left_out(results)]
    (folder / "RESULTS.md").write_text("\n".join(part.rstrip("\n") + "\n" for part in parts if part))


def in_short(folder, page):
    """Puts the few figures that the project's README shows between its marks."""
    results, text = Results(folder), page.read_text()
    lines = []
    for name, title in results.titles.items():
        one, many = (results.get("moto", name, gates, ms, "check") for gates, ms in ((1, 0), (20, 60)))
        seen = [answer["noticed"] for answer in results.all["drift"] if answer["contestant"] == name]
        if one:
            wall, cpu = (digits(statistics.median(sample[of] for sample in one["samples"])) for of in ("wall", "cpu"))
            peak = max(sample["rss_kib"] for sample in one["samples"]) / 1024
            wide = digits(statistics.median(sample["wall"] for sample in many["samples"])) + " s" if many else "–"
            lines.append([title, f"{wall} s", f"{cpu} s", f"{peak:.0f} MiB", calls(one), wide, f"{sum(seen)} of {len(seen)}"])
    head = ["check, nothing changed", "1 gate", "its CPU", "memory", "calls", "20 gates, 60 ms a call", "drifts noticed"]
    before, opening, rest = text.partition("<!-- peers: generated -->\n")
    _, closing, after = rest.partition("<!-- end -->")
    if lines and opening and closing:
        page.write_text(before + opening + rows(head, lines).rstrip("\n") + "\n" + closing + after)


def head(results):
    all, machine = results.all, results.all["machine"]
    versions = "".join(f"- {one['title']}: {one['version']}\n" for one in all["contestants"])
    before, after = machine["load"][0], machine["load_after"][0]
    flags = " --quick" * all["quick"]
    return f"""\
# crossgate and its peers, measured

Written by `python3 benches/peers/run.py{flags}`; [README.md](README.md) says what is measured. Not edited by hand.

{all["when"]}, {all["seconds"]} s in all, on {machine["cores"]} cores of {machine["processor"]} ({machine["system"]}).
The machine is shared: its load average was {before:.1f} before and {after:.1f} after. The load of others makes wall times longer;
where it was high (above the number of cores) the minimum says more than the median, and CPU more than wall.

{versions}
Wall and CPU (user and system, whole process tree) in seconds: median (minimum) × runs. Memory: the peak of the largest
process; below 10 MiB cannot be told apart. *Fresh*: nothing was wired. *Check*: all is wired, read only. *Again*: all is
wired, the writing command. *Rounds*: the longest chain of calls that waited for one another; so many latencies nobody
can save who asks as this contestant does."""


def expected(results):
    lines = []
    for other, of, times in FASTER:
        for emulator in ("moto", "sandbox"):
            mine, theirs = (results.median(of, emulator, name, 1, 0, "check") for name in ("crossgate", other))
            if mine and theirs:
                ratio = theirs / mine
                verdict = "yes" if ratio >= times else f"no: short by {(1 - ratio / times) * 100:.0f} %"
                alone = results.median(of, "sandbox", "crossgate", 1, 0, "check")
                if ratio < times and emulator == "moto" and alone:
                    verdict += f"; of crossgate's {mine:.3f} s the faster emulator saves {mine - alone:.3f} s"
                what = f"{'CPU' if of == 'cpu' else 'wall'} of a check, 1 gate, 0 ms, on {emulator}: {results.titles[other]} ÷ crossgate"
                lines.append([what, f"{times} ×", f"{ratio:.1f} ×", verdict])
    for kind, limit in AT_MOST:
        for emulator in ("moto", "sandbox"):
            mine = results.median("wall", emulator, "crossgate", 20, 60, kind)
            if mine:
                verdict = "yes" if mine <= limit else f"no: {mine - limit:.3f} s over; {held(results, emulator, kind)}"
                what = f"wall of crossgate, {kind}, 20 gates, 60 ms, on {emulator}"
                lines.append([what, f"{limit} s", f"{mine:.3f} s", verdict])
    return "## What was expected\n\n" + rows(["", "expected", "measured (medians)", "met"], lines) if lines else ""


def held(results, emulator, kind):
    """What a missed time is made of: latencies that were waited for one after the other, and the same work without latency."""
    samples = results.get(emulator, "crossgate", 20, 60, kind)["samples"]
    chain = min(sample["rounds"] for sample in samples)
    text = f"{chain} rounds of 60 ms are {chain * 0.06:.2f} s (at most {max(sample['most_at_once'] for sample in samples)} calls at once)"
    idle = results.median("wall", emulator, "crossgate", 20, 0, kind)
    return f"{text}, and without latency it takes {idle:.3f} s" if idle else text


def place(results, emulator, gates, ms):
    lines = []
    for name, title in results.titles.items():
        fresh, check, again = (results.get(emulator, name, gates, ms, kind) for kind in ("fresh", "check", "again"))
        if fresh or check:
            peak = max(sample["rss_kib"] for run in (fresh, check) if run for sample in run["samples"]) / 1024
            cells = [
                seconds(fresh),
                seconds(check),
                seconds(again),
                seconds(check, "cpu"),
                seconds(fresh, "cpu"),
                f"{peak:.0f} MiB",
            ]
            lines.append([title, *cells, calls(fresh), calls(check)] + [rounds(fresh), rounds(check)] * (ms > 0))
    more = ["rounds fresh", "rounds check"] * (ms > 0)
    return rows(
        [
            "",
            "fresh, wall",
            "check, wall",
            "again, wall",
            "check, CPU",
            "fresh, CPU",
            "memory",
            "calls fresh",
            "calls check",
            *more,
        ],
        lines,
    )


def drift(results):
    lines = []
    for name, title in results.titles.items():
        seen = {
            one["drift"]: "yes" if one["noticed"] else "**no**" for one in results.all["drift"] if one["contestant"] == name
        }
        mended = next((one for one in results.all["mended"] if one["contestant"] == name), None)
        if seen:
            put_right = "–" if mended is None else f"**no**, {len(mended['left'])} left" if mended["left"] else "yes"
            lines.append([title, *(seen.get(kind, "not its work") for kind in DRIFTS), put_right])
    text = "Somebody else removes the assume grant, opens the trust policy, points the action at another function, or puts a policy more on the\n"
    text += "invoke role. Does the read-only run say so? The last column: does the writing run put the first three right?\n\n"
    return "## Drift\n\n" + text + rows(["", *DRIFTS, "put right"], lines) if lines else ""


def operations(results):
    """Calls by operation for one gate, and what is behind a difference."""
    check = "A check of one gate. With the two lists of the invoke role's policies, a policy that somebody added is noticed."
    fresh = """\
One gate, fresh. crossgate reads the policies that are on the roles already, too, because IAM's limit of all of them together must be
seen before the first write, and the pipeline once more right before it is replaced, because somebody may have changed it."""
    tables = [f"{text}\n\n{table}" for kind, text in (("check", check), ("fresh", fresh)) if (table := of_kind(results, kind))]
    return "## Calls\n\n" + "".join(tables) if tables else ""


def of_kind(results, kind):
    there = {name: run["calls"] for name in results.titles if (run := results.get("moto", name, 1, 0, kind))}
    every = sorted({operation for counted in there.values() for operation in counted})
    lines = [[f"`{operation}`", *(str(counted.get(operation, "")) for counted in there.values())] for operation in every]
    lines.append(["all", *(str(sum(counted.values())) for counted in there.values())])
    return rows(["", *(results.titles[name] for name in there)], lines) if there else ""


def left_out(results):
    lines = []
    for run in results.all["runs"]:
        if run["failed"]:
            where = (
                f"{results.titles[run['contestant']]}, {run['gates']} gates, {run['ms']} ms, {run['kind']}, {run['emulator']}"
            )
            lines.append(f"- {where}: {' '.join(run['failed'].split())[-400:]}\n")
    for one in results.all["contestants"]:
        lines += [f"- {one['title']}: {note}\n" for note in one["notes"]]
        places = {(gates, ms) for gates in (1, 20) for ms in (0, 60)} - {
            (run["gates"], run["ms"]) for run in results.all["runs"] if run["contestant"] == one["name"]
        }
        if places:
            said = ", ".join(f"{gates} gate{'s' * (gates > 1)} at {ms} ms" for gates, ms in sorted(places))
            lines.append(f"- {one['title']}: {said}: left out, to stay within the time of this run\n")
    for note in results.all["absent"]:
        lines.append(f"- {note}\n")
    return "## What was not run, or not whole\n\n" + "".join(lines) if lines else ""
