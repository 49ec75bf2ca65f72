#!/usr/bin/env python3
"""Markdown tables from the driver's JSON lines: report.py results.jsonl [more.jsonl]. Cells are min / median of the repetitions."""
import collections
import json
import statistics
import sys

rows = [json.loads(l) for f in sys.argv[1:] for l in open(f) if l.strip()]
err = [r for r in rows if "error" in r]
rows = [r for r in rows if "error" not in r]
ORDER = ["chimera-cpp", "chimera-py", "floor-cpp", "floor-go", "go", "rust", "java", "py-nosandbox", "py-sandbox", "ts"]
workers = sorted({r["worker"] for r in rows}, key=lambda w: (ORDER.index(w) if w in ORDER else 99, w))
by = collections.defaultdict(list)
for r in rows:
    by[r["worker"], r["scenario"], r.get("file", "")].append(r)


def vals(w, s, k, file=""):
    return [r[k] for r in by[w, s, file] if r.get(k) is not None]


def fmt(x):
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}".rstrip("0").rstrip(".")


def mm(v, best=min):
    return f"{fmt(best(v))} / {fmt(statistics.median(v))}" if v else "-"


def table(title, cols):
    print(f"\n### {title}\n\n| worker | " + " | ".join(c[0] for c in cols) + " |\n|---|" + "---|" * len(cols))
    for w in workers:
        cells = [c[1](w) for c in cols]
        if any(c != "-" for c in cells):
            print(f"| {w} | " + " | ".join(cells) + " |")


S = ["Echo", "Seq10", "Fan50", "Local10", "Timers20", "Sig100", "Update50", "Blob", "Wait"]
table("Worker CPU per workflow, us (min / median)", [(s, lambda w, s=s: mm(vals(w, s, "cpu_us_per_wf"))) for s in S])
table("Worker CPU per workflow task, us", [(s, lambda w, s=s: mm(vals(w, s, "cpu_us_per_wft"))) for s in S[:-1]])


def best(w, s, k="cpu_us_per_wf"):
    v = vals(w, s, k)
    return min(v) if v else None


def med(w, s, k):
    v = vals(w, s, k)
    return statistics.median(v) if v else None


def act(w):
    """CPU per activity: Seq10 less its workflow tasks at the Timers20 (else Echo) price."""
    t, e, q = best(w, "Timers20", "cpu_us_per_wft"), best(w, "Echo", "cpu_us_per_wft"), best(w, "Seq10")
    p = t or e
    return fmt((q - 11 * p) / 10) if p and q else "-"


def border(w):
    """Half of both ways across, less half of what each language takes alone."""
    ways = [best(w, s) for s in ("CppLocalPy10", "PyLocalCpp10", "Local10", "CppLocalCpp10")]
    return fmt((ways[0] + ways[1] - ways[2] - ways[3]) / 20) if all(ways) else "-"


table("Derived unit costs (min), us of worker CPU", [
    ("Echo: 1 workflow, 1 task", lambda w: fmt(best(w, "Echo")) if best(w, "Echo") else "-"),
    ("task (Timers20 / 21)", lambda w: fmt(best(w, "Timers20") / 21) if best(w, "Timers20") else "-"),
    ("Seq10 / 10: task + activity", lambda w: fmt(best(w, "Seq10") / 10) if best(w, "Seq10") else "-"),
    ("activity (Seq10 - 11 tasks)", act),
    ("Fan50 / 50: activity in parallel", lambda w: fmt(best(w, "Fan50") / 50) if best(w, "Fan50") else "-"),
    ("local activity (Local10 - Echo)/10", lambda w: fmt((best(w, "Local10") - best(w, "Echo")) / 10) if best(w, "Local10") and best(w, "Echo") else "-"),
    ("what the border of the languages adds to a local activity", border),
    ("signal (Sig100/100)", lambda w: fmt(best(w, "Sig100") / 100) if best(w, "Sig100") else "-"),
    ("update (Update50/50)", lambda w: fmt(best(w, "Update50") / 50) if best(w, "Update50") else "-"),
    ("1 MiB activity (Blob/20)", lambda w: fmt(best(w, "Blob") / 20) if best(w, "Blob") else "-"),
    ("signal to a cached wf (Wait)", lambda w: mm(vals(w, "Wait", "cpu_us_activation"))),
])
table("Workflows per second (max / median; wall clock, shared 2 cores)", [(s, lambda w, s=s: mm(vals(w, s, "wf_per_s"), max)) for s in S])
table("Latency of a workflow, ms p50 / p99 (medians; closed loop, see README for concurrency)",
      [(s, lambda w, s=s: f"{fmt(med(w, s, 'lat_p50_ms'))} / {fmt(med(w, s, 'lat_p99_ms'))}" if vals(w, s, "lat_p50_ms") else "-") for s in S[:-1]])
table("Server CPU per workflow, us (min / median)", [(s, lambda w, s=s: mm(vals(w, s, "server_us_per_wf"))) for s in S])
table("Memory and start", [
    ("idle RSS MiB", lambda w: mm([v / 1024 for v in vals(w, "Idle", "rss_kib")])),
    ("peak RSS after Echo..Update MiB", lambda w: mm([v / 1024 for v in vals(w, "Update50", "peak_rss_kib")])),
    ("peak RSS in Blob MiB", lambda w: mm([v / 1024 for v in vals(w, "Blob", "peak_rss_kib")])),
    ("RSS per cached wf KiB", lambda w: mm(vals(w, "Wait", "rss_per_cached_wf_kib"))),
    ("open wfs", lambda w: mm(vals(w, "Wait", "n"))),
    ("idle CPU ms/s", lambda w: mm(vals(w, "Idle", "idle_cpu_ms_per_s"))),
    ("start to first poll s", lambda w: mm(vals(w, "Idle", "worker_start_s"))),
    ("start CPU s", lambda w: mm(vals(w, "Idle", "worker_start_cpu_s"))),
    ("stop s", lambda w: mm(vals(w, "Stop", "stop_s"))),
    ("threads", lambda w: mm(vals(w, "Idle", "threads"))),
])
files = sorted({r.get("file") for r in rows if r["scenario"] == "Replay"})
if files:
    table("Replay: CPU us per event (min / median)", [(f, lambda w, f=f: mm(vals(w, "Replay", "cpu_us_per_event", f))) for f in files])
    table("Replay: events per second, wall (max / median)", [(f, lambda w, f=f: mm(vals(w, "Replay", "events_per_s", f), max)) for f in files])
    table("Replay: peak RSS MiB of the process", [(f, lambda w, f=f: mm([v / 1024 for v in vals(w, "Replay", "peak_rss_kib", f)])) for f in files])
srv = [r for r in rows if r["scenario"] == "Idle" and "server_start_s" in r]
if srv:
    g = lambda k, d=1: mm([r[k] / d for r in srv])
    print(f"\nServer: start {g('server_start_s')} s wall, {g('server_start_cpu_s')} s CPU; RSS at start {g('server_rss_start_kib', 1024)} MiB; "
          f"idle with a polling worker {g('server_idle_cpu_ms_per_s')} ms CPU/s.")
c = [r["calib_us"] for r in rows if "calib_us" in r]
if c:
    print(f"Calibration (us per fixed unit): min {min(c):.2f}, median {statistics.median(c):.2f}, max {max(c):.2f}.")
bad = [(r["worker"], r["scenario"], r["rep"], r["counts"]) for r in rows if "counts" in r and (r["counts"]["WftFailed"] or r["counts"]["WftTimeout"])]
for b in bad:
    print("workflow task failures/timeouts:", b[0], b[1], "rep", b[2], "failed", b[3]["WftFailed"], "timed out", b[3]["WftTimeout"])
for e in err:
    print("ERROR", e["worker"], e["scenario"], e.get("file", ""), "rep", e["rep"], e["error"][:300].replace("\n", " "))
