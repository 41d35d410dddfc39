"""A stand-in for the package torch: just enough of it for the probe, in plain Python that 3.6 runs, without a GPU."""

from __future__ import annotations

STANDIN = '''
__version__ = "1.4.0"

class version:
    cuda = {cuda!r}
    git_version = "abc"

float32 = "float32"

class device:
    def __init__(self, kind, index=None):
        self.kind, self.index = kind, index

class Tensor:
    def __init__(self, rows, place=None):
        self.rows, self.place = rows, place
    def to(self, place):
        return Tensor(self.rows, place)
    def cpu(self):
        return Tensor(self.rows)
    def tolist(self):
        return [[float(value) for value in row] for row in self.rows]

def tensor(rows, dtype=None):
    return Tensor(rows)

def matmul(left, right):
    place = left.place
    index = place.index if place.kind == "cuda" else "cpu"
    fault = {faults!r}.get(index)
    if fault == "wrong":
        return Tensor(left.rows)
    if fault == "hang":
        import time
        time.sleep(600)
    if fault == "crash":
        import ctypes
        ctypes.string_at(0)
    if fault:
        raise RuntimeError(fault)
    columns = list(zip(*right.rows))
    return Tensor([[sum(a * b for a, b in zip(row, column)) for column in columns] for row in left.rows])

class cuda:
    @staticmethod
    def is_available():
        return {count!r} > 0
    @staticmethod
    def device_count():
        return {count!r}
    @staticmethod
    def init():
        if not {count!r}:
            raise RuntimeError({init!r})
    class get_device_properties:
        major, minor, total_memory = 7, 0, 12 << 30
        def __init__(self, index):
            self.name = "TITAN V %d" % index
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
    count: int = 0,
    init: str = "No CUDA GPUs are available",
    faults: dict[int | str, str] | None = None,
) -> str:
    """The stand-in's code.

    :arg cuda: what it was built for.
    :arg count: how many devices it shows.
    :arg init: what it says where it shows none.
    :arg faults: by device number or "cpu": ``wrong``, ``hang``, ``crash``, or the text of an error.
    """
    return STANDIN.format(cuda=cuda, count=count, init=init, faults=faults or {})
