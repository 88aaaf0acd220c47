/* Rings: a record put or got by one call, or several, and the waits for that.
 *
 * The calls that put and get keep the interpreter's lock, which is what keeps two threads from
 * being in one at once. A wait is for the end of the ring to be ready: it takes nothing, and is
 * made without the lock. Timeouts and what is refused are left to Python.
 */

#include "number.h"

/* Bytes that a message is first given room for. */
enum { USUAL_ROOM = 248 };

/* One kind of ring, as the library has it: handles of all kinds are passed alike. */
struct calls {
    int (*push)(void *ring, const void *record, size_t size);
    int (*pop)(void *ring, void *out, size_t size, size_t *out_size);
    int (*push_n)(void *ring, const void *records, size_t n, size_t *out_n);
    int (*pop_n)(void *ring, void *out, size_t n, size_t *out_n);
    /* Of those that also say how often a record was taken over, instead. */
    int (*pop_marked)(void *ring, void *out, size_t size, size_t *out_size, uint32_t *out_times);
    int (*pop_n_marked)(void *ring, void *out, size_t n, size_t *out_n, uint32_t *out_times);
};

struct ring {
    PyObject_HEAD
    void *ring;       /* NULL: not for us, or it is closed */
    PyObject *handle; /* as long as we have it, the ring is open */
    /* From here on bound once, and then never changed. */
    const struct state *state;
    struct calls calls;
    int code;
    Py_ssize_t size; /* 0: messages, of any length */
    Py_ssize_t capacity;
    bool sleeps; /* who waits may; else Python does it */
    PyObject *format; /* of buffers of such structs, or bytes */
    PyObject *decode; /* makes a struct of a bytearray */
    PyObject *unpack; /* makes what `pop_n` gives of a memoryview */
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

/* Whether a buffer is of such structs, or of bytes that may be one. */
static bool is_of_structs(const struct ring *self, const Py_buffer *buffer) {
    return buffer->format && PyUnicode_CompareWithASCIIString(self->format, buffer->format) == 0;
}

/* As whole records have them: those of fewer bytes are for Python. */
static int push_buffer(struct ring *self, PyObject *record) {
    Py_buffer buffer;
    int status = ATOLL_INVALID_ARGUMENT;
    bool fits;
    if (PyObject_GetBuffer(record, &buffer, PyBUF_ND | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return status;
    }
    fits = buffer.len == self->size || !self->size;
    if (fits && self->code == ATOLL_STRUCT)
        fits = PyBytes_CheckExact(record) || (!buffer.ndim && is_of_structs(self, &buffer));
    if (fits) status = push_bytes(self, buffer.buf, buffer.len);
    PyBuffer_Release(&buffer);
    return status;
}

/* What came of an attempt; -1 with an exception. */
static int push_record(struct ring *self, PyObject *record) {
    uint64_t bits;
    if (!self->ring) return ATOLL_CLOSED;
    if (!number_size(self->code)) return push_buffer(self, record);
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

static PyObject *pop_struct(struct ring *self, int *status) {
    PyObject *record = NULL, *data = PyByteArray_FromStringAndSize(NULL, self->size);
    size_t size = (size_t)self->size;
    if (data) *status = pop_bytes(self, PyByteArray_AS_STRING(data), &size);
    if (*status == ATOLL_OK) record = PyObject_CallFunctionObjArgs(self->decode, data, NULL);
    Py_XDECREF(data);
    return record;
}

/* What came of an attempt, and the record; without one it may be with an exception. */
static int pop_record(struct ring *self, PyObject **record) {
    int status = ATOLL_CLOSED;
    *record = NULL;
    if (!self->ring) return status;
    if (number_size(self->code)) *record = pop_number(self, &status);
    else if (self->code != ATOLL_BYTES) *record = pop_struct(self, &status);
    else if (self->size) *record = pop_into_bytes(self, (size_t)self->size, &status);
    else *record = pop_message(self, &status);
    return status;
}

/* --- several records ------------------------------------------------------------------------ */

/* Whether a buffer has numbers of the ring's type, by the letter that its format ends with. */
static bool is_of_numbers(const struct ring *self, const Py_buffer *buffer) {
    const char *letter = buffer->format ? buffer->format : "B";
    if (*letter == '@' || *letter == '=' || *letter == '<') letter++;
    if (!*letter || letter[1]) return false;
    switch (self->code) {
    case ATOLL_I8: case ATOLL_I16: case ATOLL_I32: case ATOLL_I64: return strchr("bhilqn", *letter);
    case ATOLL_U8: case ATOLL_U16: case ATOLL_U32: case ATOLL_U64: return strchr("BHILQN", *letter);
    case ATOLL_F32: return *letter == 'f';
    case ATOLL_F64: return *letter == 'd';
    default: return *letter == '?';
    }
}

/* How many whole records of the ring a buffer has; 0 if that is for Python to find out. */
static size_t whole_records(const struct ring *self, PyObject *records, const Py_buffer *buffer) {
    if (!self->size) return 0;
    if (PyBytes_CheckExact(records))
        return buffer->len % self->size ? 0 : (size_t)(buffer->len / self->size);
    if (buffer->ndim != 1 || buffer->itemsize != self->size) return 0;
    if (number_size(self->code) ? !is_of_numbers(self, buffer) : !is_of_structs(self, buffer))
        return 0;
    return (size_t)(buffer->len / self->size);
}

/* What came of an attempt, and how many were put. */
static int push_records(struct ring *self, PyObject *records, size_t *n) {
    Py_buffer buffer;
    int status = ATOLL_INVALID_ARGUMENT;
    size_t count;
    if (!self->ring) return ATOLL_CLOSED;
    if (PyObject_GetBuffer(records, &buffer, PyBUF_ND | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return status;
    }
    count = whole_records(self, records, &buffer);
    if (count) {
        Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
        status = self->calls.push_n(self->ring, buffer.buf, count, n);
        Py_END_CRITICAL_SECTION();
    }
    PyBuffer_Release(&buffer);
    return status;
}

static int pop_records(struct ring *self, void *out, size_t *n) {
    int status;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    if (self->calls.pop_n) status = self->calls.pop_n(self->ring, out, *n, n);
    else status = self->calls.pop_n_marked(self->ring, out, *n, n, NULL);
    Py_END_CRITICAL_SECTION();
    return status;
}

/* At most `n` of them as `pop_n` gives them. NULL without an exception: there are none. */
static PyObject *pop_up_to(struct ring *self, size_t n) {
    PyObject *data = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)n * self->size);
    PyObject *view = NULL, *records = NULL;
    if (data && pop_records(self, PyByteArray_AS_STRING(data), &n) == ATOLL_OK &&
        PyByteArray_Resize(data, (Py_ssize_t)n * self->size) == 0)
        view = PyMemoryView_FromObject(data);
    if (view) records = PyObject_CallFunctionObjArgs(self->unpack, view, NULL);
    Py_XDECREF(view);
    Py_XDECREF(data);
    return records;
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

static PyObject *push_n(PyObject *object, PyObject *records) {
    struct ring *self = (struct ring *)object;
    size_t n;
    if (push_records(self, records, &n) == ATOLL_OK) return PyLong_FromSize_t(n);
    return in_python(self, "push_n", &records, 1, NULL);
}

static PyObject *pop_n(PyObject *object, PyObject *number) {
    struct ring *self = (struct ring *)object;
    PyObject *records = NULL;
    int overflow;
    int64_t n = 0;
    if (PyLong_CheckExact(number) && self->ring && self->size)
        n = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (n > self->capacity) n = self->capacity;
    if (n > 0) records = pop_up_to(self, (size_t)n);
    return records || PyErr_Occurred() ? records : in_python(self, "pop_n", &number, 1, NULL);
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

#define PUSHES(kind)                                                                             \
    .push = (int (*)(void *, const void *, size_t))library->kind##_push,                         \
    .push_n = (int (*)(void *, const void *, size_t, size_t *))library->kind##_push_n
#define POP(name) (int (*)(void *, void *, size_t, size_t *))library->name
#define MARKED(name) (int (*)(void *, void *, size_t, size_t *, uint32_t *))library->name

/* Whether there are such rings. */
static bool find_calls(const struct library *library, PyObject *noun, struct calls *calls) {
    const struct {
        const char *noun;
        struct calls calls;
    } kinds[] = {
        {"spsc", {PUSHES(spsc), .pop = POP(spsc_pop), .pop_n = POP(spsc_pop_n)}},
        {"fanin", {PUSHES(fanin), .pop = POP(fanin_pop), .pop_n = POP(fanin_pop_n)}},
        {"mpmc",
         {PUSHES(mpmc), .pop_marked = MARKED(mpmc_pop), .pop_n_marked = MARKED(mpmc_pop_n)}},
    };
    for (size_t each = 0; each < sizeof kinds / sizeof *kinds; each++) {
        if (PyUnicode_CompareWithASCIIString(noun, kinds[each].noun) != 0) continue;
        *calls = kinds[each].calls;
        return true;
    }
    return false;
}

/* Keeps a reference in a field of the object. */
static void keep(PyObject **field, PyObject *object) {
    Py_INCREF(object);
    *field = object;
}

/* _bind(handle, pointer, noun, code, size, capacity, sleeps, format, decode, unpack): `handle`
 * keeps `pointer` open. Of an object that is made anew nothing is known here, so that a call can
 * rely on it. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    struct ring *self = (struct ring *)object;
    const struct state *state = PyType_GetModuleState(type);
    struct calls calls;
    if (count != 10 || !PyUnicode_Check(arguments[2]) || !PyUnicode_Check(arguments[7]) ||
        !find_calls(&state->library, arguments[2], &calls))
        return PyErr_Format(PyExc_TypeError, "_bind takes 10 arguments, the third a noun");
    void *pointer = PyLong_AsVoidPtr(arguments[1]);
    const int code = (int)PyLong_AsLong(arguments[3]);
    const Py_ssize_t size = PyLong_AsSsize_t(arguments[4]);
    const Py_ssize_t capacity = PyLong_AsSsize_t(arguments[5]);
    if (PyErr_Occurred()) return NULL;
    if (self->state) return unbind(object, NULL);
    self->state = state;
    self->calls = calls;
    self->code = code;
    self->size = size;
    self->capacity = capacity;
    self->sleeps = PyObject_IsTrue(arguments[6]);
    keep(&self->handle, arguments[0]);
    keep(&self->format, arguments[7]);
    keep(&self->decode, arguments[8]);
    keep(&self->unpack, arguments[9]);
    self->ring = pointer;
    Py_RETURN_NONE;
}

static void free_ring(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    struct ring *ring = (struct ring *)self;
    Py_CLEAR(ring->unpack);
    Py_CLEAR(ring->decode);
    Py_CLEAR(ring->format);
    Py_CLEAR(ring->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the type ------------------------------------------------------------------------------- */

/* The words are those of the methods in Python, which a test compares. */
#define PUSH_N_DOC                                                                               \
    "Put as many of some records as there is room for, and say how many: the first ones.\n"      \
    "Others come to see them all at once.\n\n"                                                   \
    "`records` are a sequence, a buffer of the same type such as an `array` or an ndarray, or\n" \
    "bytes that are whole records. Raises `NoRoom` if there is room for none."
#define POP_N_DOC                                                                                \
    "Get as many records as there are, but at most `n`: as a memoryview of numbers, an\n"        \
    "ndarray where the type is a NumPy record, an array of ctypes, or a list of bytes.\n"        \
    "Raises `Empty` if there are none. Of a `Fanin` they are those of one lane."

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
    {"push_n", push_n, METH_O, "push_n($self, records)\n--\n\n" PUSH_N_DOC},
    {"pop_n", pop_n, METH_O, "pop_n($self, n)\n--\n\n" POP_N_DOC},
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
