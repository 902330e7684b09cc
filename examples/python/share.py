#!/usr/bin/env python3
"""A queue and a lock between this Python process and a C process: by ctypes, with nothing to build but partner.c.

    gcc partner.c $(pkg-config --cflags --libs rialto) -o partner
    python3 share.py ./partner

Finds librialto.so as the loader does (LD_LIBRARY_PATH), or where RIALTO_LIBRARY says. Python sends messages and C
answers them; then each of the two is killed with the lock in its hand, and the other is told."""
import ctypes, ctypes.util, os, signal, subprocess, sys
from ctypes import byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

# From rialto.h, of version 0.1: what a caller allocates, in 32- and 64-bit words.
RegionConfig, QueueConfig = c_uint32 * 8, c_uint32 * 8
RegionView, QueueView = c_uint64 * 16, c_uint64 * 24
VERSION, LAYOUT_VERSION = (0, 1), 1
OWNER_DIED, TYPE_I32 = 1, 6


def load():
    names = [os.environ.get("RIALTO_LIBRARY"), "librialto.so.0.1", "librialto.so", ctypes.util.find_library("rialto")]
    for name in filter(None, names):
        try:
            return ctypes.CDLL(name)  # lets other Python threads run while a call waits
        except OSError as error:
            problem = error
    sys.exit(f"no librialto.so: {problem}; set LD_LIBRARY_PATH or RIALTO_LIBRARY")


rialto = load()
rialto.rialto_strerror.restype = c_char_p
rialto.rialto_version.restype = rialto.rialto_layout_version.restype = c_uint32
assert divmod(rialto.rialto_version() // 1000, 1000) == VERSION and rialto.rialto_layout_version() == LAYOUT_VERSION


def declare(name, *arguments):
    """A function that raises an OSError for a negative status, and returns others."""
    function = getattr(rialto, "rialto_" + name)
    function.argtypes = arguments
    def call(*values):
        status = function(*values)
        if status < 0:
            raise OSError(-status, f"{name}: {rialto.rialto_strerror(status).decode()}")
        return status
    return call


region_config_default = declare("region_config_default", c_void_p)
region_create_named = declare("region_create_named", c_void_p, c_char_p, c_size_t, c_void_p)
region_unlink_named = declare("region_unlink_named", c_char_p)
region_detach, queue_close = declare("region_detach", c_void_p), declare("queue_close", c_void_p)
queue_config_default = declare("queue_config_default", c_uint32, c_uint32, c_void_p)
queue_create = declare("queue_create", c_void_p, c_char_p, c_void_p, c_void_p)
queue_push = declare("queue_push", c_void_p, c_char_p, c_size_t)
queue_pop_timeout = declare("queue_pop_timeout", c_void_p, c_void_p, c_size_t, c_uint64, c_void_p, c_void_p)
lock_create = declare("lock_create", c_void_p, c_char_p, c_void_p)
lock_acquire, lock_release = declare("lock_acquire", c_void_p), declare("lock_release", c_void_p)
lock_mark_consistent = declare("lock_mark_consistent", c_void_p)
raw_array_create = declare("raw_array_create", c_void_p, c_char_p, c_uint32, c_size_t, c_uint32, c_void_p)


class Queue:
    def __init__(self, region, name, slots, max_message_bytes):
        config, self.view, self.most = QueueConfig(), QueueView(), max_message_bytes
        queue_config_default(slots, max_message_bytes, config)
        queue_create(region, name, config, self.view)

    def push(self, message):
        queue_push(self.view, message, len(message))

    def pop(self, seconds=10.0):
        buffer, length = ctypes.create_string_buffer(self.most), c_size_t()
        queue_pop_timeout(self.view, buffer, self.most, int(seconds * 1e9), byref(length), None)
        return buffer.raw[: length.value]


class Lock:
    """`with lock as owner_died:` says whether the last owner died; then repair, and mark_consistent."""

    def __init__(self, region, name):
        self.address = c_void_p()  # it lies in the region
        lock_create(region, name, byref(self.address))

    def __enter__(self):
        return lock_acquire(self.address) == OWNER_DIED

    def __exit__(self, *_):
        lock_release(self.address)

    def mark_consistent(self):
        lock_mark_consistent(self.address)


def main(partner):
    # The library does not tell how large its views are; the C compiler does.
    sizes = [ctypes.sizeof(kind) for kind in (RegionConfig, QueueConfig, RegionView, QueueView)]
    assert subprocess.check_output([partner, "sizes"]).split() == [b"%d" % size for size in sizes]

    name, partners = b"rialto-python-%d" % os.getpid(), []
    def start():
        partners.append(subprocess.Popen([partner, name]))
        return partners[-1]
    region, config, raw = RegionView(), RegionConfig(), c_void_p()
    region_config_default(config)
    region_create_named(region, name, 1 << 18, config)
    try:
        to_c, to_python = Queue(region, b"to C", 16, 64), Queue(region, b"to Python", 16, 64)
        lock = Lock(region, b"lock")
        raw_array_create(region, b"money", TYPE_I32, 4, 2, byref(raw))
        money = ctypes.cast(raw, ctypes.POINTER(c_int32))  # two purses; under the lock, 100 together
        money[0] = 100

        c = start()
        for i in range(1000):
            to_c.push(b"message %d" % i)
            assert to_python.pop() == b"MESSAGE %d" % i
        print("1000 messages to C and back")

        to_c.push(b"die with the lock")
        assert c.wait(10) == -signal.SIGKILL
        with lock as owner_died:
            assert owner_died and money[0] + money[1] == 60, "C took 40 and was killed"
            money[1] = 100 - money[0]
            lock.mark_consistent()
        print("C killed with the lock: Python was told, and repaired")

        child = os.fork()
        if child == 0:
            lock.__enter__()
            money[0] -= 30
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        c = start()
        to_c.push(b"repair")
        assert to_python.pop() == b"the owner died: found 70, repaired"
        with lock as owner_died:
            assert not owner_died and money[0] + money[1] == 100
        print("Python killed with the lock: C was told, and repaired")

        queue_close(to_c.view)
        assert c.wait(10) == 0
    finally:
        for c in partners:
            c.kill()  # if it has not ended
        region_unlink_named(name)
    region_detach(region)


if __name__ == "__main__":
    main(*sys.argv[1:] or sys.exit(__doc__))
