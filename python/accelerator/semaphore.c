/* Semaphores: a permit taken and given back by the short way, or by a call, or in Python.
 *
 * As with locks (mutex.c), `acquire` stays a function written in Python, which asks an object
 * for its truth; and `__enter__` is one in C.
 */

#include "accelerator.h"
#include <structmember.h>

/* What a semaphore keeps in C. Its truth is an attempt to take a permit by the short way. */
struct permit {
    PLACED_HEAD
};

struct semaphore {
    PyObject_HEAD
    struct permit *permit; /* NULL until the semaphore is opened */
    const struct state *state;
    atoll_semaphore *semaphore;
};

/* --- the short ways ------------------------------------------------------------------------ */

static int take(PyObject *permit) {
    bool taken;
    Py_BEGIN_CRITICAL_SECTION(permit);
    taken = atoll_place_acquire(&((struct permit *)permit)->place);
    Py_END_CRITICAL_SECTION();
    return taken;
}

static bool give_back(PyObject *permit) {
    bool done;
    Py_BEGIN_CRITICAL_SECTION(permit);
    done = atoll_place_release(&((struct permit *)permit)->place);
    Py_END_CRITICAL_SECTION();
    return done;
}

/* --- what Python calls --------------------------------------------------------------------- */

/* Whether it was ever opened; if not, with an exception. */
static bool is_bound(const struct semaphore *self) {
    if (!self->permit) PyErr_SetString(PyExc_AttributeError, "the semaphore was never opened");
    return self->permit;
}

static PyObject *in_python(struct semaphore *self, const char *name, PyObject *const *arguments,
                           size_t count) {
    return call_python(self->state->semaphore, (PyObject *)self, name, arguments, count);
}

static int call_acquire(void *semaphore, int64_t timeout_ns) {
    const struct semaphore *self = semaphore;
    return self->state->library.semaphore_acquire(self->semaphore, timeout_ns);
}

static PyObject *enter(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct semaphore *self = (struct semaphore *)object;
    int status;
    if (!is_bound(self)) return NULL;
    if (take((PyObject *)self->permit)) Py_RETURN_TRUE;
    status = call_acquire(self, 0);
    if (status == ATOLL_TIMED_OUT) status = wait_in_slices(call_acquire, self, Py_None);
    if (status == ATOLL_OK) Py_RETURN_TRUE;
    return status < 0 ? NULL : in_python(self, "__enter__", NULL, 0);
}

/* Gives one back; if that cannot be, the method in Python says what is wrong. */
static PyObject *release_one(struct semaphore *self) {
    if (!is_bound(self)) return NULL;
    if (give_back((PyObject *)self->permit) ||
        self->state->library.semaphore_release(self->semaphore, 1) == ATOLL_OK)
        Py_RETURN_NONE;
    return in_python(self, "release", NULL, 0);
}

static PyObject *leave(PyObject *self, PyObject *const *Py_UNUSED(error), Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__ takes 3 arguments (%zd given)", count);
    return release_one((struct semaphore *)self);
}

static PyObject *release(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                         PyObject *names) {
    struct semaphore *self = (struct semaphore *)object;
    const Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    if (count + named == 0) return release_one(self);
    if (count + named > 1 ||
        (named && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "n") != 0))
        return PyErr_Format(PyExc_TypeError, "release takes n, and nothing else");
    return is_bound(self) ? in_python(self, "release", arguments, 1) : NULL;
}

/* --- opened and closed --------------------------------------------------------------------- */

/* The pointer stays: the library knows that it was closed, and says so. */
static PyObject *unbind(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct permit *permit = ((struct semaphore *)object)->permit;
    if (permit) unplace((PyObject *)permit);
    Py_RETURN_NONE;
}

/* _bind(handle, pointer): `handle` keeps `pointer`, a semaphore, open. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    const struct state *state = PyType_GetModuleState(type);
    struct semaphore *self = (struct semaphore *)object;
    void *pointer = count == 2 ? PyLong_AsVoidPtr(arguments[1]) : NULL;
    if (PyErr_Occurred()) return NULL;
    if (count != 2) return PyErr_Format(PyExc_TypeError, "_bind takes 2 arguments");
    struct permit *permit = PyObject_New(struct permit, state->permit);
    if (!permit) return NULL;
    permit->place.word = NULL; /* should the library not fill it in */
    state->library.semaphore_place(pointer, ATOLL_PLACE_CONTRACT, &permit->place);
    Py_INCREF(arguments[0]);
    permit->handle = arguments[0];
    self->state = state;
    self->semaphore = pointer;
    Py_XSETREF(self->permit, permit); /* there is one if the object is made anew */
    Py_RETURN_NONE;
}

static void free_semaphore(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct semaphore *)self)->permit);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the types ----------------------------------------------------------------------------- */

/* The words are those of the methods in Python, which a test compares. */
static PyMethodDef methods[] = {
    {"release", METHOD(release), METH_FASTCALL | METH_KEYWORDS,
     "release($self, n=1)\n--\n\n"
     "Give back `n` permits, or make so many more. Raises `Full` beyond the maximum."},
    {"__enter__", enter, METH_NOARGS, "__enter__($self, /)\n--\n\nTake a permit."},
    {"__exit__", METHOD(leave), METH_FASTCALL, "Give the permit back."},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

static PyMemberDef members[] = {
    {"_at_once", T_OBJECT_EX, offsetof(struct semaphore, permit), READONLY, NULL},
    {0},
};

static PyType_Slot permit_slots[] = {
    {Py_tp_doc, "Its truth is an attempt to take a permit."},
    {Py_tp_dealloc, free_placed},
    {Py_nb_bool, take},
    {0, NULL},
};

PyType_Spec permit_spec = {
    .name = "atoll._accelerator.Permit",
    .basicsize = sizeof(struct permit),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = permit_slots,
};

static PyType_Slot semaphore_slots[] = {
    {Py_tp_doc, "What Semaphore and BoundedSemaphore have in C."},
    {Py_tp_dealloc, free_semaphore},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

PyType_Spec semaphore_spec = {
    .name = "atoll._accelerator.Semaphore",
    .basicsize = sizeof(struct semaphore),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = semaphore_slots,
};
