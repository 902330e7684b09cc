// Boost.Interprocess' message_queue as C functions. -1: refused; otherwise as named.
#include <boost/interprocess/ipc/message_queue.hpp>

using boost::interprocess::message_queue;

extern "C" void *shim_create(const char *name, size_t slots, size_t bytes) {
    try {
        message_queue::remove(name);
        auto *queue = new message_queue(boost::interprocess::create_only, name, slots, bytes);
        message_queue::remove(name); // the mapping stays
        return queue;
    } catch (...) {
        return nullptr;
    }
}

extern "C" void shim_destroy(void *queue) { delete static_cast<message_queue *>(queue); }

// 1: sent, 0: full.
extern "C" int shim_try_send(void *queue, const void *from, size_t bytes) {
    try {
        return static_cast<message_queue *>(queue)->try_send(from, bytes, 0);
    } catch (...) {
        return -1;
    }
}

extern "C" int shim_send(void *queue, const void *from, size_t bytes) {
    try {
        static_cast<message_queue *>(queue)->send(from, bytes, 0);
        return 1;
    } catch (...) {
        return -1;
    }
}

// The message's length, 0: empty.
extern "C" long shim_try_receive(void *queue, void *to, size_t room) {
    try {
        message_queue::size_type got = 0;
        unsigned priority = 0;
        return static_cast<message_queue *>(queue)->try_receive(to, room, got, priority) ? long(got) : 0;
    } catch (...) {
        return -1;
    }
}

extern "C" long shim_receive(void *queue, void *to, size_t room) {
    try {
        message_queue::size_type got = 0;
        unsigned priority = 0;
        static_cast<message_queue *>(queue)->receive(to, room, got, priority);
        return long(got);
    } catch (...) {
        return -1;
    }
}
