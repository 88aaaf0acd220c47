/* Methods that are bound beforehand, for `with`.
 *
 * `with` asks the class for `__enter__` and `__exit__` and binds them to the object, which makes
 * two objects and throws them away: half of the time it takes. A Prebound stands in the class
 * and finds the bound method in the object, where it has been since that was opened.
 *
 * What was bound beforehand does not keep the object alive. Ours may go before the end of the
 * block, but a class that is derived from ours may have a `__del__` that closes it. Objects of
 * such a class are bound as usual.
 */

#include "accelerator.h"
#include <structmember.h>

struct prebound {
    PyObject_HEAD
    PyTypeObject *owner;
    struct bound_beforehand is; /* the offset is that of a PyObject * in objects of the owner */
};

/* The method that the object has, or an exception. */
static PyObject *bound_in(PyObject *object, const struct prebound *method) {
    PyObject *bound;
    if (!PyObject_TypeCheck(object, method->owner))
        return PyErr_Format(PyExc_TypeError, "not for %s", Py_TYPE(object)->tp_name);
    bound = *(PyObject **)((char *)object + method->is.offset);
    if (!bound) return PyErr_Format(PyExc_AttributeError, "the object was never opened");
    Py_INCREF(bound);
    return bound;
}

static PyObject *get(PyObject *self, PyObject *object, PyObject *Py_UNUSED(type)) {
    const struct prebound *method = (struct prebound *)self;
    if (!object) {
        Py_INCREF(self);
        return self;
    }
    /* Lock and RLock come right after the owner. */
    if (Py_TYPE(object)->tp_base != method->owner) return PyMethod_New(self, object);
    return bound_in(object, method);
}

/* As the class has it, it takes the object first. */
static PyObject *call(PyObject *self, PyObject *arguments, PyObject *keywords) {
    PyObject *bound, *rest, *answer = NULL;
    if (PyTuple_GET_SIZE(arguments) == 0)
        return PyErr_Format(PyExc_TypeError, "the method needs an object");
    bound = bound_in(PyTuple_GET_ITEM(arguments, 0), (struct prebound *)self);
    rest = PyTuple_GetSlice(arguments, 1, PyTuple_GET_SIZE(arguments));
    if (bound && rest) answer = PyObject_Call(bound, rest, keywords);
    Py_XDECREF(rest);
    Py_XDECREF(bound);
    return answer;
}

int add_prebound(const struct state *state, PyTypeObject *owner, struct bound_beforehand is) {
    struct prebound *method = PyObject_GC_New(struct prebound, state->prebound);
    int outcome;
    if (!method) return -1;
    Py_INCREF(owner);
    method->owner = owner;
    method->is = is;
    PyObject_GC_Track((PyObject *)method);
    outcome = PyObject_SetAttrString((PyObject *)owner, is.name, (PyObject *)method);
    Py_DECREF(method);
    return outcome;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((struct prebound *)self)->owner);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int clear(PyObject *self) {
    Py_CLEAR(((struct prebound *)self)->owner);
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"__name__", T_STRING, offsetof(struct prebound, is.name), READONLY, NULL},
    {"__doc__", T_STRING, offsetof(struct prebound, is.doc), READONLY, NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_members, members},
    {Py_tp_descr_get, get},
    {Py_tp_call, call},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_dealloc, dealloc},
    {0, NULL},
};

PyType_Spec prebound_spec = {
    .name = "atoll._accelerator.Prebound",
    .basicsize = sizeof(struct prebound),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};
