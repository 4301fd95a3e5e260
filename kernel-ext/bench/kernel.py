"""Times of notebook kernels as a front end sees them, side by side in one run.

    .venv/bin/python kernel-ext/bench/kernel.py [--runs 5] [--kernels leemlab,tslab,ipykernel] [--json]

Each run starts every kernel anew, one after another, so that a busy moment of the machine meets all of them. Reported are
medians over the runs. `leemlab` is this checkout's kernel (built, installed into a temporary folder), `tslab` the stock
one from node_modules, `ipykernel` Python's. A benchmark reports; it asserts nothing.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 120.0
"""Seconds after which a kernel counts as one that does not answer."""
NOT_STOPPED = 5.0
"""Seconds after an interrupt in which a cell must have ended."""
CELLS = 10
"""Trivial cells in a run; their median is one measurement."""

TYPESCRIPT = {
    "trivial": "1 + 1",
    "import": "import * as leem from 'leemlab'\ntypeof leem.registerStack",
    "after": [
        "const sigma = 3",
        "[1, 2, 3].map((x) => x * sigma)",
        "leem.tf.tidy(() => leem.tf.tensor([1, 2, 3]).mul(sigma).arraySync())",
        "function twice(x: number): number {\n  return 2 * x;\n}\ntwice(sigma)",
        "const series = leem.simulateGrapheneSeries({ frames: 2, height: 16, width: 16 })",
    ],
    "complete": "leem.",
    "loop": "while (true) {}",
    "wait": "const state = globalThis as any\nstate.ticks = 0\n"
    "while (true) {\n  state.ticks++;\n  await new Promise((done) => setTimeout(done, 10));\n}",
    "stopped": "const ticks = (globalThis as any).ticks\nawait new Promise((done) => setTimeout(done, 200))\n"
    "if ((globalThis as any).ticks !== ticks) throw new Error('the loop goes on in the background')",
}
PYTHON = {
    "trivial": "1 + 1",
    "import": "import numpy, scipy.ndimage\ntype(scipy.ndimage.shift).__name__",
    "after": [
        "sigma = 3",
        "[x * sigma for x in [1, 2, 3]]",
        "(numpy.array([1, 2, 3]) * sigma).tolist()",
        "def twice(x):\n    return 2 * x\ntwice(sigma)",
        "series = numpy.zeros((2, 16, 16))",
    ],
    "complete": "numpy.",
    "loop": "while True: pass",
    "wait": "import asyncio\nticks = 0\nwhile True:\n    ticks += 1\n    await asyncio.sleep(0.01)",
    "stopped": "before = ticks\nawait asyncio.sleep(0.2)\nassert ticks == before, 'the loop goes on in the background'",
}

ROWS = [
    # key, what it is, target in ms (DESIGN: medians on a quiet machine)
    ("start", "start: spawn → first kernel_info_reply", 2000),
    ("ready", "spawn → result of the first cell", None),
    ("first", "first trivial cell", None),
    ("trivial", "trivial cell", 60),
    ("import", "first import of leemlab ¹", 1500),
    ("after", "cells after it", 150),
    ("complete_first", "first completion after leem. ¹", None),
    ("complete", "completion after leem. ¹", None),
    ("interrupt_loop", "interrupt of a synchronous loop", 1000),
    ("interrupt_wait", "interrupt of an awaiting loop", 1000),
    ("memory", "memory after the import (MiB)", None),
]


class Failed(Exception):
    """A measurement that this kernel does not give; the message says why."""


class Kernel:
    """A running kernel and its client."""

    def __init__(self, name: str, specs: KernelSpecManager, log):
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        self.spawned = started = time.perf_counter()
        self.manager.start_kernel(cwd=str(ROOT / "notebooks"), stdout=log, stderr=log)
        self.client = self.manager.client()
        self.client.start_channels()
        # sent until the kernel answers: a request that comes before its sockets are there waits in ours
        asked = self.client.kernel_info()
        self.reply(self.client.get_shell_msg, asked, "kernel_info_reply")
        self.start_ms = 1000 * (time.perf_counter() - started)
        # the subscription to iopub may come later than the first reply
        self.settle()

    def settle(self):
        for _ in range(50):
            asked = self.client.kernel_info()
            try:
                self.idle(asked, 0.2)
                return
            except Failed:
                continue
        raise Failed("no status on iopub")

    def reply(self, receive, asked: str, kind: str, timeout: float = LONGEST) -> dict:
        end = time.perf_counter() + timeout
        while time.perf_counter() < end:
            try:
                message = receive(timeout=min(1.0, max(0.001, end - time.perf_counter())))
            except Empty:
                if not self.manager.is_alive():
                    raise Failed("the kernel has died") from None
                continue
            if message["parent_header"].get("msg_id") == asked and message["msg_type"] == kind:
                return message
        raise Failed(f"no {kind} within {timeout:.0f} s")

    def idle(self, asked: str, timeout: float = LONGEST) -> None:
        end = time.perf_counter() + timeout
        while time.perf_counter() < end:
            message = self.reply(self.client.get_iopub_msg, asked, "status", end - time.perf_counter())
            if message["content"]["execution_state"] == "idle":
                return
        raise Failed("not idle")

    def run(self, code: str) -> float:
        """Milliseconds until a cell's reply and the idle status are both there."""
        started = time.perf_counter()
        asked = self.client.execute(code)
        content = self.reply(self.client.get_shell_msg, asked, "execute_reply")["content"]
        self.idle(asked)
        elapsed = 1000 * (time.perf_counter() - started)
        if content["status"] != "ok":
            parts = [content["status"], content.get("ename"), content.get("evalue")]
            raise Failed(": ".join(str(part)[:80] for part in parts if part))
        return elapsed

    def complete(self, code: str) -> float:
        started = time.perf_counter()
        asked = self.client.complete(code, len(code))
        content = self.reply(self.client.get_shell_msg, asked, "complete_reply")["content"]
        elapsed = 1000 * (time.perf_counter() - started)
        if not content.get("matches"):
            raise Failed("no matches")
        return elapsed

    def interrupt(self, code: str, after: str) -> float:
        """Milliseconds from the interrupt to the reply of the cell that it ends; the cell `after` must work then."""
        asked = self.client.execute(code)
        time.sleep(0.5)
        started = time.perf_counter()
        self.manager.interrupt_kernel()
        self.reply(self.client.get_shell_msg, asked, "execute_reply", NOT_STOPPED)
        elapsed = 1000 * (time.perf_counter() - started)
        self.idle(asked, NOT_STOPPED)
        try:
            self.run_again(after)
        except Failed as error:
            raise Failed(f"a cell after the interrupt: {error or 'failed'}") from None
        return elapsed

    def run_again(self, code: str) -> None:
        """Runs a cell, once more if it was aborted together with the one before."""
        try:
            self.run(code)
        except Failed as error:
            if not str(error).startswith("abort"):
                raise
            time.sleep(0.2)
            self.run(code)

    def memory_mib(self) -> float:
        """Resident memory of the kernel and its children, MiB (Linux)."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir() if sys.platform == "linux" else []:
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                children.setdefault(int(fields[1]), []).append(int(entry.name))
        pids = [self.manager.provisioner.process.pid]
        for pid in pids:
            pids.extend(children.get(pid, []))
        pages = 0
        for pid in pids:
            try:
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue
        if pages == 0:
            raise Failed("only on Linux")
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def measure(name: str, specs: KernelSpecManager, log) -> tuple[dict[str, float], dict[str, str]]:
    """One run of one kernel: milliseconds, and why what is missing is missing."""
    cells = PYTHON if name == "ipykernel" else TYPESCRIPT
    times: dict[str, float] = {}
    failures: dict[str, str] = {}
    kernel = None

    def take(key: str, value) -> None:
        try:
            times[key] = value()
        except Failed as error:
            failures[key] = str(error)

    try:
        kernel = Kernel(name, specs, log)
        times["start"] = kernel.start_ms
        take("first", lambda: kernel.run(cells["trivial"]))
        if "first" in times:
            times["ready"] = 1000 * (time.perf_counter() - kernel.spawned)
        take("trivial", lambda: statistics.median(kernel.run(cells["trivial"]) for _ in range(CELLS)))
        take("import", lambda: kernel.run(cells["import"]))
        take("after", lambda: statistics.median(kernel.run(code) for code in cells["after"]))
        take("memory", kernel.memory_mib)
        take("complete_first", lambda: kernel.complete(cells["complete"]))
        take("complete", lambda: statistics.median(kernel.complete(cells["complete"]) for _ in range(5)))
        take("interrupt_loop", lambda: kernel.interrupt(cells["loop"], cells["trivial"]))
        # last: a kernel that does not stop it is lost
        take("interrupt_wait", lambda: kernel.interrupt(cells["wait"], cells["stopped"]))
    except Failed as error:
        failures["start"] = str(error)
    finally:
        if kernel is not None:
            kernel.stop()
    return times, failures


def write_specs(folder: Path, names: list[str]) -> KernelSpecManager:
    """Kernelspecs of all kernels in a temporary folder, so that none of the user's is touched or measured by mistake."""
    kernels = folder / "share" / "jupyter" / "kernels"
    kernels.mkdir(parents=True)
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}
    specs = {
        "tslab": {
            "argv": ["node", "--conditions=import", "--no-warnings", str(ROOT / "node_modules/tslab/bin/tslab")]
            + ["kernel", "--config-path", "{connection_file}"],
            "language": "typescript",
            "env": environment,
        },
        "ipykernel": {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "language": "python"},
    }
    for name in names:
        if name == "leemlab":
            install = ROOT / "kernel-ext/dist/install/main.js"
            if not install.exists():
                sys.exit("kernel.py: the kernel is not built; run `npm run build` first, or give --kernels tslab,ipykernel")
            subprocess.run(["node", str(install), "install", "--prefix", str(folder)], check=True, stdout=subprocess.DEVNULL)
        elif name in specs:
            (kernels / name).mkdir()
            (kernels / name / "kernel.json").write_text(json.dumps({"display_name": name, **specs[name]}))
        else:
            sys.exit(f"kernel.py: --kernels must be of leemlab, tslab, ipykernel, got '{name}'")
    return KernelSpecManager(kernel_dirs=[str(kernels)], ensure_native_kernel=False)


def summarize(runs: list[tuple[dict[str, float], dict[str, str]]]) -> dict:
    medians, spread, failures = {}, {}, {}
    for key, _, _ in ROWS:
        values = [times[key] for times, _ in runs if key in times]
        if values:
            medians[key] = round(statistics.median(values), 1)
            spread[key] = [round(min(values), 1), round(max(values), 1)]
        reasons = [reason for _, failed in runs if (reason := failed.get(key))]
        if reasons:
            failures[key] = reasons[0] if len(reasons) == len(runs) else f"{reasons[0]} ({len(reasons)} of {len(runs)} runs)"
    return {"medians": medians, "ranges": spread, "failures": failures}


def table(results: dict[str, dict], count: int) -> str:
    """All kernels beside each other, in milliseconds, with the targets."""
    heads = ["median of " + str(count) + " runs, ms", "target", *results]
    lines = []
    notes = []
    for key, title, target in ROWS:
        cells = [title, "" if target is None else f"≤ {target}"]
        for name, result in results.items():
            value = result["medians"].get(key)
            reason = result["failures"].get(key)
            mark = ""
            if target is not None and value is not None and name == "leemlab":
                mark = " ✓" if value <= target else " ✗"
            cells.append("–" if value is None else (f"{value:.0f}" if value >= 10 else f"{value:.1f}") + mark)
            if reason is not None:
                notes.append(f"{name}, {title}: {reason}")
        lines.append(cells)
    widths = [max(len(row[k]) for row in [heads, *lines]) for k in range(len(heads))]
    show = lambda row: row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
    text = [show(heads), "-" * len(show(heads)), *map(show, lines), ""]
    text.append("¹ for ipykernel: import of numpy and scipy.ndimage, completion after numpy.")
    return "\n".join(text + notes)


def node_version() -> str:
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each kernel (default 5)")
    parser.add_argument("--kernels", default="leemlab,tslab,ipykernel", help="which, separated by commas (default all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and all else to stderr")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error(f"--runs must be from 1, got {options.runs}")
    names = options.kernels.split(",")
    runs: dict[str, list] = {name: [] for name in names}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory() as folder:
        specs = write_specs(Path(folder), names)
        log_path = Path(folder) / "kernels.log"
        with log_path.open("w") as log:
            for number in range(options.runs):
                for name in names:
                    print(f"run {number + 1} of {options.runs}: {name}", file=sys.stderr)
                    runs[name].append(measure(name, specs, log))
    results = {name: summarize(taken) for name, taken in runs.items()}
    if options.json:
        machine = {"cores": os.cpu_count(), "load": load, "system": platform.platform()}
        machine |= {"node": node_version(), "python": platform.python_version()}
        targets = {key: target for key, _, target in ROWS if target is not None}
        print(json.dumps({"runs": options.runs, "machine": machine, "targets": targets, "kernels": results}, indent=2))
    else:
        print(table(results, options.runs))
        busy = "" if load is None else f", load {load:.1f} at the start"
        print(f"{os.cpu_count()} cores{busy}, Node {node_version()}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
