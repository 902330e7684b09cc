/* Region: over the caller's pointer and at another address, memfd, anonymous, named; every status. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { SIZE = 1 << 17 };

static rialto_region_config_t config;

static void over_the_caller_s_pointer(void)
{
    int file = memfd_create("mine", MFD_CLOEXEC);
    CHECK(file >= 0 && ftruncate(file, SIZE) == 0);
    char *one = (char *)mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *two = (char *)mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(one != MAP_FAILED && two != MAP_FAILED && one != two);

    rialto_region_t region, other;
    EXPECT(rialto_region_attach(&other, two, SIZE), RIALTO_EBADREGION); /* zeroed: none */
    EXPECT(rialto_region_init(&region, one + 64, SIZE - 64, &config), RIALTO_EINVAL);
    EXPECT(rialto_region_init(&region, one, SIZE_MAX / 2 + 1, &config), RIALTO_EINVAL);
    EXPECT(rialto_region_init(&region, one, 1024, &config), RIALTO_ENOSPC);
    EXPECT(rialto_region_init(&region, one, SIZE, &config), RIALTO_OK);
    EXPECT(rialto_region_init(&other, two, SIZE, &config), RIALTO_EEXIST);
    EXPECT(rialto_region_attach(&other, two + 64, SIZE - 64), RIALTO_EINVAL);
    EXPECT(rialto_region_attach(&other, two, SIZE / 2), RIALTO_EBADREGION);
    EXPECT(rialto_region_attach(&other, two, 0), RIALTO_EBADREGION);
    EXPECT(rialto_region_attach(&other, two, SIZE_MAX / 2 + 1), RIALTO_EINVAL);
    EXPECT(rialto_region_attach(&other, two, SIZE), RIALTO_OK);

    void *base;
    size_t size;
    int fd = 77;
    EXPECT(rialto_region_base(&other, &base), RIALTO_OK);
    EXPECT(rialto_region_size(&other, &size), RIALTO_OK);
    EXPECT(rialto_region_fd(&other, &fd), RIALTO_ENOENT);
    CHECK(base == two && size == SIZE && fd == 77);

    rialto_queue_config_t queue_config;
    rialto_queue_t push, pop;
    char buffer[16];
    size_t length;
    EXPECT(rialto_queue_config_default(4, sizeof buffer, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "q", &queue_config, &push), RIALTO_OK);
    EXPECT(rialto_queue_open(&other, "q", &pop), RIALTO_OK);
    EXPECT(rialto_queue_push(&push, "here", 4), RIALTO_OK);
    EXPECT(rialto_queue_pop(&pop, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(length == 4 && memcmp(buffer, "here", 4) == 0);

    uint32_t members;
    EXPECT(rialto_region_member_count(&region, &members), RIALTO_OK);
    CHECK(members == 2); /* this thread, through each view */
    EXPECT(rialto_region_leave(&region), RIALTO_OK);
    EXPECT(rialto_region_leave(&region), RIALTO_OK); /* no member: fine */
    EXPECT(rialto_region_member_count(&region, &members), RIALTO_OK);
    CHECK(members == 1);

    rialto_region_t moved = region;
    EXPECT(rialto_region_size(&moved, &size), RIALTO_EINVAL); /* a view must not move */
    EXPECT(rialto_region_detach(&other), RIALTO_OK);
    EXPECT(rialto_region_detach(&other), RIALTO_EINVAL); /* not twice */
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    one[0] = 'x'; /* still mapped: it is ours */
    EXPECT(rialto_region_attach(&other, two, SIZE), RIALTO_EBADREGION);
    one[0] = 'R';
    one[8] = 99; /* the layout's version */
    EXPECT(rialto_region_attach(&other, two, SIZE), RIALTO_EVERSION);
    CHECK(munmap(one, SIZE) == 0 && munmap(two, SIZE) == 0 && close(file) == 0);
}

static void layouts(void)
{
    rialto_layout_t layout;
    rialto_region_config_t odd = config;
    EXPECT(rialto_region_layout(&config, &layout), RIALTO_OK);
    CHECK(layout.size == 256 + 32 * 64 + 64 * 64 + 80 * 64 && layout.align == 128);
    CHECK(config.members == 64 && config.objects == 32 && config.tick_ms == 100);
    odd.members = 0;
    EXPECT(rialto_region_layout(&odd, &layout), RIALTO_EINVAL);
    odd.members = 65536 + 64;
    EXPECT(rialto_region_layout(&odd, &layout), RIALTO_EINVAL);
    odd.members = 4095;
    EXPECT(rialto_region_layout(&odd, &layout), RIALTO_OK);
    odd._reserved[0] = 1;
    EXPECT(rialto_region_layout(&odd, &layout), RIALTO_EINVAL);
}

static void anonymous_for_children(void)
{
    rialto_region_t region;
    rialto_queue_config_t queue_config;
    rialto_queue_t queue;
    char buffer[16];
    size_t length;
    EXPECT(rialto_region_create_anonymous(&region, 256, &config), RIALTO_ENOSPC);
    EXPECT(rialto_region_create_anonymous(&region, 0, &config), RIALTO_EINVAL);
    EXPECT(rialto_region_create_anonymous(&region, SIZE, &config), RIALTO_OK);
    EXPECT(rialto_queue_config_default(4, sizeof buffer, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "q", &queue_config, &queue), RIALTO_OK);
    pid_t child = spawn();
    if (child == 0) { /* goes on with the views that it inherited */
        EXPECT(rialto_queue_push(&queue, "from a child", 12), RIALTO_OK);
        exit(0);
    }
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(length == 12 && memcmp(buffer, "from a child", 12) == 0);
    reap(child);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

static void memfd_is_sealed(void)
{
    rialto_region_t region, other;
    int fd;
    EXPECT(rialto_region_create_memfd(&region, SIZE, &config), RIALTO_OK);
    EXPECT(rialto_region_fd(&region, &fd), RIALTO_OK);
    CHECK(ftruncate(fd, 0) == -1 && errno == EPERM);
    EXPECT(rialto_region_attach_fd(&other, fd), RIALTO_OK);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF); /* the view's, and closed with it */
    size_t size;
    EXPECT(rialto_region_size(&other, &size), RIALTO_OK);
    CHECK(size == SIZE);
    EXPECT(rialto_region_detach(&other), RIALTO_OK);
    EXPECT(rialto_region_attach_fd(&other, -1), -EBADF);
    int empty = memfd_create("empty", MFD_CLOEXEC);
    CHECK(empty >= 0);
    EXPECT(rialto_region_attach_fd(&other, empty), RIALTO_EBADREGION);
    CHECK(ftruncate(empty, 4096) == 0);
    EXPECT(rialto_region_attach_fd(&other, empty), RIALTO_EBADREGION);
    close(empty);
}

static void named(void)
{
    rialto_region_t region, other;
    char name[64], path[80];
    struct stat stat_buffer;
    snprintf(name, sizeof name, "/rialto-test-%ld", (long)getpid());
    snprintf(path, sizeof path, "/dev/shm%s", name);
    EXPECT(rialto_region_attach_named(&other, name), RIALTO_ENOENT);
    EXPECT(rialto_region_unlink_named(name), RIALTO_ENOENT);
    EXPECT(rialto_region_create_named(&region, "a/b", SIZE, &config), RIALTO_EINVAL);
    EXPECT(rialto_region_create_named(&region, "..", SIZE, &config), RIALTO_EINVAL);
#if SIZE_MAX > UINT32_MAX
    EXPECT(rialto_region_create_named(&region, name, (size_t)1 << 50, &config), RIALTO_ENOSPC);
#else /* offsets in memory have a sign */
    EXPECT(rialto_region_create_named(&region, name, (size_t)1 << 31, &config), RIALTO_EINVAL);
#endif
    CHECK(stat(path, &stat_buffer) == -1 && errno == ENOENT); /* nothing left behind */
    EXPECT(rialto_region_create_named(&region, name, SIZE, &config), RIALTO_OK);
    EXPECT(rialto_region_create_named(&other, name, SIZE, &config), RIALTO_EEXIST);
    CHECK(stat(path, &stat_buffer) == 0 && stat_buffer.st_size == SIZE);
    CHECK((stat_buffer.st_mode & 0777) == 0600);
    pid_t child = spawn();
    if (child == 0) {
        rialto_queue_config_t queue_config;
        rialto_queue_t queue;
        EXPECT(rialto_region_attach_named(&other, name + 1), RIALTO_OK);
        EXPECT(rialto_queue_config_default(4, 16, &queue_config), RIALTO_OK);
        EXPECT(rialto_queue_create(&other, "left", &queue_config, &queue), RIALTO_OK);
        EXPECT(rialto_queue_push(&queue, "a letter", 8), RIALTO_OK);
        exit(0); /* without detaching */
    }
    reap(child);
    EXPECT(rialto_region_unlink_named(name), RIALTO_OK);
    EXPECT(rialto_region_attach_named(&other, name), RIALTO_ENOENT);
    rialto_queue_t queue;
    char buffer[16];
    size_t length;
    EXPECT(rialto_queue_open(&region, "left", &queue), RIALTO_OK);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(length == 8);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

/* Two views of one memory: a lock that was acquired through one may be released through the other. */
static void two_views_of_one_memory(void)
{
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    rialto_region_t first, second;
    rialto_value_t mine, same;
    uint32_t zero = 0;
    CHECK(memory != MAP_FAILED);
    EXPECT(rialto_region_init(&first, memory, SIZE, &config), RIALTO_OK);
    EXPECT(rialto_region_attach(&second, memory, SIZE), RIALTO_OK);
    EXPECT(rialto_value_create(&first, "value", RIALTO_U32, &zero, 4, RIALTO_WAIT_FOREVER, &mine), RIALTO_OK);
    EXPECT(rialto_value_open(&second, "value", RIALTO_U32, 4, &same), RIALTO_OK);
    EXPECT(rialto_value_acquire(&mine, RIALTO_WAIT_FOREVER), RIALTO_OK);
    EXPECT(rialto_region_detach(&first), RIALTO_EBUSY);
    EXPECT(rialto_region_detach(&second), RIALTO_EBUSY);
    EXPECT(rialto_value_release(&same), RIALTO_OK);
    EXPECT(rialto_region_detach(&first), RIALTO_OK);
    EXPECT(rialto_region_detach(&second), RIALTO_OK);
    CHECK(munmap(memory, SIZE) == 0);
}

int main(void)
{
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    layouts();
    over_the_caller_s_pointer();
    anonymous_for_children();
    memfd_is_sealed();
    named();
    two_views_of_one_memory();
    puts("region: your pointer, two addresses, memfd, anonymous, named: ok");
    return 0;
}
