/* Locks: taken and released by the short way, or by a call, or in Python.
 *
 * Python looks for signals after it has called a function, so an exception could come between
 * `lock.acquire()` and the `try` after it, and leave the lock held. It does not look after it
 * has asked an object for its truth, nor after the `__enter__` of a `with`. Therefore `acquire`
 * stays a function written in Python, and what it asks is an Attempt.
 */

#include "accelerator.h"
#include <structmember.h>

/* What a lock keeps in C. Its truth is an attempt to take the lock by the short way.
 *
 * It may outlive the lock: `with Lock(...)` keeps no more than the bound `__exit__`. So it knows
 * how to make one like it, for what is done in Python. */
struct attempt {
    PyObject_HEAD
    atoll_place place;
    atoll_mutex *mutex;
    const struct state *state;
    PyObject *handle; /* as long as we have it, the place is mapped; NULL once closed */
    PyObject *kind, *name, *segment;
};

/* All NULL until the lock is opened. */
struct mutex {
    PyObject_HEAD
    struct attempt *attempt;
    PyObject *enter, *leave; /* methods of the attempt, see prebound.c */
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

/* A reference of one's own, for the lock may be opened anew while one waits. */
static struct attempt *attempt_of(PyObject *lock) {
    struct attempt *attempt = ((struct mutex *)lock)->attempt;
    if (!attempt) PyErr_SetString(PyExc_AttributeError, "the lock was never opened");
    Py_XINCREF(attempt);
    return attempt;
}

/* Has a lock that was made for one call keep nothing open: a traceback may hold it for long. */
static void let_go(PyObject *lock) {
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    if (PyObject_SetAttrString(lock, "_handle", Py_None) < 0) PyErr_Clear();
    PyErr_Restore(kind, error, traceback);
}

/* The class of ours that a class is derived from: of those of users nothing is made behind their
 * backs, as they may have finalizers, and constructors of their own. */
static PyObject *kind_of(PyTypeObject *type, const struct state *state) {
    while (type->tp_base && type->tp_base != state->mutex) type = type->tp_base;
    return (PyObject *)type;
}

/* Does in Python what is not as usual: the method of that name of a lock like this one. */
static PyObject *in_python(const struct attempt *self, const char *method,
                           PyObject *const *arguments, size_t count) {
    PyObject *handle, *lock, *answer = NULL;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    handle = self->handle ? self->handle : Py_None;
    Py_INCREF(handle);
    Py_END_CRITICAL_SECTION();
    lock = PyObject_CallMethod(self->kind, "_again", "OKOO", handle,
                               (unsigned long long)(uintptr_t)self->mutex, self->name,
                               self->segment);
    if (lock) answer = call_python(self->state->mutex, lock, method, arguments, count);
    if (lock) let_go(lock);
    Py_XDECREF(lock);
    Py_DECREF(handle);
    return answer;
}

static int call_lock(void *attempt, int64_t timeout_ns) {
    const struct attempt *self = attempt;
    return self->state->library.mutex_lock(self->mutex, timeout_ns);
}

static PyObject *enter(PyObject *self, PyObject *Py_UNUSED(none)) {
    struct attempt *attempt = (struct attempt *)self;
    PyObject *answer, *outcome[] = {NULL, Py_None, Py_False};
    int status;
    if (take(self)) Py_RETURN_TRUE;
    status = call_lock(attempt, 0);
    if (status == ATOLL_TIMED_OUT) status = wait_in_slices(call_lock, attempt, Py_None);
    if (status == ATOLL_OK) Py_RETURN_TRUE;
    if (status < 0) return NULL;
    outcome[0] = PyLong_FromLong(status);
    answer = outcome[0] ? in_python(attempt, "_settle", outcome, 3) : NULL;
    Py_XDECREF(outcome[0]);
    /* Ctrl-C may end that before it has given back what a dead owner left to us. */
    if (!answer && status == ATOLL_OWNER_DIED) attempt->state->library.mutex_unlock(attempt->mutex);
    return answer;
}

static PyObject *wait_until(PyObject *self, PyObject *deadline) {
    struct attempt *attempt = attempt_of(self);
    int status = attempt ? wait_in_slices(call_lock, attempt, deadline) : -1;
    Py_XDECREF(attempt);
    return status < 0 ? NULL : PyLong_FromLong(status);
}

/* Gives the lock back if it is ours; if not, the method in Python says what is wrong. */
static inline PyObject *release_by(struct attempt *attempt) {
    if (give_back(attempt) || attempt->state->library.mutex_unlock(attempt->mutex) == ATOLL_OK)
        Py_RETURN_NONE;
    return in_python(attempt, "release", NULL, 0);
}

static PyObject *release(PyObject *self, PyObject *Py_UNUSED(none)) {
    struct attempt *attempt = attempt_of(self);
    PyObject *answer = attempt ? release_by(attempt) : NULL;
    Py_XDECREF(attempt);
    return answer;
}

static PyObject *leave(PyObject *self, PyObject *const *Py_UNUSED(error), Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__ takes 3 arguments (%zd given)", count);
    return release_by((struct attempt *)self);
}

/* --- opened and closed --------------------------------------------------------------------- */

static PyMethodDef enter_method = {"__enter__", enter, METH_NOARGS, NULL};
static PyMethodDef leave_method = {"__exit__", METHOD(leave), METH_FASTCALL, NULL};

static PyObject *own(PyObject *object) {
    Py_INCREF(object);
    return object;
}

static int clear_mutex(PyObject *self) {
    Py_CLEAR(((struct mutex *)self)->enter);
    Py_CLEAR(((struct mutex *)self)->leave);
    Py_CLEAR(((struct mutex *)self)->attempt);
    return 0;
}

/* _bind(handle, pointer, name, segment): `handle` keeps `pointer`, a mutex, open; the rest is
 * what the lock is called. */
static PyObject *bind(PyObject *self, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    const struct state *state = PyType_GetModuleState(type);
    struct mutex *lock = (struct mutex *)self;
    void *pointer = count == 4 ? PyLong_AsVoidPtr(arguments[1]) : NULL;
    if (PyErr_Occurred()) return NULL;
    if (count != 4) return PyErr_Format(PyExc_TypeError, "_bind takes 4 arguments");
    struct attempt *attempt = PyObject_GC_New(struct attempt, state->attempt);
    if (!attempt) return NULL;
    attempt->place.word = NULL; /* should the library not fill it in */
    state->library.mutex_place(pointer, ATOLL_PLACE_CONTRACT, &attempt->place);
    attempt->mutex = pointer;
    attempt->state = state;
    attempt->handle = own(arguments[0]);
    attempt->kind = own(kind_of(Py_TYPE(self), state));
    attempt->name = own(arguments[2]);
    attempt->segment = own(arguments[3]);
    PyObject_GC_Track((PyObject *)attempt);
    clear_mutex(self); /* of an object that is made anew */
    lock->attempt = attempt;
    lock->enter = PyCFunction_New(&enter_method, (PyObject *)attempt);
    lock->leave = PyCFunction_New(&leave_method, (PyObject *)attempt);
    if (!lock->enter || !lock->leave) return NULL;
    Py_RETURN_NONE;
}

/* The pointer stays: the library knows that it was closed, and says so. */
static PyObject *unbind(PyObject *self, PyObject *Py_UNUSED(none)) {
    struct attempt *attempt = ((struct mutex *)self)->attempt;
    PyObject *handle;
    if (!attempt) Py_RETURN_NONE;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)attempt);
    handle = attempt->handle;
    attempt->handle = NULL;
    attempt->place.word = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(handle);
    Py_RETURN_NONE;
}

static int visit_attempt(PyObject *self, visitproc visit, void *arg) {
    const struct attempt *attempt = (struct attempt *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(attempt->handle);
    Py_VISIT(attempt->kind);
    Py_VISIT(attempt->name);
    Py_VISIT(attempt->segment);
    return 0;
}

static void free_attempt(PyObject *self) {
    struct attempt *attempt = (struct attempt *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(attempt->handle);
    Py_CLEAR(attempt->kind);
    Py_CLEAR(attempt->name);
    Py_CLEAR(attempt->segment);
    type->tp_free(self);
    Py_DECREF(type);
}

static int visit_mutex(PyObject *self, visitproc visit, void *arg) {
    const struct mutex *lock = (struct mutex *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(lock->attempt);
    Py_VISIT(lock->enter);
    Py_VISIT(lock->leave);
    return 0;
}

static void free_mutex(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear_mutex(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the types ----------------------------------------------------------------------------- */

/* The words are those of the method in Python, which a test compares. */
static PyMethodDef methods[] = {
    {"release", release, METH_NOARGS,
     "release($self, /)\n--\n\nGive the lock back. Only the holder may."},
    {"_wait", wait_until, METH_O, NULL},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

int add_mutex_methods(const struct state *state) {
    const struct bound_beforehand both[] = {
        {"__enter__", "Take the lock.", offsetof(struct mutex, enter)},
        {"__exit__", "Give the lock back.", offsetof(struct mutex, leave)},
    };
    return add_prebound(state, state->mutex, both[0]) < 0
               ? -1
               : add_prebound(state, state->mutex, both[1]);
}

static PyMemberDef members[] = {
    {"_at_once", T_OBJECT_EX, offsetof(struct mutex, attempt), READONLY, NULL},
    {0},
};

static PyType_Slot attempt_slots[] = {
    {Py_tp_doc, "Its truth is an attempt to take a lock."},
    {Py_tp_traverse, visit_attempt},
    {Py_tp_dealloc, free_attempt},
    {Py_nb_bool, take},
    {0, NULL},
};

PyType_Spec attempt_spec = {
    .name = "atoll._accelerator.Attempt",
    .basicsize = sizeof(struct attempt),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = attempt_slots,
};

static PyType_Slot mutex_slots[] = {
    {Py_tp_doc, "What Lock and RLock have in C."},
    {Py_tp_traverse, visit_mutex},
    {Py_tp_clear, clear_mutex},
    {Py_tp_dealloc, free_mutex},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

PyType_Spec mutex_spec = {
    .name = "atoll._accelerator.Mutex",
    .basicsize = sizeof(struct mutex),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = mutex_slots,
};
