"""Semaphore and BoundedSemaphore in one process: what theirs do, ours do."""

import errno

import pytest

MOST = 2**31 - 1


def test_so_many_permits(mp):
    semaphore = mp.Semaphore(2)
    assert semaphore.get_value() == 2
    assert semaphore.acquire() is True
    assert semaphore.acquire(block=True, timeout=None) is True
    assert semaphore.get_value() == 0
    for no in ((False,), (True, 0), (True, 0.02), (True, -1), (False, 9)):
        assert semaphore.acquire(*no) is False
    assert semaphore.release() is None
    assert semaphore.get_value() == 1
    with semaphore as entered:
        assert entered is True and semaphore.get_value() == 0
    semaphore.release()


def test_without_a_value_it_is_one(mp):
    assert mp.Semaphore().get_value() == mp.BoundedSemaphore().get_value() == 1
    assert mp.Semaphore(value=3).get_value() == mp.BoundedSemaphore(value=3).get_value() == 3
    assert mp.Semaphore(True).get_value() == 1
    with pytest.raises(TypeError):
        mp.Semaphore(1, 2)


def test_who_did_not_acquire_may_release(mp):
    semaphore = mp.Semaphore(0)
    assert semaphore.acquire(False) is False
    semaphore.release()
    semaphore.release()
    assert semaphore.get_value() == 2
    with pytest.raises(TypeError):
        semaphore.release(1)
    assert semaphore.get_value() == 2


@pytest.mark.parametrize("kind", ["Semaphore", "BoundedSemaphore"])
def test_numbers_that_cannot_be(mp, kind):
    make = getattr(mp, kind)
    with pytest.raises(OSError) as refused:
        make(-1)
    assert refused.value.errno == errno.EINVAL
    for too_many in (2**31, 2**64, -(2**40)):
        with pytest.raises(OverflowError):
            make(too_many)
    for no_number in ("a", 1.5, None):
        with pytest.raises(TypeError):
            make(no_number)


def test_the_most_there_can_be(mp):
    semaphore = mp.Semaphore(MOST)
    assert semaphore.get_value() == MOST == mp.synchronize.SEM_VALUE_MAX
    with pytest.raises(ValueError):
        semaphore.release()
    semaphore.acquire()
    semaphore.release()
    assert semaphore.get_value() == MOST


def test_bounded(mp):
    semaphore = mp.BoundedSemaphore(2)
    with pytest.raises(ValueError):
        semaphore.release()
    semaphore.acquire()
    semaphore.release()
    with pytest.raises(ValueError):
        semaphore.release()
    with pytest.raises(ValueError):
        with semaphore:
            semaphore.release()
    assert semaphore.get_value() == 2
    assert isinstance(semaphore, mp.synchronize.Semaphore)


def test_bounded_by_nothing(mp):
    semaphore = mp.BoundedSemaphore(0)
    assert semaphore.acquire(False) is False
    with pytest.raises(ValueError):
        semaphore.release()
    assert semaphore.get_value() == 0
    assert repr(semaphore) == "<BoundedSemaphore(value=0, maxvalue=0)>"


def test_what_they_look_like(mp):
    semaphore, bounded = mp.Semaphore(5), mp.BoundedSemaphore(4)
    with semaphore, bounded:
        assert repr(semaphore) == "<Semaphore(value=4)>"
        assert repr(bounded) == "<BoundedSemaphore(value=3, maxvalue=4)>"


def test_who_waits_is_woken(mp, thread):
    semaphore = mp.Semaphore(0)
    others = [thread(semaphore.acquire, True, 60) for _ in range(3)]
    for _ in others:
        semaphore.release()
    assert [other() for other in others] == [True] * 3


def test_what_this_process_has_of_it(mp, thread):
    semaphore = mp.Semaphore(3)
    inner = semaphore._semlock
    semaphore.acquire()
    semaphore.acquire(True, 1)
    assert (inner._count(), inner._is_mine(), inner._get_value()) == (2, True, 1)
    assert thread(inner._is_mine)() is False
    with semaphore:
        assert (inner._count(), inner._is_zero()) == (3, True)
    semaphore.release()
    semaphore.release()
    assert (inner._count(), inner._is_mine()) == (0, False)
