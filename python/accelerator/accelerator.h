/* What the files of the accelerator share.
 *
 * The accelerator has no logic of its own. A C method does the usual case of one operation,
 * by the short ways of <atoll/inline.h> or by a call that never waits; whatever else happens
 * is left to the Python method of the same object, which finds out again and says why. So
 * each rule and each sentence stands in Python, once, and is the same without the accelerator.
 *
 * To accelerate another object: its functions in library.h and module.c, a type in a file of its
 * own, named in `struct state` and module.c, and in _accelerated.py.
 */
#ifndef ATOLL_ACCELERATOR_H
#define ATOLL_ACCELERATOR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "library.h"

/* Where an interpreter holds its own lock, nothing comes between two lines of C. Where it has
 * none, these are what keeps `close` out while another thread uses the object. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

/* For tables of methods, which hold functions of several kinds. */
#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* The state of the module: one for each interpreter. */
struct state {
    struct library library;
    PyTypeObject *prebound, *attempt, *mutex, *value, *array, *event, *permit, *semaphore,
        *hold, *semlock, *ring;
};

/* The types, each from its file. All are bases for classes written in Python. */
extern PyType_Spec prebound_spec, attempt_spec, mutex_spec, value_spec, array_spec,
    event_spec, permit_spec, semaphore_spec, hold_spec, semlock_spec, ring_spec;

/* Repeats a call that waits up to `timeout_ns`, until it has an answer or the deadline has
 * come: nanoseconds on the monotonic clock, or None for never. The interpreter is let go
 * meanwhile, and runs its signal handlers between the slices. -1 if one of them raised. */
typedef int waiting_call(void *what, int64_t timeout_ns);
int wait_in_slices(waiting_call *call, void *what, PyObject *deadline);

/* What an object begins with that keeps a place. */
#define PLACED_HEAD                                                                              \
    PyObject_HEAD                                                                                \
    atoll_place place; /* without a word: there is no short way, or it is closed */              \
    PyObject *handle;  /* as long as we have it, the place is mapped; NULL once closed */

/* Closes such an object: the place is forgotten, and the handle let go of. */
void unplace(PyObject *placed);
/* The end of one that has nothing else to let go of. */
void free_placed(PyObject *placed);

/* Puts a method into a type that its objects have bound, where `offset` says. */
struct bound_beforehand {
    const char *name, *doc;
    size_t offset;
};
int add_prebound(const struct state *state, PyTypeObject *owner, struct bound_beforehand method);
int add_mutex_methods(const struct state *state);

/* Has forks counted, for semlock.c. -1 with an exception if that cannot be. */
int look_out_for_forks(void);

/* Calls the method of that name of the classes that come after `type`: the one in Python. */
PyObject *call_python_named(PyTypeObject *type, PyObject *self, const char *name,
                            PyObject *const *arguments, size_t count, PyObject *names);

static inline PyObject *call_python(PyTypeObject *type, PyObject *self, const char *name,
                                    PyObject *const *arguments, size_t count) {
    return call_python_named(type, self, name, arguments, count, NULL);
}

#endif
