/* Values: numbers of up to 8 bytes, changed in place by one instruction. */

#include "number.h"
#include "word.h"

struct value {
    PyObject_HEAD
    void *word; /* NULL: there is no short way, or the value is closed */
    PyObject *handle; /* as long as we have it, the word is mapped */
    /* From here on bound once, and then never changed. */
    const struct state *state;
    int code, size;
    bool read_only;
};

/* What an operation does with the bits of a value and of its operand. */
typedef enum { ADD, SUB, MIN, MAX, AND, OR, XOR, SWAP } operation;

static const char *const method_names[] = {"add",  "sub", "min", "max",
                                           "and_", "or_", "xor", "swap"};

/* --- arithmetic ---------------------------------------------------------------------------- */

static bool is_less(int code, uint64_t one, uint64_t other) {
    switch (code) {
    case ATOLL_F32: case ATOLL_F64: return double_of(code, one) < double_of(code, other);
    case ATOLL_I8: case ATOLL_I16: case ATOLL_I32: case ATOLL_I64:
        return signed_of(code, one) < signed_of(code, other);
    default: return one < other;
    }
}

/* The outcome of an operation that the machine has no instruction for. Sums of two floats are
 * exact in a double, up to the last rounding, so both widths share this. */
static uint64_t combine(operation what, int code, uint64_t old, uint64_t operand) {
    switch (what) {
    case ADD: return bits_of_double(code, double_of(code, old) + double_of(code, operand));
    case SUB: return bits_of_double(code, double_of(code, old) - double_of(code, operand));
    case MIN: return is_less(code, operand, old) ? operand : old;
    default: return is_less(code, old, operand) ? operand : old;
    }
}

static uint64_t combine_in_place(struct value *self, operation what, uint64_t operand) {
    uint64_t old = word_load(self->word, self->size), seen;
    for (;; old = seen) {
        seen = word_exchange(self->word, self->size, old, combine(what, self->code, old, operand));
        if (seen == old) return old;
    }
}

static inline uint64_t apply(struct value *self, operation what, uint64_t operand) {
    switch (what) {
    case SWAP: return word_swap(self->word, self->size, operand);
    case AND: return word_and(self->word, self->size, operand);
    case OR: return word_or(self->word, self->size, operand);
    case XOR: return word_xor(self->word, self->size, operand);
    case ADD:
        if (!is_float(self->code)) return word_add(self->word, self->size, operand);
        break;
    case SUB:
        if (!is_float(self->code)) return word_sub(self->word, self->size, operand);
        break;
    default: break;
    }
    return combine_in_place(self, what, operand);
}

/* Whether a type has the operation: a bool has no sum, and a float no bits to speak of. */
static inline bool has(int code, operation what) {
    if (what == AND || what == OR || what == XOR) return !is_float(code);
    return what == SWAP || code != ATOLL_BOOL;
}

/* --- what Python calls --------------------------------------------------------------------- */

static PyObject *in_python(struct value *self, const char *name, PyObject *const *arguments,
                           size_t count) {
    if (!self->state) return PyErr_Format(PyExc_AttributeError, "the value was never opened");
    return call_python(self->state->value, (PyObject *)self, name, arguments, count);
}

/* Changes the value if it is open, and gives what was there. */
static inline bool changed(struct value *self, operation what, uint64_t operand, uint64_t *old) {
    bool open;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    open = self->word != NULL;
    if (open) *old = apply(self, what, operand);
    Py_END_CRITICAL_SECTION();
    return open;
}

static inline PyObject *change(PyObject *object, operation what, PyObject *operand) {
    struct value *self = (struct value *)object;
    enum conversion outcome = REFUSED;
    uint64_t bits, old;
    if (self->word && !self->read_only && has(self->code, what))
        outcome = bits_of_number(self->code, operand, &bits);
    if (outcome == RAISED) return NULL;
    if (outcome == CONVERTED && changed(self, what, bits, &old))
        return number_of_bits(self->code, old);
    return in_python(self, method_names[what], &operand, 1);
}

static PyObject *add(PyObject *self, PyObject *operand) { return change(self, ADD, operand); }
static PyObject *sub(PyObject *self, PyObject *operand) { return change(self, SUB, operand); }
static PyObject *min(PyObject *self, PyObject *operand) { return change(self, MIN, operand); }
static PyObject *max(PyObject *self, PyObject *operand) { return change(self, MAX, operand); }
static PyObject *and_(PyObject *self, PyObject *operand) { return change(self, AND, operand); }
static PyObject *or_(PyObject *self, PyObject *operand) { return change(self, OR, operand); }
static PyObject *xor_(PyObject *self, PyObject *operand) { return change(self, XOR, operand); }
static PyObject *swap(PyObject *self, PyObject *new) { return change(self, SWAP, new); }

static PyObject *compare_exchange(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    struct value *self = (struct value *)object;
    enum conversion outcome = REFUSED;
    uint64_t expected, desired, seen = 0;
    bool open = false;
    if (count == 2 && self->word && !self->read_only) {
        outcome = bits_of_number(self->code, arguments[0], &expected);
        if (outcome == CONVERTED) outcome = bits_of_number(self->code, arguments[1], &desired);
    }
    if (outcome == RAISED) return NULL;
    if (outcome == CONVERTED) {
        Py_BEGIN_CRITICAL_SECTION(object);
        open = self->word != NULL;
        if (open) seen = word_exchange(self->word, self->size, expected, desired);
        Py_END_CRITICAL_SECTION();
    }
    if (open) return number_of_bits(self->code, seen);
    return in_python(self, "compare_exchange", arguments, (size_t)count);
}

static PyObject *get_value(PyObject *object, void *Py_UNUSED(closure)) {
    struct value *self = (struct value *)object;
    uint64_t bits = 0;
    bool open;
    Py_BEGIN_CRITICAL_SECTION(object);
    open = self->word != NULL;
    if (open) bits = word_load(self->word, self->size);
    Py_END_CRITICAL_SECTION();
    return open ? number_of_bits(self->code, bits) : in_python(self, "_load", NULL, 0);
}

static int set_value(PyObject *object, PyObject *new, void *Py_UNUSED(closure)) {
    struct value *self = (struct value *)object;
    enum conversion outcome = REFUSED;
    uint64_t bits, old;
    if (!new) {
        PyErr_SetString(PyExc_AttributeError, "value cannot be deleted: assign another");
        return -1;
    }
    if (self->word && !self->read_only) outcome = bits_of_number(self->code, new, &bits);
    if (outcome == RAISED) return -1;
    if (outcome == CONVERTED && changed(self, SWAP, bits, &old)) return 0;
    PyObject *done = in_python(self, "_assign", &new, 1);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* --- opened and closed --------------------------------------------------------------------- */

static PyObject *unbind(PyObject *object, PyObject *Py_UNUSED(none)) {
    struct value *self = (struct value *)object;
    PyObject *handle;
    Py_BEGIN_CRITICAL_SECTION(object);
    handle = self->handle;
    self->handle = NULL;
    self->word = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(handle);
    Py_RETURN_NONE;
}

/* _bind(handle, pointer, code): `handle` keeps `pointer`, a value of type `code`, open. Of an
 * object that is made anew nothing is known here, so that an operation can rely on its type. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    struct value *self = (struct value *)object;
    atoll_place place = {0};
    if (count != 3) return PyErr_Format(PyExc_TypeError, "_bind takes 3 arguments");
    void *pointer = PyLong_AsVoidPtr(arguments[1]);
    const int code = (int)PyLong_AsLong(arguments[2]);
    if (PyErr_Occurred()) return NULL;
    if (self->state) return unbind(object, NULL);
    self->state = PyType_GetModuleState(type);
    self->code = code;
    self->size = number_size(code);
    if (self->size) self->state->library.value_place(pointer, ATOLL_PLACE_CONTRACT, &place);
    self->read_only = place.flags & ATOLL_PLACE_READ_ONLY;
    Py_INCREF(arguments[0]);
    self->handle = arguments[0];
    self->word = place.word;
    Py_RETURN_NONE;
}

static void free_value(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((struct value *)self)->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- the type ------------------------------------------------------------------------------ */

/* The words are those of the methods in Python, which a test compares. */
#define SIGNED(signature, words) signature "\n--\n\n" words

static PyMethodDef methods[] = {
    {"add", add, METH_O,
     SIGNED("add($self, operand, /)",
            "Add to it in one step. Returns the old value, as all of these do.")},
    {"sub", sub, METH_O,
     SIGNED("sub($self, operand, /)", "Subtract from it.")},
    {"min", min, METH_O,
     SIGNED("min($self, operand, /)", "Replace it by `operand` if that is less.")},
    {"max", max, METH_O,
     SIGNED("max($self, operand, /)", "Replace it by `operand` if that is greater.")},
    {"and_", and_, METH_O,
     SIGNED("and_($self, operand, /)", "Keep the bits that are also set in `operand`.")},
    {"or_", or_, METH_O,
     SIGNED("or_($self, operand, /)", "Set the bits that are set in `operand`.")},
    {"xor", xor_, METH_O,
     SIGNED("xor($self, operand, /)", "Flip the bits that are set in `operand`.")},
    {"swap", swap, METH_O,
     SIGNED("swap($self, new, /)", "Replace it.")},
    {"compare_exchange", METHOD(compare_exchange), METH_FASTCALL,
     SIGNED("compare_exchange($self, expected, desired, /)",
            "Replace it by `desired` if it is `expected`, bit for bit.")},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

static PyGetSetDef properties[] = {
    {"value", get_value, set_value,
     "The value as it is now; of a struct, a copy. Assign to change it.", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What a Value has in C."},
    {Py_tp_dealloc, free_value},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

PyType_Spec value_spec = {
    .name = "atoll._accelerator.Value",
    .basicsize = sizeof(struct value),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};
