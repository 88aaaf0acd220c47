/* Objects that keep a place: what is the same in all of them. */

#include "accelerator.h"

struct placed {
    PLACED_HEAD
};

/* The handle goes last, for with it may go the mapping. */
void unplace(PyObject *object) {
    struct placed *self = (struct placed *)object;
    PyObject *handle;
    Py_BEGIN_CRITICAL_SECTION(object);
    handle = self->handle;
    self->handle = NULL;
    self->place.word = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(handle);
}

void free_placed(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    unplace(self);
    type->tp_free(self);
    Py_DECREF(type);
}
