"""Latency of /analyze under load: a real server process, clients that send their next request at once.

``python benchmarks/bench_service.py [--clients 50] [--requests 5000]``

Every client keeps one connection and waits for its answer before it asks again (a closed loop without pauses:
harder than as many people). Server and clients are two processes on whatever cores the machine has; CPU
milliseconds of the server for each request are shown beside, as other work on the machine moves them least.
Each request scores the golden record with one input changed, so that no answer can be kept.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server() -> Iterator[tuple[int, int]]:
    """A running service; its port and its process id."""
    port = free_port()
    command = [sys.executable, "-m", "plumbline", "serve", "--port", str(port)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PLUMBLINE_SERVICE_")}
    process = subprocess.Popen(
        command, env={**kept, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).read()
                break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


async def client(port: int, record: dict[str, object], number: int, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seconds = []
    # Written once, so that the client leaves the machine to the server: only the revenue changes.
    text = json.dumps({**record, "creator_id": f"c{number}", "total_revenue": "REVENUE"})
    before, after = (part.encode() for part in text.split('"REVENUE"'))
    for turn in range(count):
        body = before + str(turn).encode() + after
        head = (
            "POST /analyze HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        begun = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        found = LENGTH.search(answer)
        assert found is not None
        await reader.readexactly(int(found[1]))
        seconds.append(time.perf_counter() - begun)
    writer.close()
    return seconds


async def load(port: int, clients: int, requests: int) -> tuple[np.ndarray, float]:
    """Milliseconds of each request, and requests per second."""
    address = f"http://127.0.0.1:{port}/demo-data"
    record = json.loads(urllib.request.urlopen(address).read())
    each = max(requests // clients, 1)
    await asyncio.gather(*(client(port, record, n, 4) for n in range(clients)))  # warm
    begun = time.perf_counter()
    found = await asyncio.gather(*(client(port, record, n, each) for n in range(clients)))
    rate = clients * each / (time.perf_counter() - begun)
    return 1000 * np.array([x for own in found for x in own]), rate


def cpu_seconds(process: int) -> float:
    """User and system seconds of a process so far."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--requests", type=int, default=5000)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
    heads = ("clients", "requests", "p50 ms", "p99 ms", "max ms", "per s", "server CPU ms")
    heads += ("client CPU ms",)
    print(" ".join(f"{head:>13}" for head in heads))
    with server() as (port, process):
        for clients in sorted({1, arguments.clients}):
            count = arguments.requests if clients > 1 else min(arguments.requests, 300)
            before, own = cpu_seconds(process), time.process_time()
            took, rate = asyncio.run(load(port, clients, count))
            # The clients' own first requests count as well.
            asked = len(took) + 4 * clients
            cost = 1000 * (cpu_seconds(process) - before) / asked
            costs = (cost, 1000 * (time.process_time() - own) / asked)
            row = (clients, len(took), *np.quantile(took, [0.5, 0.99, 1.0]), rate, *costs)
            print(" ".join(f"{value:>13.1f}" for value in row))


if __name__ == "__main__":
    main()
