/* Locks: taken and released by the short way, or by a call, or in Python.
 *
 * Python looks for signals after it has called a function, so an exception could come between
 * `lock.acquire()` and the `try` after it, and leave the lock held. It does not look after it
 * has asked an object for its truth, nor after the `__enter__` of a `with`. Therefore `acquire`
 * stays a function written in Python, and what it asks is an Attempt.
 */

#include "accelerator.h"
#include <structmember.h>

/* What a lock keeps in C. Its truth is an attempt to take the lock by the short way. */
struct attempt {
    PyObject_HEAD
    atoll_place place;
    atoll_mutex *mutex;
    const struct state *state;
    PyObject *handle; /* as long as we have it, the place is mapped */
};

struct mutex {
    PyObject_HEAD
    struct attempt *attempt; /* NULL until the lock is opened, and then never changed */
};

/* --- the short ways ------------------------------------------------------------------------ */

static int take(PyObject *self) {
    const atoll_place *place = &((struct attempt *)self)->place;
    bool taken;
    Py_BEGIN_CRITICAL_SECTION(self);
    taken = place->flags & ATOLL_PLACE_RECURSIVE ? atoll_place_lock_recursive(place)
                                                 : atoll_place_lock(place);
    Py_END_CRITICAL_SECTION();
    return taken;
}

static bool give_back(struct attempt *self) {
    const atoll_place *place = &self->place;
    bool done;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    done = place->flags & ATOLL_PLACE_RECURSIVE ? atoll_place_unlock_recursive(place)
                                                : atoll_place_unlock(place);
    Py_END_CRITICAL_SECTION();
    return done;
}

/* --- what Python calls --------------------------------------------------------------------- */

static struct attempt *attempt_of(PyObject *self) {
    struct attempt *attempt = ((struct mutex *)self)->attempt;
    if (!attempt) PyErr_SetString(PyExc_AttributeError, "the lock was never opened");
    return attempt;
}

static int call_lock(void *attempt, int64_t timeout_ns) {
    const struct attempt *self = attempt;
    return self->state->library.mutex_lock(self->mutex, timeout_ns);
}

static PyObject *enter(PyObject *self, PyObject *Py_UNUSED(none)) {
    struct attempt *attempt = attempt_of(self);
    int status;
    if (!attempt) return NULL;
    if (take((PyObject *)attempt)) Py_RETURN_TRUE;
    status = call_lock(attempt, 0);
    if (status == ATOLL_TIMED_OUT) status = wait_in_slices(call_lock, attempt, Py_None);
    if (status == ATOLL_OK) Py_RETURN_TRUE;
    if (status < 0) return NULL;
    return PyObject_CallMethod(self, "_settle", "iOO", status, Py_None, Py_False);
}

static PyObject *wait_until(PyObject *self, PyObject *deadline) {
    struct attempt *attempt = attempt_of(self);
    int status = attempt ? wait_in_slices(call_lock, attempt, deadline) : -1;
    return status < 0 ? NULL : PyLong_FromLong(status);
}

static PyObject *release(PyObject *self, PyObject *Py_UNUSED(none)) {
    struct attempt *attempt = attempt_of(self);
    if (!attempt) return NULL;
    if (give_back(attempt) || attempt->state->library.mutex_unlock(attempt->mutex) == ATOLL_OK)
        Py_RETURN_NONE;
    return call_python(attempt->state->mutex, self, "release"); /* which says what is wrong */
}

static PyObject *leave(PyObject *self, PyObject *const *Py_UNUSED(error), Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__ takes 3 arguments (%zd given)", count);
    return release(self, NULL);
}

/* --- opened and closed --------------------------------------------------------------------- */

static struct attempt *new_attempt(const struct state *state) {
    struct attempt *attempt = PyObject_New(struct attempt, state->attempt);
    if (!attempt) return NULL;
    memset(&attempt->place, 0, sizeof attempt->place);
    attempt->mutex = NULL;
    attempt->state = state;
    attempt->handle = NULL;
    return attempt;
}

/* Has it go by another mutex, or by none: then every call says that it is closed. */
static void go_by(struct attempt *self, PyObject *handle, atoll_mutex *mutex) {
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    old = self->handle;
    self->handle = handle;
    self->mutex = mutex;
    memset(&self->place, 0, sizeof self->place);
    if (mutex) self->state->library.mutex_place(mutex, ATOLL_PLACE_CONTRACT, &self->place);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

static PyObject *bind(PyObject *self, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    struct mutex *lock = (struct mutex *)self;
    void *pointer = count == 2 ? PyLong_AsVoidPtr(arguments[1]) : NULL;
    if (PyErr_Occurred()) return NULL;
    if (count != 2) return PyErr_Format(PyExc_TypeError, "_bind takes a handle and its pointer");
    if (!lock->attempt) lock->attempt = new_attempt(PyType_GetModuleState(type));
    if (!lock->attempt) return NULL;
    Py_INCREF(arguments[0]);
    go_by(lock->attempt, arguments[0], pointer);
    Py_RETURN_NONE;
}

static PyObject *unbind(PyObject *self, PyObject *Py_UNUSED(none)) {
    struct attempt *attempt = ((struct mutex *)self)->attempt;
    if (attempt) go_by(attempt, NULL, NULL);
    Py_RETURN_NONE;
}

static void free_attempt(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct attempt *)self)->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

static void free_mutex(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct mutex *)self)->attempt);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the types ----------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"__enter__", enter, METH_NOARGS, "Take the lock, as `acquire` does."},
    {"__exit__", METHOD(leave), METH_FASTCALL, "Give the lock back."},
    {"release", release, METH_NOARGS, "Give the lock back. Only the holder may."},
    {"_wait", wait_until, METH_O, "Wait for the lock to a deadline. Returns a status."},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "Go by this handle and pointer from here on."},
    {"_unbind", unbind, METH_NOARGS, "Go by none."},
    {0},
};

static PyMemberDef members[] = {
    {"_at_once", T_OBJECT_EX, offsetof(struct mutex, attempt), READONLY, NULL},
    {0},
};

static PyType_Slot attempt_slots[] = {
    {Py_tp_doc, "Its truth is an attempt to take a lock."},
    {Py_tp_dealloc, free_attempt},
    {Py_nb_bool, take},
    {0, NULL},
};

PyType_Spec attempt_spec = {
    .name = "atoll._accelerator.Attempt",
    .basicsize = sizeof(struct attempt),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = attempt_slots,
};

static PyType_Slot mutex_slots[] = {
    {Py_tp_doc, "What Lock and RLock have in C."},
    {Py_tp_dealloc, free_mutex},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

PyType_Spec mutex_spec = {
    .name = "atoll._accelerator.Mutex",
    .basicsize = sizeof(struct mutex),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = mutex_slots,
};
