import os
import pickle

import atoll
import kinds
import pytest
from support import Child, is_mapped, path, run


def test_the_three_ways_to_have_one(name):
    with pytest.raises(atoll.NotFound):
        atoll.Segment(name)
    made = atoll.Segment(name, create="open", size=1 << 20)
    opened = atoll.Segment(name, create="open", size=1 << 22)
    assert (made.name, made.size, opened.size) == (name, 1 << 20, 1 << 20)
    with pytest.raises(atoll.AlreadyExists):
        atoll.Segment(name, create=True)


def test_sizes(name):
    with atoll.Segment(name, create=True) as segment:
        assert segment.size == 64 << 20
        assert segment.stat().committed < 1 << 20


def test_a_leading_slash_means_nothing(name):
    with atoll.Segment("/" + name, create=True, size=1 << 16) as segment:
        assert segment.name == name
        with atoll.Segment(name) as other:
            assert other.name == name


def test_the_mode_is_exact_whatever_the_umask(name):
    umask = os.umask(0o077)
    try:
        atoll.Segment(name, create=True, size=1 << 16, mode=0o640).close()
    finally:
        os.umask(umask)
    assert os.stat(os.path.join(atoll.platform_info().directory, name)).st_mode & 0o777 == 0o640


def test_unlink_takes_the_name_only(segment):
    value = atoll.Value(segment, "v", "i64", 3)
    segment.unlink()
    with pytest.raises(atoll.NotFound):
        atoll.Segment(segment.name)
    with pytest.raises(atoll.NotFound):
        atoll.unlink(segment.name)
    assert value.add(1) == 3
    with atoll.Segment(segment.name, create=True, size=1 << 16) as another:
        assert another.list() == []


def test_close_is_idempotent_and_final(segment):
    assert not segment.closed
    segment.close()
    segment.close()
    assert segment.closed
    for use in (segment.stat, segment.list, segment.verify, segment.wait_death, segment.__enter__):
        with pytest.raises(atoll.Closed, match="open it again"):
            use()
    with pytest.raises(atoll.Closed):
        atoll.Lock(segment, "l")
    assert "closed" in repr(segment)


def test_objects_outlive_their_segment(segment):
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", 4)
    segment.close()
    with lock:
        value.add(2)
        array[3] = value.value
    assert array[3] == 2


def test_nothing_stays_mapped(segment):
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", 4)
    inode = os.stat(path(segment)).st_ino
    with lock:
        pass
    for thing in (segment, lock, value, array):
        assert is_mapped(inode)
        thing.close()
    assert not is_mapped(inode)


def test_list_names_kind_type_and_shape(segment):
    atoll.Lock(segment, "lock")
    atoll.RLock(segment, "rlock")
    atoll.Value(segment, "value", "16s")
    atoll.Array(segment, "array", "f32", (3, 4))
    anonymous = atoll.Lock(segment)
    seen = [(entry.kind, entry.name, entry.type, entry.shape) for entry in segment.list()]
    assert seen == [
        ("Lock", "lock", None, ()),
        ("RLock", "rlock", None, ()),
        ("Value", "value", "16s", ()),
        ("Array", "array", "f32", (3, 4)),
        ("Lock", None, None, ()),
    ]
    assert segment.stat().objects == 5
    anonymous.close()
    assert segment.stat().objects == 4


@kinds.ALL
def test_the_kind_is_the_class_to_open_it_with(segment, make):
    make(segment, "x").close()
    [entry] = segment.list()
    assert isinstance(make(segment), type(getattr(atoll, entry.kind)(segment, "x", create=False)))


def test_list_goes_on_past_one_call(segment):
    for number in range(100):
        atoll.Value(segment, f"v{number}", "i8").close()
    assert [entry.name for entry in segment.list()] == [f"v{number}" for number in range(100)]


def test_verify_finds_damage(segment):
    atoll.Array(segment, "a", "i64", 100)
    segment.verify()
    with open(path(segment), "r+b") as file:
        file.write(b"\xff" * 128)
    with pytest.raises(atoll.Corrupted):
        segment.verify()


def test_readonly_looks_and_leaves(segment):
    atoll.Value(segment, "v", "i64", 5)
    with atoll.Segment(segment.name, readonly=True) as readonly:
        assert readonly.readonly and readonly.stat().readonly
        assert [entry.name for entry in readonly.list()] == ["v"]
        with pytest.raises(atoll.Permission):
            atoll.Value(readonly, "new", "i64")
        with pytest.raises(atoll.Permission):
            readonly.wait_death(timeout=0)
    assert [entry.name for entry in segment.list()] == ["v"]


def test_pickles_by_name(segment):
    with pickle.loads(pickle.dumps(segment)) as copy:
        assert copy.name == segment.name and not copy.readonly
    with atoll.Segment(segment.name, readonly=True) as readonly:
        with pickle.loads(pickle.dumps(readonly)) as copy:
            assert copy.readonly


def test_foreign_and_truncated_files_are_refused(name):
    file_path = os.path.join(atoll.platform_info().directory, name)
    for content in (b"", b"hello", b"\0" * 100_000):
        with open(file_path, "wb") as file:
            file.write(content)
        with pytest.raises((atoll.Incompatible, atoll.Corrupted)):
            atoll.Segment(name)
        os.unlink(file_path)


def test_wait_death_tells_who_was_killed(segment):
    seen = segment.stat().death_epoch
    code = "atoll.Lock(segment, 'l').acquire(); say('in'); hang()"
    with (
        Child(code, segment) as first,
        Child("atoll.RLock(segment, 'r').acquire(); say('in'); hang()", segment) as second,
    ):
        first.expect("in")
        second.expect("in")
        first.kill()
        death = segment.wait_death(seen, timeout=60)
        assert (death.pid, death.epoch) == (first.pid, seen + 1)
        with pytest.raises(atoll.TimedOut):
            segment.wait_death(death.epoch, timeout=0)
        second.kill()
        assert segment.wait_death(death.epoch, timeout=60).pid == second.pid
        assert segment.wait_death(seen, timeout=0).pid == first.pid


def test_a_good_end_is_no_death(segment):
    assert run("with atoll.Lock(segment, 'l'): say('done')", segment) == "done\n"
    with pytest.raises(atoll.TimedOut):
        segment.wait_death(timeout=0.2)


def test_atoll_dir_says_where(tmp_path, name):
    code = f"""
        with atoll.Segment({name!r}, create=True, size=1 << 16) as made:
            say(atoll.platform_info().directory)
            say(os.listdir({str(tmp_path)!r}))
            made.unlink()
    """
    assert run(code, ATOLL_DIR=str(tmp_path)).split("\n")[:2] == [str(tmp_path), str([name])]
