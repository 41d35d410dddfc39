/* Copyright (c) 2026 hpc.pytorch contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every stub library has: settings from the file NAME.conf in the folder it was loaded from, read at each call,
 * so that two copies in two folders are two different drivers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define LINE 512

/* The value of KEY, or NULL. The text is the caller's buffer. */
static char *setting(const char *key, char *line)
{
    char path[4096];
    char *value = NULL;
    Dl_info self;
    FILE *stream;
    size_t length = strlen(key);

    if (!dladdr((void *)setting, &self) || strlen(self.dli_fname) > sizeof path - 64)
        return NULL;
    strcpy(path, self.dli_fname);
    strcpy(strrchr(path, '/') ? strrchr(path, '/') + 1 : path, CONF);
    stream = fopen(path, "re");
    if (!stream)
        return NULL;
    while (!value && fgets(line, LINE, stream)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, key, length) && line[length] == '=')
            value = line + length + 1;
    }
    fclose(stream);
    return value;
}

static long number(const char *key, long otherwise)
{
    char line[LINE];
    char *value = setting(key, line);
    return value ? atol(value) : otherwise;
}

/* KEY.INDEX where that is set, else KEY. */
static char *of_device(const char *key, int index, char *line)
{
    char own[LINE];
    char *value;
    snprintf(own, sizeof own, "%s.%d", key, index);
    value = setting(own, line);
    return value ? value : setting(key, line);
}

static long number_of_device(const char *key, int index, long otherwise)
{
    char line[LINE];
    char *value = of_device(key, index, line);
    return value ? atol(value) : otherwise;
}

/* "log", "hang" and "crash", then the error that is set for this function. */
static int enter(const char *function)
{
    char line[LINE], key[LINE];
    char *value = setting("log", line);
    if (value) {
        FILE *stream = fopen(value, "ae");
        if (stream) {
            fprintf(stream, "%s\n", function);
            fclose(stream);
        }
    }
    value = setting("hang", line);
    while (value && !strcmp(value, function))
        pause();
    value = setting("crash", line);
    if (value && !strcmp(value, function))
        *(volatile int *)0 = 1;
    snprintf(key, sizeof key, "error.%s", function);
    return (int)number(key, number("error", 0));
}

#define ENTER                           \
    do {                                \
        int error_ = enter(__func__);   \
        if (error_)                     \
            return error_;              \
    } while (0)

__attribute__((constructor)) static void load(void)
{
    enter("load");
}
