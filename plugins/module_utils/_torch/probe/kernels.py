# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that makes torch compute. Private to hpc.pytorch. For the rules see talk.py.

All numbers are small integers, so that the results are exact, or nearly, in every float format that a GPU may use.
"""

import time
import warnings

SIDE = 32
COPIED = 1 << 22
REDUCED = 1024


def operands():
    """Return two matrices and their product."""
    left = [[(row * SIDE + column) % 7 - 3 for column in range(SIDE)] for row in range(SIDE)]
    right = [[(row * SIDE + column) % 5 - 2 for column in range(SIDE)] for row in range(SIDE)]
    columns = list(zip(*right))
    product = [[float(sum(a * b for a, b in zip(row, column))) for column in columns] for row in left]
    return left, right, product


def matmul(torch, device):
    """Multiply on *device*, copy the result back, and compare it with that of plain Python."""
    left, right, product = operands()
    result = torch.matmul(
        torch.tensor(left, dtype=torch.float32).to(device), torch.tensor(right, dtype=torch.float32).to(device)
    )
    if result.cpu().tolist() != product:
        raise ArithmeticError("the product of two matrices is wrong")


def convolution():
    """Return an image, a filter of 3 x 3, and their convolution."""
    image = [[(row * 5 + column * column) % 11 - 5 for column in range(12)] for row in range(12)]
    mask = [[row * 3 + column - 4 for column in range(3)] for row in range(3)]
    result = [
        [sum(image[y + j][x + i] * mask[j][i] for j in range(3) for i in range(3)) for x in range(10)]
        for y in range(10)
    ]
    return image, mask, result


def conv2d(torch, device):
    """Convolve an image, which cuDNN does. Its algorithms may round, so half a unit of difference is accepted."""
    image, mask, expected = convolution()
    result = torch.nn.functional.conv2d(
        torch.tensor([[image]], dtype=torch.float32).to(device), torch.tensor([[mask]], dtype=torch.float32).to(device)
    )
    rows = result.cpu().tolist()[0][0]
    if len(rows) != len(expected) or not all(
        abs(a - b) < 0.5 for row, wanted in zip(rows, expected) for a, b in zip(row, wanted)
    ):
        raise ArithmeticError("the convolution of an image is wrong")


def copy(torch, device):
    """Copy 16 MiB there and back."""
    there = torch.arange(COPIED, dtype=torch.int32)
    if not torch.equal(there.to(device).cpu(), there):
        raise ArithmeticError("%d bytes came back changed" % (COPIED * 4))


# The tests of a device, in this order.
KERNELS = (("matmul", matmul), ("conv2d", conv2d), ("copy", copy))


def compute_on_cpu(channel, describe, torch):
    """Return whether torch computes at all."""
    try:
        matmul(torch, torch.device("cpu"))
    except Exception as error:
        channel.send(kind="cpu", passed=False, error=describe(error))
        return False
    channel.send(kind="cpu", passed=True, error=None)
    return True


def start_cuda(channel, describe, torch, built):
    """Start CUDA, and return how many devices torch sees. If there are none, torch's error is reported."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available, count, error = False, 0, None
        try:
            available = bool(torch.cuda.is_available())
            if built:
                # With PYTORCH_NVML_BASED_CUDA_CHECK=1 is_available returns True for a CUDA that does not start.
                torch.cuda.init()
                count = int(torch.cuda.device_count())
        except Exception as problem:
            count, error = 0, describe(problem)
    messages = [str(warning.message)[:2000] for warning in caught]
    channel.send(
        kind="cuda", available=available, count=count, error=error, warnings=messages[:10], archs=archs_of(torch)
    )
    return count


def archs_of(torch):
    """Return the GPU architectures in this build; empty if it does not list them."""
    try:
        return [str(arch) for arch in torch.cuda.get_arch_list()]
    except Exception:
        return []


def cudnn_version(torch):
    """Return the version of the cuDNN that is loaded, or None. An old torch raises here if it is the wrong one."""
    backends = getattr(torch, "backends", None)
    cudnn = getattr(backends, "cudnn", None)
    return cudnn.version() if cudnn is not None else None


def test_device(channel, describe, torch, index):
    """Report what device *index* is, and return whether it passes every test."""
    started = time.time()
    error = None
    task = "device %d" % index
    kernel = "properties"
    channel.step(task + ": " + kernel, task)
    try:
        properties = torch.cuda.get_device_properties(index)
        channel.send(
            kind="device",
            index=index,
            name=properties.name,
            compute_capability="%d.%d" % (properties.major, properties.minor),
            memory=int(properties.total_memory),
        )
        with torch.cuda.device(index):
            for kernel, run in KERNELS:
                channel.step(task + ": " + kernel, task)
                begun = time.time()
                if kernel == "conv2d":
                    channel.send(kind="cudnn", version=cudnn_version(torch))
                run(torch, torch.device("cuda", index))
                channel.send(kind="kernel", index=index, kernel=kernel, seconds=round(time.time() - begun, 3))
    except Exception as problem:
        error = describe(problem)
        error["kernel"] = kernel
    channel.send(
        kind="device_done", index=index, passed=error is None, error=error, seconds=round(time.time() - started, 3)
    )
    return error is None


def nccl_version(torch):
    """Return ``2.21.5``, or None for a torch without NCCL. An old torch reports 2408 for 2.4.8."""
    try:
        found = torch.cuda.nccl.version()
    except Exception:
        return None
    if isinstance(found, int):
        step = 10000 if found >= 10000 else 1000
        found = (found // step, found % step // 100, found % 100)
    return ".".join(str(part) for part in found)


def all_reduce(channel, describe, torch, indexes):
    """Add up over the devices *indexes* by NCCL, in this one process: no ports, no files, no further processes."""
    channel.step("all-reduce over %d devices" % len(indexes), "all-reduce")
    started = time.time()
    error = None
    try:
        parts = [
            torch.tensor([float(index + 1)] * REDUCED, dtype=torch.float32).to(torch.device("cuda", index))
            for index in indexes
        ]
        torch.cuda.nccl.all_reduce(parts)
        wanted = [float(sum(index + 1 for index in indexes))] * REDUCED
        for index, part in zip(indexes, parts):
            if part.cpu().tolist() != wanted:
                raise ArithmeticError("the sum on device %d is wrong" % index)
    except Exception as problem:
        error = describe(problem)
    channel.send(
        kind="all_reduce",
        passed=error is None,
        devices=list(indexes),
        error=error,
        seconds=round(time.time() - started, 3),
    )
    return error is None
