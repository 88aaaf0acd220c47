/* Arrays: numbers at places that are given in full, `array[i]` and `array[i, j]`.
 *
 * They are read and written as they lie, like those of any memory that is shared: who wants an
 * order locks. Slices, rows, structs and what is refused are left to Python.
 */

#include "number.h"

struct array {
    PyObject_HEAD
    char *data; /* NULL: not for us, or the array is closed */
    PyObject *handle; /* as long as we have it, the data is mapped */
    PyObject *plain; /* the memoryview that takes any key, or None */
    /* From here on bound once, and then never changed. */
    const struct state *state;
    int code, size, dimensions; /* 0 dimensions: not for us */
    bool read_only;
    Py_ssize_t shape[ATOLL_MAX_DIMENSIONS];
};

/* --- places -------------------------------------------------------------------------------- */

/* The position that an index stands for, or -1 if it is none here: an int of another type may
 * be one, which is for Python to find out. */
static inline Py_ssize_t position(PyObject *index, Py_ssize_t length) {
    int overflow;
    int64_t place;
    if (!PyLong_CheckExact(index)) return -1;
    place = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (place < 0) place += length;
    return !overflow && place >= 0 && place < length ? (Py_ssize_t)place : -1;
}

/* Which of all elements a key means, or -1 if it does not mean exactly one. */
static inline Py_ssize_t element_at(const struct array *self, PyObject *key) {
    Py_ssize_t element = 0;
    if (self->dimensions == 1 && !PyTuple_CheckExact(key)) return position(key, self->shape[0]);
    if (!PyTuple_CheckExact(key) || PyTuple_GET_SIZE(key) != self->dimensions) return -1;
    for (int axis = 0; axis < self->dimensions; axis++) {
        const Py_ssize_t along = position(PyTuple_GET_ITEM(key, axis), self->shape[axis]);
        if (along < 0) return -1;
        element = element * self->shape[axis] + along;
    }
    return element;
}

/* --- what Python calls --------------------------------------------------------------------- */

static PyObject *in_python(struct array *self, const char *name, PyObject *const *arguments,
                           size_t count) {
    if (!self->state) return PyErr_Format(PyExc_AttributeError, "the array was never opened");
    return call_python(self->state->array, (PyObject *)self, name, arguments, count);
}

/* Slices of a plain array, which Python would only hand on to the same memoryview. */
static PyObject *get_part(struct array *self, PyObject *key) {
    PyObject *plain, *part;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    plain = self->plain;
    Py_XINCREF(plain);
    Py_END_CRITICAL_SECTION();
    if (plain && plain != Py_None) part = PyObject_GetItem(plain, key);
    else part = in_python(self, "__getitem__", &key, 1);
    Py_XDECREF(plain);
    return part;
}

static PyObject *get_item(PyObject *object, PyObject *key) {
    struct array *self = (struct array *)object;
    const Py_ssize_t element = element_at(self, key);
    uint64_t bits = 0;
    bool done;
    Py_BEGIN_CRITICAL_SECTION(object);
    done = self->data && element >= 0;
    if (done) bits = bits_at(self->data + element * self->size, self->size);
    Py_END_CRITICAL_SECTION();
    return done ? number_of_bits(self->code, bits) : get_part(self, key);
}

static int set_item(PyObject *object, PyObject *key, PyObject *value) {
    struct array *self = (struct array *)object;
    PyObject *const arguments[] = {key, value};
    const Py_ssize_t element = element_at(self, key);
    enum conversion outcome = REFUSED;
    uint64_t bits;
    bool done = false;
    if (value && element >= 0 && self->data && !self->read_only)
        outcome = bits_of_number(self->code, value, &bits);
    if (outcome == RAISED) return -1;
    if (outcome == CONVERTED) {
        Py_BEGIN_CRITICAL_SECTION(object);
        done = self->data != NULL;
        if (done) put_bits(self->data + element * self->size, self->size, bits);
        Py_END_CRITICAL_SECTION();
    }
    if (done) return 0;
    PyObject *answer = value ? in_python(self, "__setitem__", arguments, 2)
                             : in_python(self, "__delitem__", arguments, 1);
    Py_XDECREF(answer);
    return answer ? 0 : -1;
}

static Py_ssize_t length(PyObject *object) {
    struct array *self = (struct array *)object;
    if (self->dimensions) return self->shape[0];
    PyObject *answer = in_python(self, "__len__", NULL, 0);
    const Py_ssize_t length = answer ? PyLong_AsSsize_t(answer) : -1;
    Py_XDECREF(answer);
    return length;
}

/* --- opened and closed --------------------------------------------------------------------- */

/* What there is to know about an array; `code` that of its type, `shape` a tuple of ints. */
static int describe(struct array *self, int code, PyObject *shape) {
    self->dimensions = (int)PyTuple_GET_SIZE(shape);
    for (int axis = 0; axis < self->dimensions; axis++)
        self->shape[axis] = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, axis));
    self->code = code;
    self->size = number_size(code);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *unbind(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct array *self = (struct array *)object;
    PyObject *handle, *plain;
    Py_BEGIN_CRITICAL_SECTION(object);
    handle = self->handle;
    plain = self->plain;
    self->handle = self->plain = NULL;
    self->data = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(plain);
    Py_XDECREF(handle);
    Py_RETURN_NONE;
}

/* _bind(handle, address, code, shape, plain, read_only): `handle` keeps `address` mapped.
 * Of an object that is made anew nothing is known here, so that an access can rely on it. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    struct array *self = (struct array *)object;
    if (count != 6 || !PyTuple_Check(arguments[3]) ||
        PyTuple_GET_SIZE(arguments[3]) > ATOLL_MAX_DIMENSIONS)
        return PyErr_Format(PyExc_TypeError, "_bind takes 6 arguments, the fourth a shape");
    void *address = PyLong_AsVoidPtr(arguments[1]);
    const int code = (int)PyLong_AsLong(arguments[2]);
    if (PyErr_Occurred()) return NULL;
    if (self->state) {
        self->dimensions = 0;
        return unbind(object, NULL);
    }
    self->state = PyType_GetModuleState(type);
    self->read_only = PyObject_IsTrue(arguments[5]);
    if (describe(self, code, arguments[3]) < 0) return NULL;
    Py_INCREF(arguments[0]);
    self->handle = arguments[0];
    Py_INCREF(arguments[4]);
    self->plain = arguments[4];
    if (self->size) self->data = address;
    Py_RETURN_NONE;
}

static void free_array(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct array *)self)->plain);
    Py_CLEAR(((struct array *)self)->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the type ------------------------------------------------------------------------------ */

static PyMethodDef methods[] = {
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What an Array has in C."},
    {Py_tp_dealloc, free_array},
    {Py_tp_methods, methods},
    {Py_mp_subscript, get_item},
    {Py_mp_ass_subscript, set_item},
    {Py_mp_length, length},
    {0, NULL},
};

PyType_Spec array_spec = {
    .name = "atoll._accelerator.Array",
    .basicsize = sizeof(struct array),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};
