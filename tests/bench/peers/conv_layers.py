"""The layers of gan-bench --layers in PyTorch, side by side.

    python conv_layers.py --bench build/tests/bench/gan-bench [--threads N] [--seconds S] [word for gan-bench --layers ..]

Prints a Markdown table: libgan's GF/s, its share of the peak of multiply-adds, and how many times PyTorch's time libgan is ahead.
A product of PyTorch is forward, or convolution_backward with one gradient asked for; X is tried as a transposed convolution
too. The best of both memory formats counts, tensors lying in that format from the start.
"""
import argparse
import json
import subprocess
import time

import torch
import torch.nn.functional as F


def least_seconds(run, seconds):
    run()
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    count, best = max(1, int(seconds / 5 / (once + 1e-7))), float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            run()
        best = min(best, (time.perf_counter() - start) / count)
    return best


def runs(d, layout):
    """The ways in which PyTorch can compute the product, for tensors in one memory format."""
    tensor = lambda *shape: torch.randn(*shape).to(memory_format=layout)
    stride, padding, groups = d["stride"], d["padding"], d["groups"]
    x = tensor(d["n"], d["c"], d["h"], d["w"])
    w = tensor(d["o"], d["c"] // groups, *d["kernel"])
    y = F.conv2d(x, w, None, stride, padding, 1, groups).contiguous(memory_format=layout)
    if d["product"] == "F":
        return [lambda: F.conv2d(x, w, None, stride, padding, 1, groups)]
    mask = [d["product"] == "X", d["product"] == "W", False]
    backward = lambda: torch.ops.aten.convolution_backward(
        y, x, w, None, stride, padding, [1, 1], False, [0, 0], groups, mask)
    if d["product"] == "W":
        return [backward]
    rest = [(d[s] + 2 * padding[i] - d["kernel"][i]) % stride[i] for i, s in enumerate("hw")]
    return [backward, lambda: F.conv_transpose2d(y, w, None, stride, padding, rest, groups)]


def torch_seconds(d, seconds):
    best = float("inf")
    for layout in (torch.contiguous_format, torch.channels_last):
        for run in runs(d, layout):
            best = min(best, least_seconds(run, seconds))
    return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("words", nargs="*")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    command = [a.bench, "--layers", "--threads", str(a.threads), "--milliseconds", str(int(a.seconds * 1000)), *a.words]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    table = {}
    with torch.no_grad():
        for d in map(json.loads, lines):
            ahead = torch_seconds(d, a.seconds) * 1e3 / d["min_ms"]
            row = table.setdefault((d["layer"], d["n"]), {})
            row[d["product"]] = f'{d["gflops"]:.0f}, {100 * d["share_of_peak"]:.0f} %, {ahead:.2f} x'
    print("| layer | batch | F | X | W |\n|---|---|---|---|---|")
    for (layer, n), row in table.items():
        print(f"| {layer} | {n} | " + " | ".join(row.get(p, "") for p in "FXW") + " |")


if __name__ == "__main__":
    main()
