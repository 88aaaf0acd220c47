/* Waiting, so that Ctrl-C works and other threads run. The twin of _wait.py. */

#include <time.h>

#include "accelerator.h"

/* A signal may be handed to another thread, and then does not end our call: so none is
 * longer than this. */
static const int64_t slice_ns = 100000000;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

/* The deadline as a number; one that is too far for it is never. -1 with an exception. */
static int64_t parse(PyObject *deadline) {
    int overflow = 0;
    if (deadline == Py_None) return INT64_MAX;
    int64_t time = PyLong_AsLongLongAndOverflow(deadline, &overflow);
    return overflow > 0 ? INT64_MAX : time;
}

int wait_in_slices(waiting_call *call, void *what, PyObject *deadline) {
    int64_t end = parse(deadline), left, status;
    if (end == -1 && PyErr_Occurred()) return -1;
    for (;;) {
        left = end == INT64_MAX ? INT64_MAX : end - now_ns();
        if (left < 0) left = 0;
        Py_BEGIN_ALLOW_THREADS
        status = call(what, left < slice_ns ? left : slice_ns);
        Py_END_ALLOW_THREADS
        /* Only before another slice: what this one took is the caller's to know. */
        if (status != ATOLL_INTERRUPTED && (status != ATOLL_TIMED_OUT || left <= slice_ns))
            return (int)status;
        if (PyErr_CheckSignals() < 0) return -1;
    }
}
