/* Copyright (c) 2026 hpc.pytorch contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A libcuda.so.1 without a GPU. NVIDIA's runtime (libcudart 11 to 13) takes it for a driver up to cuInit, so torch's
 * words for every error of cuDriverGetVersion and cuInit are the real ones. After that the runtime asks for tables that
 * only NVIDIA's driver has, so no device can be shown to it; a program that calls libcuda itself sees them all.
 */
#define CONF "libcuda.conf"
#include "stub.h"

#define NOT_SUPPORTED 801
#define INVALID_DEVICE 101

EXPORT int cuDriverGetVersion(int *version)
{
    ENTER;
    *version = (int)number("version", 13000);
    return 0;
}

EXPORT int cuInit(unsigned flags)
{
    (void)flags;
    ENTER;
    return 0;
}

EXPORT int cuDeviceGetCount(int *count)
{
    ENTER;
    *count = (int)number("count", 1);
    return 0;
}

EXPORT int cuDeviceGet(int *device, int index)
{
    ENTER;
    if (index < 0 || index >= number("count", 1))
        return INVALID_DEVICE;
    *device = index;
    return 0;
}

EXPORT int cuDeviceGetName(char *name, int size, int device)
{
    char line[LINE];
    char *value = of_device("name", device, line);
    ENTER;
    snprintf(name, (size_t)size, "%s", value ? value : "NVIDIA TITAN V");
    return 0;
}

EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int device)
{
    ENTER;
    *bytes = (size_t)number_of_device("memory_mb", device, 12288) << 20;
    return 0;
}

EXPORT int cuDeviceGetUuid(unsigned char *uuid, int device)
{
    ENTER;
    memset(uuid, 0xab, 16);
    uuid[15] = (unsigned char)device;
    return 0;
}

EXPORT int cuDeviceGetUuid_v2(unsigned char *uuid, int device)
{
    ENTER;
    return cuDeviceGetUuid(uuid, device);
}

EXPORT int cuDeviceGetPCIBusId(char *id, int size, int device)
{
    ENTER;
    snprintf(id, (size_t)size, "0000:%02x:00.0", device + 1);
    return 0;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    ENTER;
    switch (attribute) {
    case 20: /* COMPUTE_MODE: 0 default, 2 prohibited, 3 exclusive process */
        *value = (int)number_of_device("compute_mode", device, 0);
        break;
    case 75: /* COMPUTE_CAPABILITY_MAJOR */
        *value = (int)number_of_device("capability", device, 70) / 10;
        break;
    case 76: /* COMPUTE_CAPABILITY_MINOR */
        *value = (int)number_of_device("capability", device, 70) % 10;
        break;
    default:
        *value = 1;
    }
    return 0;
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device)
{
    ENTER;
    *context = (void *)(long)(device + 1);
    return 0;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device)
{
    (void)device;
    ENTER;
    return 0;
}

EXPORT int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active)
{
    (void)device;
    ENTER;
    *flags = 0;
    *active = 0;
    return 0;
}

EXPORT int cuCtxGetCurrent(void **context)
{
    ENTER;
    *context = (void *)1;
    return 0;
}

EXPORT int cuCtxSetCurrent(void *context)
{
    (void)context;
    ENTER;
    return 0;
}

/* torch binds these by name when CUDA starts. Nothing comes of them: 209 is "no kernel image is available". */
#define NO_KERNEL(name)                     \
    EXPORT int name(void)                   \
    {                                       \
        ENTER;                              \
        return (int)number("kernel", 209);  \
    }
NO_KERNEL(cuFuncGetAttribute)
NO_KERNEL(cuFuncSetAttribute)
NO_KERNEL(cuFuncSetCacheConfig)
NO_KERNEL(cuLaunchCooperativeKernel)
NO_KERNEL(cuLaunchKernel)
NO_KERNEL(cuLinkAddData_v2)
NO_KERNEL(cuLinkComplete)
NO_KERNEL(cuLinkCreate_v2)
NO_KERNEL(cuModuleGetFunction)
NO_KERNEL(cuModuleLoad)
NO_KERNEL(cuModuleLoadData)
NO_KERNEL(cuModuleLoadDataEx)
NO_KERNEL(cuModuleUnload)
NO_KERNEL(cuOccupancyMaxActiveBlocksPerMultiprocessor)
NO_KERNEL(cuPointerGetAttribute)
NO_KERNEL(cuTensorMapEncodeTiled)

EXPORT int cuGetErrorString(int error, const char **text)
{
    *text = error ? "an error of the lab" : "no error";
    return 0;
}

EXPORT int cuGetErrorName(int error, const char **text)
{
    return cuGetErrorString(error, text);
}

EXPORT int cuGetExportTable(const void **table, const void *id)
{
    (void)id;
    ENTER;
    *table = NULL;
    return NOT_SUPPORTED;
}

static int absent(void)
{
    enter("a function that the lab does not have");
    return NOT_SUPPORTED;
}

EXPORT int cuGetProcAddress_v2(const char *name, void **address, int version, unsigned long flags, int *status)
{
    char newer[LINE];
    Dl_info self;
    void *library;
    (void)version;
    (void)flags;
    *address = NULL;
    if (dladdr((void *)absent, &self) && (library = dlopen(self.dli_fname, RTLD_NOLOAD | RTLD_LAZY))) {
        snprintf(newer, sizeof newer, "%s_v2", name);
        *address = dlsym(library, newer);
        if (!*address)
            *address = dlsym(library, name);
        dlclose(library);
    }
    /* The runtime gives up at load when one is missing. */
    if (!*address)
        *address = (void *)absent;
    if (status)
        *status = 0;
    return 0;
}

EXPORT int cuGetProcAddress(const char *name, void **address, int version, unsigned long flags)
{
    return cuGetProcAddress_v2(name, address, version, flags, NULL);
}
