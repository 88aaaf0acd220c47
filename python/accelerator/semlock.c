/* Locks that belong to processes, and semaphores, as multiprocessing has them.
 *
 * Beside the native ones (mutex.c, semaphore.c) they know how often this process has acquired
 * them, and which of its threads did so last: that is how multiprocessing tells whether somebody
 * may wait for a condition. And `acquire` is a method in C, as there and for its speed: Ctrl-C may
 * come between it and the `try` after it. It does not come between `with` and its block.
 */

#include "accelerator.h"
#include <pthread.h>

/* Forks that this process comes of: what its parents have acquired, it has not. */
static unsigned forks;

static void count_fork(void) { forks++; }

/* Once for each interpreter: a fork may count several times, and is another number all the same. */
int look_out_for_forks(void) {
    if (pthread_atfork(NULL, NULL, count_fork) == 0) return 0;
    PyErr_NoMemory();
    return -1;
}

/* What a lock or semaphore keeps in C, and somebody who waits for it still needs. */
struct hold {
    PLACED_HEAD
    const struct state *state;
    void *object;
    bool is_lock;
    unsigned forks;
    unsigned long thread;
    unsigned long long times;
};

struct semlock {
    PyObject_HEAD
    struct hold *hold; /* NULL until it is opened */
};

/* --- who has acquired it ------------------------------------------------------------------- */

static void count_acquired(struct hold *self) {
    if (self->forks != forks) self->times = 0;
    self->forks = forks;
    self->thread = PyThread_get_thread_ident();
    self->times++;
}

static void count_released(struct hold *self) {
    if (self->times) self->times--; /* what others have acquired may be released here */
}

/* A dead owner was found, and the lock is ours: whoever has the handle open can ask. Without the
 * memory for it that is not known; that the lock is ours goes before. */
static void note(const struct hold *self, const atoll_owner *former) {
    PyObject *news = PyBytes_FromStringAndSize((const char *)former, sizeof *former);
    PyObject *handle = self->handle;
    Py_XINCREF(handle); /* it may be closed while its attribute is set */
    if (!news || (handle && PyObject_SetAttrString(handle, "former", news) < 0)) PyErr_Clear();
    Py_XDECREF(handle);
    Py_XDECREF(news);
}

/* --- acquired and released ----------------------------------------------------------------- */

/* A wait, and who is told to have died before. */
struct wait {
    const struct hold *hold;
    atoll_owner former;
};

static int call_acquire(void *what, int64_t timeout_ns) {
    struct wait *wait = what;
    const struct hold *self = wait->hold;
    const struct library *library = &self->state->library;
    return self->is_lock ? library->lock_acquire(self->object, timeout_ns, &wait->former)
                         : library->semaphore_acquire(self->object, timeout_ns);
}

/* Keeps account of how a wait has ended. */
static int settle(struct hold *self, const struct wait *wait, int status) {
    if (status == ATOLL_OWNER_DIED) note(self, &wait->former);
    if (status == ATOLL_OK || status == ATOLL_OWNER_DIED) count_acquired(self);
    return status;
}

/* Whether it could be acquired at once. */
static bool take(struct hold *self) {
    struct wait wait = {.hold = self};
    bool taken;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    if (atoll_place_acquire(&self->place)) {
        count_acquired(self);
        taken = true;
    } else {
        const int status = settle(self, &wait, call_acquire(&wait, 0));
        taken = status == ATOLL_OK || status == ATOLL_OWNER_DIED;
    }
    Py_END_CRITICAL_SECTION();
    return taken;
}

static bool give_back(struct hold *self) {
    const struct library *library = &self->state->library;
    bool done;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    done = atoll_place_release(&self->place) ||
           (self->is_lock ? library->lock_release(self->object)
                          : library->semaphore_release(self->object, 1)) == ATOLL_OK;
    if (done) count_released(self);
    Py_END_CRITICAL_SECTION();
    return done;
}

/* --- what Python calls --------------------------------------------------------------------- */

/* A reference of one's own, for it may be opened anew while one waits. */
static struct hold *hold_of(PyObject *object) {
    struct hold *hold = ((struct semlock *)object)->hold;
    if (!hold) PyErr_SetString(PyExc_AttributeError, "the object was never opened");
    Py_XINCREF(hold);
    return hold;
}

/* The status of a wait, or -1 with an exception. */
static int wait_for(struct hold *self, PyObject *deadline) {
    struct wait wait = {.hold = self};
    int status = wait_in_slices(call_acquire, &wait, deadline);
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    settle(self, &wait, status);
    Py_END_CRITICAL_SECTION();
    return status;
}

static PyObject *enter(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct hold *self = hold_of(object);
    int status = ATOLL_OK;
    if (!self) return NULL;
    if (!take(self)) status = wait_for(self, Py_None);
    PyTypeObject *type = self->state->semlock;
    Py_DECREF(self);
    if (status == ATOLL_OK || status == ATOLL_OWNER_DIED) Py_RETURN_TRUE;
    return status < 0 ? NULL : call_python(type, object, "acquire", NULL, 0);
}

/* The usual case; everything else about arguments is known in Python. */
static PyObject *acquire(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                         PyObject *names) {
    struct hold *self = hold_of(object);
    if (!self) return NULL;
    const bool taken = count == 0 && !names && take(self);
    PyTypeObject *type = self->state->semlock;
    Py_DECREF(self);
    if (taken) Py_RETURN_TRUE;
    return call_python_named(type, object, "acquire", arguments, (size_t)count, names);
}

static PyObject *wait_until(PyObject *object, PyObject *deadline) {
    struct hold *self = hold_of(object);
    int status = self ? wait_for(self, deadline) : -1;
    Py_XDECREF(self);
    return status < 0 ? NULL : PyLong_FromLong(status);
}

/* Gives it back; if that cannot be, the method in Python says what is wrong. */
static PyObject *release(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct hold *self = hold_of(object);
    if (!self) return NULL;
    const bool done = give_back(self);
    PyTypeObject *type = self->state->semlock;
    Py_DECREF(self);
    if (done) Py_RETURN_NONE;
    return call_python(type, object, "release", NULL, 0);
}

static PyObject *leave(PyObject *self, PyObject *const *Py_UNUSED(error), Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__ takes 3 arguments (%zd given)", count);
    return release(self, NULL);
}

/* How often it was acquired here, and by which thread last. */
static PyObject *acquired(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct hold *self = hold_of(object);
    if (!self) return NULL;
    PyObject *both = Py_BuildValue("Kk", self->forks == forks ? self->times : 0, self->thread);
    Py_DECREF(self);
    return both;
}

/* --- opened and closed --------------------------------------------------------------------- */

/* The pointer stays: the library knows that it was closed, and says so. */
static PyObject *unbind(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct hold *hold = ((struct semlock *)object)->hold;
    if (hold) unplace((PyObject *)hold);
    Py_RETURN_NONE;
}

/* _bind(handle, pointer, is_lock): `handle` keeps `pointer` open, a lock or a semaphore. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    const struct state *state = PyType_GetModuleState(type);
    void *pointer = count == 3 ? PyLong_AsVoidPtr(arguments[1]) : NULL;
    if (PyErr_Occurred()) return NULL;
    if (count != 3) return PyErr_Format(PyExc_TypeError, "_bind takes 3 arguments");
    struct hold *hold = PyObject_New(struct hold, state->hold);
    if (!hold) return NULL;
    hold->place.word = NULL; /* should the library not fill it in */
    hold->is_lock = arguments[2] == Py_True;
    if (!hold->is_lock) state->library.semaphore_place(pointer, ATOLL_PLACE_CONTRACT, &hold->place);
    Py_INCREF(arguments[0]);
    hold->handle = arguments[0];
    hold->state = state;
    hold->object = pointer;
    hold->forks = forks;
    hold->thread = 0;
    hold->times = 0;
    Py_XSETREF(((struct semlock *)object)->hold, hold); /* there is one if it is made anew */
    Py_RETURN_NONE;
}

static void free_semlock(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct semlock *)self)->hold);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the types ----------------------------------------------------------------------------- */

/* The words are those of the methods in Python, which a test compares. */
static PyMethodDef methods[] = {
    {"acquire", METHOD(acquire), METH_FASTCALL | METH_KEYWORDS,
     "acquire($self, block=True, timeout=None)\n--\n\n"
     "Acquire it. True if that was done, False if the time was up first.\n\n"
     "`timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`."},
    {"release", release, METH_NOARGS, "release($self, /)\n--\n\nGive it back, whoever has it."},
    {"__enter__", enter, METH_NOARGS, "__enter__($self, /)\n--\n\nAcquire it."},
    {"__exit__", METHOD(leave), METH_FASTCALL, "Give it back."},
    {"_wait", wait_until, METH_O, NULL},
    {"_acquired", acquired, METH_NOARGS, NULL},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

static PyType_Slot hold_slots[] = {
    {Py_tp_doc, "What a lock or semaphore keeps in C."},
    {Py_tp_dealloc, free_placed},
    {0, NULL},
};

PyType_Spec hold_spec = {
    .name = "atoll._accelerator.Hold",
    .basicsize = sizeof(struct hold),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = hold_slots,
};

static PyType_Slot semlock_slots[] = {
    {Py_tp_doc, "What the locks and semaphores of atoll.multiprocessing have in C."},
    {Py_tp_dealloc, free_semlock},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec semlock_spec = {
    .name = "atoll._accelerator.SemLock",
    .basicsize = sizeof(struct semlock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = semlock_slots,
};
