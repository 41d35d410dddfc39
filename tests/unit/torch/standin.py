"""A stand-in for the package torch: just enough of it for the probe, in plain Python that 3.6 runs, without a GPU.

It asks the driver's library as torch does, and reports its errors as torch does (with the texts of torch 2.14).
"""

from __future__ import annotations

STANDIN = '''
import ctypes
import os

__version__ = "1.4.0"
COUNT, BUILT, NEEDS, ARCHS, FAULTS, NUMPY = {count!r}, {cuda!r}, {needs!r}, {archs!r}, {faults!r}, {numpy!r}
PROPERTIES = []
UNEXPECTED = (
    "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that"
    " might have already set an error? "
)
TEXTS = {{
    3: "CUDA driver initialization failed, you might not have a CUDA gpu.",
    34: UNEXPECTED + "Error 34: CUDA driver is a stub library",
    46: UNEXPECTED + "Error 46: CUDA-capable device(s) is/are busy or unavailable",
    100: "No CUDA GPUs are available",
    101: UNEXPECTED + "Error 101: invalid device ordinal",
    802: UNEXPECTED + "Error 802: system not yet initialized",
    803: UNEXPECTED + "Error 803: system has unsupported display driver / cuda driver combination",
    804: UNEXPECTED + "Error 804: forward compatibility was attempted on non supported HW",
    999: "CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable"
    " CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero.",
}}

class version:
    cuda = BUILT
    git_version = "abc"

float32, int32 = "float32", "int32"

def fail(fault):
    if fault == "hang":
        import time
        time.sleep(600)
    if fault == "crash":
        ctypes.string_at(0)
    raise RuntimeError(fault)

class device:
    def __init__(self, kind, index=None):
        self.kind, self.index = kind, index

class Tensor:
    def __init__(self, rows, place=None):
        self.rows, self.place = rows, place
    def to(self, place):
        if isinstance(self.rows, range) and fault_of(place, "copy"):
            return Tensor(self.rows[1:], place)
        return Tensor(self.rows, place)
    def cpu(self):
        return Tensor(self.rows)
    def tolist(self):
        return as_floats(self.rows)
    def numpy(self):
        if FAULTS.get("numpy") and FAULTS["numpy"] != "wrong":
            fail(FAULTS["numpy"])
        try:
            import numpy
        except Exception:
            raise RuntimeError("Numpy is not available")
        if int(numpy.__version__.split(".")[0]) > NUMPY:
            raise RuntimeError("Numpy is not available")
        return self.rows

def from_numpy(array):
    return Tensor([row[::-1] for row in array] if FAULTS.get("numpy") == "wrong" else array)

def as_floats(value):
    return [as_floats(item) for item in value] if isinstance(value, list) else float(value)

def tensor(rows, dtype=None):
    return Tensor(rows)

def arange(count, dtype=None):
    return Tensor(range(count))

def equal(left, right):
    return left.rows == right.rows

def fault_of(place, kernel):
    index = place.index if place.kind == "cuda" else "cpu"
    if index != "cpu" and ARCHS and not any(arch == "sm_" + PROPERTIES[index][1].replace(".", "") for arch in ARCHS):
        fail("CUDA error: no kernel image is available for execution on the device\\nSearch for `cudaErrorNoKernel...")
    fault = FAULTS.get((index, kernel), FAULTS.get(index) if kernel == "matmul" else None)
    if fault and fault != "wrong":
        fail(fault)
    return fault

def matmul(left, right):
    if fault_of(left.place, "matmul"):
        return Tensor(left.rows)
    columns = list(zip(*right.rows))
    return Tensor([[sum(a * b for a, b in zip(row, column)) for column in columns] for row in left.rows])

class functional:
    @staticmethod
    def conv2d(image, mask):
        wrong = fault_of(image.place, "conv2d")
        image, mask = image.rows[0][0], mask.rows[0][0]
        side, small = len(image), len(mask)
        span = range(side - small + 1)
        return Tensor([[[[
            sum(image[y + j][x + i] * mask[j][i] for j in range(small) for i in range(small)) + (1 if wrong else 0)
            for x in span] for y in span]]])

class nn:
    functional = functional

class backends:
    class cudnn:
        @staticmethod
        def version():
            return 7603

def start():
    """What cudaGetDeviceCount would say: an error's number, or nothing once the devices are known."""
    if COUNT is not None:
        PROPERTIES[:] = [("TITAN V %d" % index, "7.0") for index in range(COUNT)]
        return None if COUNT else 100
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver"
    number = ctypes.c_int(0)
    error = driver.cuDriverGetVersion(ctypes.byref(number))
    if not error and number.value < NEEDS:
        old = "The NVIDIA driver on your system is too old (found version %d). Please update your GPU driver"
        return old % number.value
    count = ctypes.c_int(0)
    error = error or driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if error:
        return error
    for index in range(count.value):
        name, values = ctypes.create_string_buffer(96), []
        driver.cuDeviceGetName(name, 96, index)
        for attribute in (75, 76):
            driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, index)
            values.append(str(number.value))
        PROPERTIES.append((name.value.decode(), ".".join(values)))
    return None if PROPERTIES else 100

class nccl:
    @staticmethod
    def version():
        if not {nccl!r}:
            raise RuntimeError("built without NCCL")
        return {nccl!r}
    @staticmethod
    def all_reduce(parts):
        fault = FAULTS.get("all-reduce")
        if fault and fault != "wrong":
            fail(fault)
        total = [sum(column) for column in zip(*[part.rows for part in parts])]
        for part in parts:
            part.rows = parts[0].rows if fault else total

class cuda:
    nccl = nccl
    @staticmethod
    def is_available():
        return bool(BUILT) and (len(PROPERTIES) > 0 or start() is None)
    @staticmethod
    def device_count():
        return len(PROPERTIES)
    @staticmethod
    def init():
        found = None if PROPERTIES else start()
        if found is not None:
            other = UNEXPECTED + "Error %s: other" % found
            raise RuntimeError(TEXTS.get(found, other) if isinstance(found, int) else found)
    @staticmethod
    def get_arch_list():
        return ARCHS
    class get_device_properties:
        total_memory = 12 << 30
        def __init__(self, index):
            if FAULTS.get((index, "properties")):
                fail(FAULTS[index, "properties"])
            self.name, capability = PROPERTIES[index]
            self.major, self.minor = [int(part) for part in capability.split(".")]
    class device:
        def __init__(self, index):
            pass
        def __enter__(self):
            pass
        def __exit__(self, *args):
            pass
'''


def standin(
    cuda: str | None = "10.1",
    count: int | None = 0,
    faults: dict[int | str | tuple[int, str], str] | None = None,
    needs: int = 13000,
    archs: list[str] | None = None,
    nccl: int | tuple[int, ...] | None = 2408,
    numpy: int = 2,
) -> str:
    """The stand-in's code.

    :arg cuda: what it was built for.
    :arg count: how many devices it shows; None to ask libcuda.
    :arg faults: by device number, by device and kernel, "cpu", "numpy" or "all-reduce": ``wrong``, ``hang``, ``crash``,
        or the text of an error.
    :arg needs: the CUDA that the driver must run, as a number of cuDriverGetVersion.
    :arg archs: the architectures that it has code for; empty for all.
    :arg nccl: the version, as torch reports it; None for a build without.
    :arg numpy: the newest major version of numpy that it can use.
    """
    return STANDIN.format(
        cuda=cuda, count=count, faults=faults or {}, needs=needs, archs=archs or [], nccl=nccl, numpy=numpy
    )
