/* Copyright (c) 2026 hpc.pytorch contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A libnvidia-ml.so.1: what torch and scripts ask NVML for. A handle is the device's number plus one.
 */
#define CONF "libnvidia-ml.conf"
#include "stub.h"

#define INVALID_ARGUMENT 2
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define INSUFFICIENT_SIZE 7

typedef void *Handle;

static int index_of(Handle device)
{
    return (int)(long)device - 1;
}

static int say(char *buffer, unsigned size, const char *text)
{
    snprintf(buffer, size, "%s", text);
    return 0;
}

EXPORT int nvmlInit_v2(void)
{
    ENTER;
    return 0;
}

EXPORT int nvmlInit(void)
{
    return nvmlInit_v2();
}

EXPORT int nvmlInitWithFlags(unsigned flags)
{
    (void)flags;
    return nvmlInit_v2();
}

EXPORT int nvmlShutdown(void)
{
    ENTER;
    return 0;
}

EXPORT const char *nvmlErrorString(int error)
{
    switch (error) {
    case 0:
        return "Success";
    case 9:
        return "Driver Not Loaded";
    case 18:
        return "Driver/library version mismatch";
    default:
        return "Unknown Error";
    }
}

EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size)
{
    char line[LINE];
    char *value = setting("driver", line);
    ENTER;
    return say(version, size, value ? value : "580.65.06");
}

EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version)
{
    ENTER;
    *version = (int)number("version", 13000);
    return 0;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *count)
{
    ENTER;
    *count = (unsigned)number("count", 1);
    return 0;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, Handle *device)
{
    ENTER;
    if (index >= (unsigned)number("count", 1))
        return INVALID_ARGUMENT;
    *device = (Handle)(long)(index + 1);
    return 0;
}

EXPORT int nvmlDeviceGetIndex(Handle device, unsigned *index)
{
    ENTER;
    *index = (unsigned)index_of(device);
    return 0;
}

EXPORT int nvmlDeviceGetName(Handle device, char *name, unsigned size)
{
    char line[LINE];
    char *value = of_device("name", index_of(device), line);
    ENTER;
    return say(name, size, value ? value : "NVIDIA TITAN V");
}

EXPORT int nvmlDeviceGetUUID(Handle device, char *uuid, unsigned size)
{
    char text[LINE];
    ENTER;
    snprintf(text, sizeof text, "GPU-abababab-abab-abab-abab-ababababab%02x", (unsigned)index_of(device));
    return say(uuid, size, text);
}

EXPORT int nvmlDeviceGetCudaComputeCapability(Handle device, int *major, int *minor)
{
    long capability = number_of_device("capability", index_of(device), 70);
    ENTER;
    *major = (int)capability / 10;
    *minor = (int)capability % 10;
    return 0;
}

/* 0 default, 2 prohibited, 3 exclusive process */
EXPORT int nvmlDeviceGetComputeMode(Handle device, int *mode)
{
    ENTER;
    *mode = (int)number_of_device("compute_mode", index_of(device), 0);
    return 0;
}

/* "mig": 0 off, 1 on; not set: a GPU without it */
EXPORT int nvmlDeviceGetMigMode(Handle device, unsigned *current, unsigned *pending)
{
    long mode = number_of_device("mig", index_of(device), -1);
    ENTER;
    if (mode < 0)
        return NOT_SUPPORTED;
    *current = *pending = (unsigned)mode;
    return 0;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(Handle device, unsigned *count)
{
    ENTER;
    *count = number_of_device("mig", index_of(device), -1) < 0 ? 0 : 7;
    return 0;
}

/* "instances": how many parts the GPU is divided into */
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(Handle device, unsigned index, Handle *instance)
{
    ENTER;
    if (index >= (unsigned)number_of_device("instances", index_of(device), 0))
        return NOT_FOUND;
    *instance = (Handle)(long)(1000 + 10 * (index_of(device) + 1) + (int)index);
    return 0;
}

/* "processes": how many run on the GPU. Nothing is said of them, only that there is no room for them. */
EXPORT int nvmlDeviceGetComputeRunningProcesses(Handle device, unsigned *count, void *list)
{
    unsigned running = (unsigned)number_of_device("processes", index_of(device), 0);
    (void)list;
    ENTER;
    *count = running;
    return running ? INSUFFICIENT_SIZE : 0;
}

struct memory {
    unsigned long long total, free, used;
};

EXPORT int nvmlDeviceGetMemoryInfo(Handle device, struct memory *memory)
{
    ENTER;
    memory->total = (unsigned long long)number_of_device("memory_mb", index_of(device), 12288) << 20;
    memory->used = (unsigned long long)number_of_device("used_mb", index_of(device), 0) << 20;
    memory->free = memory->total - memory->used;
    return 0;
}

struct fabric {
    unsigned char cluster[16];
    int status;
    unsigned clique;
    unsigned char state; /* 0 not supported, 1 not started, 2 in progress, 3 completed */
};

EXPORT int nvmlDeviceGetGpuFabricInfo(Handle device, struct fabric *fabric)
{
    ENTER;
    memset(fabric, 0, sizeof *fabric);
    fabric->state = (unsigned char)number_of_device("fabric", index_of(device), 0);
    return 0;
}
