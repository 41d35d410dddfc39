"""A stand-in for nvidia-smi: answers from the file nvidia-smi.json next to it. Copied into a scene, never imported."""

from __future__ import annotations

import json
import pathlib
import signal
import sys

data = json.loads(pathlib.Path(__file__).with_name("nvidia-smi.json").read_text(encoding="utf-8"))
arguments = sys.argv[1:]
fields = [item.split("=", 1)[1].split(",") for item in arguments if item.startswith("--query-gpu=")]
if data["hang"]:
    signal.pause()
if data["failure"]:
    print(data["failure"])
    sys.exit(data["rc"])
if fields:
    unknown = [field for field in fields[0] if not any(field in gpu for gpu in data["gpus"]) and data["gpus"]]
    if unknown:
        print('Field "%s" is not a valid field to query.' % unknown[0])
        sys.exit(2)
    if not data["gpus"]:
        print("No devices were found")
        sys.exit(6)
    for gpu in data["gpus"]:
        print(", ".join(str(gpu.get(field, "[N/A]")) for field in fields[0]))
elif "-L" in arguments or "--list-gpus" in arguments:
    for gpu in data["gpus"]:
        print("GPU %s: %s (UUID: %s)" % (gpu["index"], gpu["name"], gpu["uuid"]))
        for number, instance in enumerate(gpu["instances"]):
            print("  MIG %s     Device  %d: (UUID: %s)" % (instance["profile"], number, instance["uuid"]))
elif "-q" in arguments:
    print("\n==============NVSMI LOG==============\n")
    print("Driver Version                            : %s" % data["driver"])
    print("CUDA Version                              : %s" % data["cuda"])
    for gpu in data["gpus"]:
        print("\nGPU %s" % gpu["pci.bus_id"])
        print("    Product Name                          : %s" % gpu["name"])
        print("    Compute Mode                          : %s" % gpu["compute_mode"])
        print("    MIG Mode\n        Current                           : %s" % gpu["mig.mode.current"])
        print("    Fabric\n        State                             : %s" % gpu["fabric.state"])
else:
    print("| NVIDIA-SMI %s   Driver Version: %s   CUDA Version: %s |" % (data["driver"], data["driver"], data["cuda"]))
