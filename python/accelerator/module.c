/* The module: its types, and how it gets to know the library. */

#include "accelerator.h"

#define TYPE(name) {&name##_spec, offsetof(struct state, name)}

static const struct {
    PyType_Spec *spec;
    size_t offset;
} types[] = {TYPE(prebound), TYPE(attempt), TYPE(mutex), TYPE(value), TYPE(array),
             TYPE(event),    TYPE(permit),  TYPE(semaphore), TYPE(hold),  TYPE(semlock),
             TYPE(ring)};

static PyTypeObject **type_in(struct state *state, size_t each) {
    return (PyTypeObject **)((char *)state + types[each].offset);
}

#define FUNCTION(name) {"atoll_" #name, offsetof(struct library, name)}

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(mutex_place),
    FUNCTION(mutex_lock),
    FUNCTION(mutex_unlock),
    FUNCTION(value_place),
    FUNCTION(event_place),
    FUNCTION(event_set),
    FUNCTION(event_clear),
    FUNCTION(semaphore_place),
    FUNCTION(semaphore_acquire),
    FUNCTION(semaphore_release),
    FUNCTION(lock_acquire),
    FUNCTION(lock_release),
    FUNCTION(spsc_push),
    FUNCTION(spsc_pop),
    FUNCTION(spsc_push_n),
    FUNCTION(spsc_pop_n),
    FUNCTION(fanin_push),
    FUNCTION(fanin_pop),
    FUNCTION(fanin_push_n),
    FUNCTION(fanin_pop_n),
    FUNCTION(mpmc_push),
    FUNCTION(mpmc_pop),
    FUNCTION(mpmc_push_n),
    FUNCTION(mpmc_pop_n),
    FUNCTION(wait_any),
};

/* use(address_of): `address_of` gives the address of a function by its name. */
static PyObject *use(PyObject *module, PyObject *address_of) {
    struct state *state = PyModule_GetState(module);
    for (size_t each = 0; each < sizeof functions / sizeof *functions; each++) {
        PyObject *answer = PyObject_CallFunction(address_of, "s", functions[each].name);
        void *address = answer ? PyLong_AsVoidPtr(answer) : NULL;
        Py_XDECREF(answer);
        if (PyErr_Occurred()) return NULL;
        memcpy((char *)&state->library + functions[each].offset, &address, sizeof address);
    }
    Py_RETURN_NONE;
}

/* Puts a new descriptor into a class. */
static int give(PyObject *taker, const char *name, PyObject *descriptor) {
    const int outcome = descriptor ? PyObject_SetAttrString(taker, name, descriptor) : -1;
    Py_XDECREF(descriptor);
    return outcome;
}

/* give_methods(type): makes those of its first base, one of ours, its own. */
static PyObject *give_methods(PyObject *Py_UNUSED(module), PyObject *type) {
    PyTypeObject *taker = (PyTypeObject *)type, *base = PyType_Check(type) ? taker->tp_base : NULL;
    if (!base || !base->tp_methods)
        return PyErr_Format(PyExc_TypeError, "%R has no base with methods in C", type);
    for (PyMethodDef *each = base->tp_methods; each->ml_name; each++) {
        if (each->ml_flags & METH_METHOD) continue; /* has to know the class that it is from */
        if (give(type, each->ml_name, PyDescr_NewMethod(taker, each)) < 0) return NULL;
    }
    for (PyGetSetDef *each = base->tp_getset; each && each->name; each++)
        if (give(type, each->name, PyDescr_NewGetSet(taker, each)) < 0) return NULL;
    Py_RETURN_NONE;
}

PyObject *call_python_named(PyTypeObject *type, PyObject *self, const char *name,
                            PyObject *const *arguments, size_t count, PyObject *names) {
    PyObject *rest = PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type, type, self, NULL);
    PyObject *method = rest ? PyObject_GetAttrString(rest, name) : NULL;
    PyObject *answer = method ? PyObject_Vectorcall(method, arguments, count, names) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(rest);
    return answer;
}

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, (PyTypeObject *)type) < 0) Py_CLEAR(type);
    return (PyTypeObject *)type;
}

static int prepare(PyObject *module) {
    struct state *state = PyModule_GetState(module);
    PyObject *fingerprint = PyLong_FromUnsignedLongLong(ATOLL_ABI_FINGERPRINT);
    if (!fingerprint || PyModule_AddObject(module, "ABI_FINGERPRINT", fingerprint) < 0) {
        Py_XDECREF(fingerprint);
        return -1;
    }
    for (size_t each = 0; each < sizeof types / sizeof *types; each++) {
        PyTypeObject *type = add_type(module, types[each].spec);
        if (!type) return -1;
        *type_in(state, each) = type;
    }
    return look_out_for_forks() < 0 || add_mutex_methods(state) < 0 ? -1 : 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    struct state *state = PyModule_GetState(module);
    for (size_t each = 0; each < sizeof types / sizeof *types; each++)
        Py_VISIT(*type_in(state, each));
    return 0;
}

static int clear(PyObject *module) {
    struct state *state = PyModule_GetState(module);
    for (size_t each = 0; each < sizeof types / sizeof *types; each++)
        Py_CLEAR(*type_in(state, each));
    return 0;
}

static void release(void *module) { clear(module); }

static PyMethodDef methods[] = {
    {"use", use, METH_O, "Take the functions of the library from the addresses that this gives."},
    {"give_methods", give_methods, METH_O, "Give a class the methods of its base."},
    {0},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, prepare},
#if PY_VERSION_HEX >= 0x030c0000
    /* All there is belongs to an interpreter: it is in the state of its module, or in objects. */
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030d0000
    /* What objects keep in C changes only when they are opened and closed, and is used and
     * changed in critical sections of the object. */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "atoll._accelerator",
    .m_doc = "The usual case of the hottest operations, compiled.",
    .m_size = sizeof(struct state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__accelerator(void);

PyMODINIT_FUNC PyInit__accelerator(void) { return PyModuleDef_Init(&definition); }
