/* Memory that the C test programs share between processes: the program's own struct in a memfd, seen by
 * each child at another address; and children that are known to sleep. */
#ifndef MEMORY_H
#define MEMORY_H

#include "check.h"

static int memory_file;
static size_t memory_bytes;

static inline void *memory_map(void)
{
    void *at = mmap(NULL, memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

/* Zero-filled. */
static inline void *memory_make(size_t bytes)
{
    memory_bytes = bytes;
    memory_file = memfd_create("memory", MFD_CLOEXEC);
    CHECK(memory_file >= 0 && ftruncate(memory_file, (off_t)bytes) == 0);
    return memory_map();
}

/* In a child: sees the same bytes elsewhere, and no more where the parent does. */
static inline void *memory_move(void *from)
{
    void *elsewhere = memory_map();
    CHECK(elsewhere != from);
    CHECK(munmap(from, memory_bytes) == 0);
    return elsewhere;
}

/* In a child: a view of its own, at another address than the parent's. */
static inline void region_elsewhere(const rialto_region_t *region, rialto_region_t *view)
{
    int fd;
    void *here, *there;
    EXPECT(rialto_region_fd(region, &fd), RIALTO_OK);
    EXPECT(rialto_region_attach_fd(view, fd), RIALTO_OK);
    EXPECT(rialto_region_base(region, &here), RIALTO_OK);
    EXPECT(rialto_region_base(view, &there), RIALTO_OK);
    CHECK(here != there);
}

/* Returns when the child sleeps in the kernel. It has said through a gate that it is about to: from
 * there on it sleeps nowhere else. */
static inline void until_asleep(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    for (;;) {
        FILE *stat = fopen(path, "r");
        CHECK(stat && fgets(line, sizeof line, stat));
        fclose(stat);
        const char *state = strrchr(line, ')'); /* "PID (NAME) S ..." */
        CHECK(state && state[1] == ' ' && state[2] != 'Z');
        if (state[2] == 'S')
            return;
        doze(1);
    }
}

/* Ends the one who called it, in a child whose killer comes. */
static inline void await_death(void)
{
    for (;;)
        pause();
}

static inline void gate_close(struct gate *gate)
{
    close(gate->ends[0]);
    close(gate->ends[1]);
}

/* A child that kills another one a little later, when the parent sleeps. */
static inline pid_t assassin(pid_t victim)
{
    pid_t killer = spawn();
    if (killer == 0) {
        doze(50);
        kill(victim, SIGKILL);
        exit(0);
    }
    return killer;
}

/* Waits for a child of ours that somebody kills, or has killed. */
static inline void bury(pid_t victim)
{
    int how;
    CHECK(waitpid(victim, &how, 0) == victim);
    CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static inline uint64_t now(void)
{
    uint64_t now_ns;
    EXPECT(rialto_now_ns(&now_ns), RIALTO_OK);
    return now_ns;
}

#endif
