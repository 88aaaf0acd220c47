"""What the other process of a test does: as it is told, with the objects that it was given.

It imports nothing that a test does not need: it is started for each start method.
"""


class Peer:
    """Another process, that has the objects too. It does one thing at a time."""

    def __init__(self, context, objects):
        self._connection, theirs = context.Pipe()
        self.process = context.Process(target=obey, args=(theirs, objects), daemon=True)
        self.process.start()
        theirs.close()
        self.pid = self.process.pid

    def begin(self, name, method, *arguments, **keywords):
        """Have it call a method of an object, or the object if there is none."""
        self._connection.send((name, method, arguments, keywords))

    def result(self):
        """What came of that."""
        assert self._connection.poll(60), "the other process says nothing"
        error, result = self._connection.recv()
        if error:
            raise error
        return result

    def do(self, *what, **keywords):
        self.begin(*what, **keywords)
        return self.result()

    def is_busy(self, seconds=0.1):
        """Whether it does not end what it has begun."""
        return not self._connection.poll(seconds)

    def leave(self):
        """Have it end, as processes of multiprocessing do; or by force, if a test has failed."""
        self._connection.send(None)
        self.process.join(10)
        self.process.kill()
        self.process.join()


def obey(connection, objects):
    objects["in_turns"] = InTurns(objects)
    while True:
        order = connection.recv()
        if order is None:
            return
        name, method, arguments, keywords = order
        try:
            what = objects[name]
            result = (getattr(what, method) if method else what)(*arguments, **keywords)
            connection.send((None, result))
        except Exception as error:
            connection.send((error, None))


class InTurns:
    """What takes more than one call."""

    def __init__(self, objects):
        self._objects = objects

    def add(self, guard, number, rounds):
        """Count under a lock."""
        guard, number = self._objects[guard], self._objects[number]
        for _ in range(rounds):
            with guard:
                number.value += 1

    def wait_in(self, condition, *arguments, deep=1):
        """Wait under its lock, held so deep; whether notified, and whether it is held after."""
        condition = self._objects[condition]
        for _ in range(deep):
            condition.acquire()
        try:
            return condition.wait(*arguments), condition._lock._semlock._count()
        finally:
            for _ in range(deep):
                condition.release()

    def notify(self, condition, *arguments):
        with self._objects[condition] as held:
            self._objects[condition].notify(*arguments)
            return held

    def through(self, barrier, rounds):
        return [self._objects[barrier].wait() for _ in range(rounds)]


def nothing():
    pass


def work_in_pool(objects):
    """An argument of a pool."""
    lock, number = objects
    with lock:
        return number


def act():
    """The action of a barrier."""
