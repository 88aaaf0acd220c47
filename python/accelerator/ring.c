/* Rings: a record of numbers or bytes put or got by one call, and the waits for that.
 *
 * The calls that put and get keep the interpreter's lock, which is what keeps two threads from
 * being in one at once. A wait is for the end of the ring to be ready: it takes nothing, and is
 * made without the lock. Structs, timeouts and what is refused are left to Python.
 */

#include "number.h"

/* Bytes that a message is first given room for. */
enum { USUAL_ROOM = 248 };

/* One kind of ring, as the library has it: handles of all kinds are passed alike. */
struct calls {
    int (*push)(void *ring, const void *record, size_t size);
    int (*pop)(void *ring, void *out, size_t size, size_t *out_size);
    /* Of those that also say how often a record was taken over, instead. */
    int (*pop_marked)(void *ring, void *out, size_t size, size_t *out_size, uint32_t *out_times);
};

struct ring {
    PyObject_HEAD
    void *ring;       /* NULL: not for us, or it is closed */
    PyObject *handle; /* as long as we have it, the ring is open */
    /* From here on bound once, and then never changed. */
    const struct state *state;
    struct calls calls;
    int code; /* of a type of numbers, or ATOLL_BYTES */
    Py_ssize_t size; /* 0: messages, of any length */
    bool sleeps; /* who waits may; else Python does it */
};

/* --- the end of a ring ---------------------------------------------------------------------- */

struct wait {
    const struct library *library;
    atoll_waitable end;
};

static int call_wait(void *what, int64_t timeout_ns) {
    struct wait *wait = what;
    uint64_t ready;
    return wait->library->wait_any(&wait->end, 1, timeout_ns, &ready);
}

/* Waits until the end is ready. False if it could not, without an exception or with one. */
static bool wait_for(const struct ring *self, PyObject *handle, const void *ring, unsigned end) {
    struct wait wait = {&self->state->library, {ring, end}};
    int status;
    if (!handle || !self->sleeps) return false;
    Py_INCREF(handle); /* whoever closes it meanwhile */
    status = wait_in_slices(call_wait, &wait, Py_None);
    Py_DECREF(handle);
    /* What it was ready for may be gone again, each time. */
    return status == ATOLL_OK && PyErr_CheckSignals() == 0;
}

/* --- one record ----------------------------------------------------------------------------- */

/* If the ring was closed meanwhile the library refuses NULL. */
static int push_bytes(struct ring *self, const void *record, Py_ssize_t size) {
    int status;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    status = self->calls.push(self->ring, record, (size_t)size);
    Py_END_CRITICAL_SECTION();
    return status;
}

/* As whole records have them: those of fewer bytes are for Python. */
static int push_buffer(struct ring *self, PyObject *record) {
    Py_buffer buffer;
    int status = ATOLL_INVALID_ARGUMENT;
    if (PyObject_GetBuffer(record, &buffer, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return status;
    }
    if (buffer.len == self->size || !self->size) status = push_bytes(self, buffer.buf, buffer.len);
    PyBuffer_Release(&buffer);
    return status;
}

/* What came of an attempt; -1 with an exception. */
static int push_record(struct ring *self, PyObject *record) {
    uint64_t bits;
    if (!self->ring) return ATOLL_CLOSED;
    if (self->code == ATOLL_BYTES) return push_buffer(self, record);
    switch (bits_of_number(self->code, record, &bits)) {
    case CONVERTED: return push_bytes(self, &bits, self->size);
    case RAISED: return -1;
    default: return ATOLL_INVALID_ARGUMENT;
    }
}

/* `size` is how much room there is, and receives how many bytes came or are needed. */
static int pop_bytes(struct ring *self, void *out, size_t *size) {
    int status;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    if (self->calls.pop) status = self->calls.pop(self->ring, out, *size, size);
    else status = self->calls.pop_marked(self->ring, out, *size, size, NULL);
    Py_END_CRITICAL_SECTION();
    return status;
}

static PyObject *pop_number(struct ring *self, int *status) {
    uint64_t bits = 0;
    size_t size = sizeof bits;
    *status = pop_bytes(self, &bits, &size);
    return *status == ATOLL_OK ? number_of_bits(self->code, bits) : NULL;
}

/* Bytes for which there is at least that much room. */
static PyObject *pop_into_bytes(struct ring *self, size_t size, int *status) {
    const size_t room = size;
    PyObject *record = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (record) *status = pop_bytes(self, PyBytes_AS_STRING(record), &size);
    if (*status != ATOLL_OK) Py_CLEAR(record);
    else if (size != room) _PyBytes_Resize(&record, (Py_ssize_t)size);
    return record;
}

static PyObject *pop_message(struct ring *self, int *status) {
    char small[USUAL_ROOM];
    size_t size = sizeof small;
    PyObject *message;
    *status = pop_bytes(self, small, &size);
    if (*status == ATOLL_OK) return PyBytes_FromStringAndSize(small, (Py_ssize_t)size);
    if (*status != ATOLL_TOO_SMALL) return NULL;
    message = pop_into_bytes(self, size, status);
    /* The next one may be longer again. */
    return *status == ATOLL_TOO_SMALL && !PyErr_Occurred() ? pop_message(self, status) : message;
}

/* What came of an attempt, and the record; without one it may be with an exception. */
static int pop_record(struct ring *self, PyObject **record) {
    int status = ATOLL_CLOSED;
    *record = NULL;
    if (!self->ring) return status;
    if (self->code != ATOLL_BYTES) *record = pop_number(self, &status);
    else if (self->size) *record = pop_into_bytes(self, (size_t)self->size, &status);
    else *record = pop_message(self, &status);
    return status;
}

/* --- what Python calls ---------------------------------------------------------------------- */

static PyObject *in_python(struct ring *self, const char *name, PyObject *const *arguments,
                           Py_ssize_t count, PyObject *names) {
    if (!self->state) return PyErr_Format(PyExc_AttributeError, "the ring was never opened");
    return call_python_named(self->state->ring, (PyObject *)self, name, arguments, (size_t)count,
                             names);
}

static PyObject *push(PyObject *object, PyObject *record) {
    struct ring *self = (struct ring *)object;
    const int status = push_record(self, record);
    if (status == ATOLL_OK) Py_RETURN_NONE;
    return status < 0 ? NULL : in_python(self, "push", &record, 1, NULL);
}

static PyObject *put(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                     PyObject *names) {
    struct ring *self = (struct ring *)object;
    int status;
    while (count == 1 && !names) {
        status = push_record(self, arguments[0]);
        if (status == ATOLL_OK) Py_RETURN_NONE;
        if (status < 0) return NULL;
        if (status != ATOLL_FULL || !self->size) break; /* room for a message Python waits for */
        if (!wait_for(self, self->handle, self->ring, ATOLL_PRODUCERS)) break;
    }
    return PyErr_Occurred() ? NULL : in_python(self, "put", arguments, count, names);
}

static PyObject *pop(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct ring *self = (struct ring *)object;
    PyObject *record;
    pop_record(self, &record);
    return record || PyErr_Occurred() ? record : in_python(self, "pop", NULL, 0, NULL);
}

static PyObject *get(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                     PyObject *names) {
    struct ring *self = (struct ring *)object;
    PyObject *record;
    int status;
    while (count == 0 && !names) {
        status = pop_record(self, &record);
        if (record || PyErr_Occurred()) return record;
        if (status != ATOLL_EMPTY) break;
        if (!wait_for(self, self->handle, self->ring, ATOLL_CONSUMERS)) break;
    }
    return PyErr_Occurred() ? NULL : in_python(self, "get", arguments, count, names);
}

/* --- opened and closed ---------------------------------------------------------------------- */

static PyObject *unbind(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct ring *self = (struct ring *)object;
    PyObject *handle;
    Py_BEGIN_CRITICAL_SECTION(object);
    handle = self->handle;
    self->handle = NULL;
    self->ring = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(handle);
    Py_RETURN_NONE;
}

#define PUSH(kind) (int (*)(void *, const void *, size_t))library->kind##_push
#define POP(kind) (int (*)(void *, void *, size_t, size_t *))library->kind##_pop
#define POP_MARKED(kind) (int (*)(void *, void *, size_t, size_t *, uint32_t *))library->kind##_pop

/* Whether there are such rings. */
static bool find_calls(const struct library *library, PyObject *noun, struct calls *calls) {
    const struct {
        const char *noun;
        struct calls calls;
    } kinds[] = {{"spsc", {PUSH(spsc), POP(spsc), NULL}},
                 {"fanin", {PUSH(fanin), POP(fanin), NULL}},
                 {"mpmc", {PUSH(mpmc), NULL, POP_MARKED(mpmc)}}};
    for (size_t each = 0; each < sizeof kinds / sizeof *kinds; each++) {
        if (PyUnicode_CompareWithASCIIString(noun, kinds[each].noun) != 0) continue;
        *calls = kinds[each].calls;
        return true;
    }
    return false;
}

/* _bind(handle, pointer, noun, code, size, sleeps): `handle` keeps `pointer` open. Of an object
 * that is made anew nothing is known here, so that a call can rely on it. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    struct ring *self = (struct ring *)object;
    const struct state *state = PyType_GetModuleState(type);
    struct calls calls;
    if (count != 6 || !PyUnicode_Check(arguments[2]) ||
        !find_calls(&state->library, arguments[2], &calls))
        return PyErr_Format(PyExc_TypeError, "_bind takes 6 arguments, the third a noun");
    void *pointer = PyLong_AsVoidPtr(arguments[1]);
    const int code = (int)PyLong_AsLong(arguments[3]);
    const Py_ssize_t size = PyLong_AsSsize_t(arguments[4]);
    if (PyErr_Occurred()) return NULL;
    if (self->state) return unbind(object, NULL);
    self->state = state;
    self->calls = calls;
    self->code = code;
    self->size = size;
    self->sleeps = PyObject_IsTrue(arguments[5]);
    Py_INCREF(arguments[0]);
    self->handle = arguments[0];
    if (number_size(code) == size || code == ATOLL_BYTES) self->ring = pointer;
    Py_RETURN_NONE;
}

static void free_ring(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct ring *)self)->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the type ------------------------------------------------------------------------------- */

/* The words are those of the methods in Python, which a test compares. */
static PyMethodDef methods[] = {
    {"push", push, METH_O,
     "push($self, record)\n--\n\n"
     "Put a record. Raises `NoRoom`, which is a `queue.Full`, if there is no room."},
    {"pop", pop, METH_NOARGS,
     "pop($self, /)\n--\n\nGet a record. Raises `Empty`, which is a `queue.Empty`, if there is none."},
    {"put", METHOD(put), METH_FASTCALL | METH_KEYWORDS,
     "put($self, record, block=True, timeout=None)\n--\n\n"
     "Put a record, and wait until there is room for it.\n\n"
     "`timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`. If\n"
     "there was no room, raises `NoRoom`, which is a `queue.Full`; if an end is closed,\n"
     "`Closed`."},
    {"get", METHOD(get), METH_FASTCALL | METH_KEYWORDS,
     "get($self, block=True, timeout=None)\n--\n\n"
     "Get a record, and wait until there is one.\n\n"
     "`timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`. If\n"
     "there was none, raises `Empty`, which is a `queue.Empty`; if there is none and the\n"
     "producers' end is closed, `Closed`."},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What rings have in C."},
    {Py_tp_dealloc, free_ring},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec ring_spec = {
    .name = "atoll._accelerator.Ring",
    .basicsize = sizeof(struct ring),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};
