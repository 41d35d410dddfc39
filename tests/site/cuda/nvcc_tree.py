"""Makes a real CUDA toolkit (nvcc, its back ends, the runtime) out of wheels: ``python nvcc_tree.py FOLDER``.

The wheels are kept below $HPC_TEST_CACHE/wheels, so they are downloaded once.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import subprocess
import sys
import zipfile

WHEELS = pathlib.Path(__file__).with_name("nvcc-wheels.txt")
CACHE = pathlib.Path(os.environ["HPC_TEST_CACHE"]) / "wheels"


def download(cache: pathlib.Path = CACHE) -> list[pathlib.Path]:
    """The wheels of nvcc-wheels.txt, in *cache*. pip checks the hashes, of what is there already too."""
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    with open(cache / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            command
            + ["--require-hashes", "--find-links", str(cache), "--dest", str(cache), "--requirement", str(WHEELS)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
    names = [
        line.split(" ")[0].replace("-", "_").split("==") for line in WHEELS.read_text().splitlines() if "==" in line
    ]
    return [next(cache.glob("%s-%s-*.whl" % (name, version))) for name, version in names]


def build(home: pathlib.Path, cache: pathlib.Path = CACHE) -> pathlib.Path:
    """Unpack the wheels as one toolkit at *home*."""
    inside = "nvidia/cu13/"
    for wheel in download(cache):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if member.filename.startswith(inside) and not member.is_dir():
                    target = home / member.filename[len(inside) :]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(member))
    for folder in (home / "bin", home / "nvvm" / "bin"):
        for program in folder.iterdir():
            if program.is_file():
                program.chmod(0o755)
    for library in sorted((home / "lib").glob("*.so.*")):
        (home / "lib" / library.name.split(".so.")[0]).with_suffix(".so").symlink_to(library.name)
    (home / "lib64").symlink_to("lib")
    return home


if __name__ == "__main__":
    build(pathlib.Path(sys.argv[1]).resolve())
