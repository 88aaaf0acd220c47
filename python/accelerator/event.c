/* Events: looked at, set and cleared without an argument to convert. */

#include "accelerator.h"

struct event {
    PLACED_HEAD
    /* From here on bound once, and then never changed. */
    const struct state *state;
    atoll_event *event;
};

/* The method of that name in Python, which finds out what is not as usual. */
static PyObject *in_python(const struct event *self, const char *name) {
    if (!self->state) return PyErr_Format(PyExc_AttributeError, "the event was never opened");
    return call_python(self->state->event, (PyObject *)self, name, NULL, 0);
}

/* --- what Python calls --------------------------------------------------------------------- */

static PyObject *is_set(PyObject *object, PyObject *Py_UNUSED(none)) {
    const struct event *self = (struct event *)object;
    bool open, answer = false;
    Py_BEGIN_CRITICAL_SECTION(object);
    open = self->place.word != NULL;
    if (open) answer = atoll_place_is_set(&self->place);
    Py_END_CRITICAL_SECTION();
    return open ? PyBool_FromLong(answer) : in_python(self, "is_set");
}

static PyObject *set(PyObject *object, PyObject *Py_UNUSED(none)) {
    const struct event *self = (struct event *)object;
    if (self->state && self->state->library.event_set(self->event) == ATOLL_OK) Py_RETURN_NONE;
    return in_python(self, "set");
}

static PyObject *clear(PyObject *object, PyObject *Py_UNUSED(none)) {
    const struct event *self = (struct event *)object;
    if (self->state && self->state->library.event_clear(self->event) == ATOLL_OK) Py_RETURN_NONE;
    return in_python(self, "clear");
}

/* --- opened and closed --------------------------------------------------------------------- */

static PyObject *unbind(PyObject *object, PyObject *Py_UNUSED(none)) {
    unplace(object);
    Py_RETURN_NONE;
}

/* _bind(handle, pointer): `handle` keeps `pointer`, an event, open. */
static PyObject *bind(PyObject *object, PyTypeObject *type, PyObject *const *arguments,
                      Py_ssize_t count, PyObject *Py_UNUSED(names)) {
    struct event *self = (struct event *)object;
    if (count != 2) return PyErr_Format(PyExc_TypeError, "_bind takes 2 arguments");
    void *pointer = PyLong_AsVoidPtr(arguments[1]);
    if (PyErr_Occurred()) return NULL;
    unplace(object); /* of an object that is made anew */
    Py_INCREF(arguments[0]);
    self->handle = arguments[0];
    self->event = pointer;
    self->state = PyType_GetModuleState(type);
    self->state->library.event_place(pointer, ATOLL_PLACE_CONTRACT, &self->place);
    Py_RETURN_NONE;
}

/* --- the type ------------------------------------------------------------------------------ */

/* The words are those of the methods in Python, which a test compares. */
static PyMethodDef methods[] = {
    {"is_set", is_set, METH_NOARGS,
     "is_set($self, /)\n--\n\nWhether it is set at this moment."},
    {"set", set, METH_NOARGS,
     "set($self, /)\n--\n\nSet it, and wake all who wait. Never waits."},
    {"clear", clear, METH_NOARGS, "clear($self, /)\n--\n\nHave it be not set."},
    {"_bind", METHOD(bind), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_unbind", unbind, METH_NOARGS, NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What an Event has in C."},
    {Py_tp_dealloc, free_placed},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec event_spec = {
    .name = "atoll._accelerator.Event",
    .basicsize = sizeof(struct event),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};
