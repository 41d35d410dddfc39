/* Copyright (c) 2026 hpc.pytorch contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stands before the real libcudart (LD_PRELOAD) of a real torch, so that this sees devices: their memory is the
 * host's, copies work, and a kernel ends with the error that is set ("kernel", 209 if none) or does nothing (0).
 * The numbers of attributes and the layout of cudaDeviceProp are those of CUDA 12 and 13. What is not here stays real.
 */
#define CONF "libcudart.conf"
#include "stub.h"

static __thread int current, last;

static int fail(int error)
{
    if (error)
        last = error;
    return error;
}

#undef ENTER
#define ENTER                           \
    do {                                \
        int error_ = enter(__func__);   \
        if (error_)                     \
            return fail(error_);        \
    } while (0)

EXPORT int cudaGetDeviceCount(int *count)
{
    *count = 0;
    ENTER;
    *count = (int)number("count", 1);
    return *count ? 0 : fail(100);
}

EXPORT int cudaDriverGetVersion(int *version)
{
    ENTER;
    *version = (int)number("version", 13000);
    return 0;
}

EXPORT int cudaSetDevice(int device)
{
    ENTER;
    if (device < 0 || device >= number("count", 1))
        return fail(101);
    current = device;
    return 0;
}

EXPORT int cudaGetDevice(int *device)
{
    ENTER;
    *device = current;
    return 0;
}

EXPORT int cudaGetLastError(void)
{
    int error = last;
    last = 0;
    return error;
}

EXPORT int cudaPeekAtLastError(void)
{
    return last;
}

EXPORT int cudaDeviceGetAttribute(int *value, int attribute, int device)
{
    ENTER;
    *value = attribute == 75 ? (int)number_of_device("capability", device, 70) / 10
           : attribute == 76 ? (int)number_of_device("capability", device, 70) % 10
           : attribute == 20 ? (int)number_of_device("compute_mode", device, 0)
           : attribute == 10 ? 32
                             : 1;
    return 0;
}

static int put(void *properties, size_t offset, int value)
{
    memcpy((char *)properties + offset, &value, sizeof value);
    return value;
}

EXPORT int cudaGetDeviceProperties(void *properties, int device)
{
    char line[LINE];
    char *name = of_device("name", device, line);
    size_t memory = (size_t)number_of_device("memory_mb", device, 12288) << 20;
    long capability = number_of_device("capability", device, 70);
    ENTER;
    memset(properties, 0, 728);
    snprintf(properties, 256, "%s", name ? name : "NVIDIA TITAN V");
    memcpy((char *)properties + 288, &memory, sizeof memory);
    put(properties, 308, 32);   /* warpSize */
    put(properties, 320, 1024); /* maxThreadsPerBlock */
    put(properties, 360, (int)capability / 10);
    put(properties, 364, (int)capability % 10);
    put(properties, 384, 1); /* multiProcessorCount of CUDA 13 */
    put(properties, 388, 1); /* and of CUDA 12 */
    return 0;
}

EXPORT int cudaGetDeviceProperties_v2(void *properties, int device)
{
    return cudaGetDeviceProperties(properties, device);
}

EXPORT int cudaDeviceGetPCIBusId(char *id, int size, int device)
{
    ENTER;
    snprintf(id, (size_t)size, "0000:%02x:00.0", device + 1);
    return 0;
}

EXPORT int cudaMemGetInfo(size_t *unused, size_t *total)
{
    ENTER;
    *unused = *total = (size_t)number_of_device("memory_mb", current, 12288) << 20;
    return 0;
}

EXPORT int cudaMalloc(void **memory, size_t size)
{
    ENTER;
    *memory = aligned_alloc(512, (size + 511) / 512 * 512);
    return *memory ? 0 : fail(2);
}

EXPORT int cudaFree(void *memory)
{
    free(memory);
    return 0;
}

EXPORT int cudaMemcpyAsync(void *to, const void *from, size_t count, int kind, void *stream)
{
    (void)kind;
    (void)stream;
    ENTER;
    memcpy(to, from, count);
    return 0;
}

EXPORT int cudaMemcpy(void *to, const void *from, size_t count, int kind)
{
    return cudaMemcpyAsync(to, from, count, kind, NULL);
}

EXPORT int cudaMemsetAsync(void *memory, int value, size_t count, void *stream)
{
    (void)stream;
    ENTER;
    memset(memory, value, count);
    return 0;
}

EXPORT int cudaDeviceSynchronize(void)
{
    ENTER;
    return 0;
}

EXPORT int cudaStreamSynchronize(void *stream)
{
    (void)stream;
    ENTER;
    return 0;
}

EXPORT int cudaStreamQuery(void *stream)
{
    (void)stream;
    return 0;
}

EXPORT int cudaStreamIsCapturing(void *stream, int *status)
{
    (void)stream;
    *status = 0;
    return 0;
}

EXPORT int cudaStreamGetCaptureInfo(void *stream, int *status, ...)
{
    (void)stream;
    *status = 0;
    return 0;
}

EXPORT int cudaThreadExchangeStreamCaptureMode(int *mode)
{
    (void)mode;
    return 0;
}

EXPORT int cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    *least = *greatest = 0;
    return 0;
}

EXPORT int cudaDeviceCanAccessPeer(int *can, int device, int peer)
{
    (void)device;
    (void)peer;
    *can = 0;
    return 0;
}

struct attributes {
    int type, device;
    void *on_device, *on_host;
    long reserved[8];
};

EXPORT int cudaPointerGetAttributes(struct attributes *attributes, const void *pointer)
{
    ENTER;
    attributes->type = 0; /* unregistered: the host's */
    attributes->device = -1;
    attributes->on_device = NULL;
    attributes->on_host = (void *)pointer;
    return 0;
}

EXPORT int cudaFuncGetAttributes(void *attributes, const void *function)
{
    (void)attributes;
    (void)function;
    return fail((int)number("kernel", 209));
}

struct dim3 {
    unsigned x, y, z;
};

EXPORT int cudaLaunchKernel(const void *f, struct dim3 grid, struct dim3 block, void **a, size_t shared, void *stream)
{
    (void)f, (void)grid, (void)block, (void)a, (void)shared, (void)stream;
    ENTER;
    return fail((int)number("kernel", 209));
}

/* What nvcc 13 writes for <<<>>>. */
EXPORT int __cudaLaunchKernel(const void *f, struct dim3 grid, struct dim3 block, void **a, size_t shared, void *stream)
{
    return cudaLaunchKernel(f, grid, block, a, shared, stream);
}

EXPORT int cudaLaunchKernelExC(const void *config, const void *function, void **arguments)
{
    (void)config, (void)function, (void)arguments;
    ENTER;
    return fail((int)number("kernel", 209));
}
