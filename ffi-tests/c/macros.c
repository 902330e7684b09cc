/* Every macro of the header is used, and in expressions where a sloppy one would go wrong. */
#include "check.h"

#if RIALTO_VERSION < RIALTO_MAKE_VERSION(0, 1, 0)
#error "versions do not compare in #if"
#endif
#if RIALTO_EAGAIN != -11 || RIALTO_OK
#error "codes do not compare in #if"
#endif

/* What it is, what errno calls it, and what stands in the header. */
#define EXPANDED(macro) TEXT(macro)
#define TEXT(tokens) #tokens
#define CODE(name, number) {name, number, EXPANDED(name)}
static const struct {
    int code, number;
    const char *text;
} codes[] = {
    CODE(RIALTO_OK, 0),
    CODE(RIALTO_OWNER_DIED, 1),
    CODE(RIALTO_REDELIVERED, 2),
    CODE(RIALTO_EPERM, -EPERM),
    CODE(RIALTO_ENOENT, -ENOENT),
    CODE(RIALTO_EAGAIN, -EAGAIN),
    CODE(RIALTO_ENOMEM, -ENOMEM),
    CODE(RIALTO_EBUSY, -EBUSY),
    CODE(RIALTO_EEXIST, -EEXIST),
    CODE(RIALTO_EINVAL, -EINVAL),
    CODE(RIALTO_ENFILE, -ENFILE),
    CODE(RIALTO_EMFILE, -EMFILE),
    CODE(RIALTO_ENOSPC, -ENOSPC),
    CODE(RIALTO_EPIPE, -EPIPE),
    CODE(RIALTO_EDEADLK, -EDEADLK),
    CODE(RIALTO_EOVERFLOW, -EOVERFLOW),
    CODE(RIALTO_EMSGSIZE, -EMSGSIZE),
    CODE(RIALTO_ENOTSUP, -EOPNOTSUPP),
    CODE(RIALTO_ENOBUFS, -ENOBUFS),
    CODE(RIALTO_ETIMEDOUT, -ETIMEDOUT),
    CODE(RIALTO_ENOTRECOVERABLE, -ENOTRECOVERABLE),
    CODE(RIALTO_EBADREGION, -4096),
    CODE(RIALTO_EVERSION, -4097),
    CODE(RIALTO_EWRONGKIND, -4098),
    CODE(RIALTO_EBROKEN, -4099),
};
enum { CODES = sizeof codes / sizeof codes[0] };

struct RIALTO_ALIGNED(32) aligned {
    char byte;
};
_Static_assert(_Alignof(struct aligned) == 32, "RIALTO_ALIGNED");

static rialto_lock_t at_file_scope = RIALTO_LOCK_INIT;
enum { ONE = 1, TWO = 2 };
static struct {
    rialto_rlock_t rlock;
    rialto_event_t event;
    rialto_semaphore_t semaphores[2], bounded;
    rialto_condition_t condition;
} family = {RIALTO_RLOCK_INIT,
            RIALTO_EVENT_INIT,
            {RIALTO_SEMAPHORE_INIT(ONE), RIALTO_SEMAPHORE_INIT(ONE ? TWO : 5)},
            RIALTO_BOUNDED_SEMAPHORE_INIT(ONE | TWO),
            RIALTO_CONDITION_INIT};

int main(void)
{
    watchdog();
    for (int i = 0; i < CODES; i++) {
        CHECK(codes[i].code == codes[i].number);
        /* Or a forgotten operator, `x RIALTO_EPERM`, would be a difference. */
        CHECK(codes[i].code >= 0 || codes[i].text[0] == '(');
        const char *text = rialto_strerror(codes[i].code);
        CHECK(text && *text);
        for (int j = 0; j < i; j++) {
            CHECK(codes[j].code != codes[i].code);
            CHECK(strcmp(rialto_strerror(codes[j].code), text) != 0); /* each says something else */
        }
    }
    CHECK(strcmp(rialto_strerror(-3), rialto_strerror(-5000)) == 0); /* "system call failed" */

    int five = 5;
    CHECK(five -RIALTO_EPERM == 6 && five - RIALTO_EBADREGION == 4101);
    CHECK(-RIALTO_EINVAL == 22 && 2 * RIALTO_EAGAIN == -22 && ~RIALTO_EPERM == 0);
    switch (five - 27) {
    case RIALTO_EINVAL:
        break;
    default:
        CHECK(!"RIALTO_EINVAL is not a constant");
    }

    /* Unequal parts: a number that used the minor twice would show. */
    CHECK(RIALTO_MAKE_VERSION(1, 2, 3) == 1002003u);
    CHECK(RIALTO_MAKE_VERSION(1 + 1, 2 + 1, 3 + 1) == 2003004u);
    CHECK(RIALTO_MAKE_VERSION(0, 2, 0) > RIALTO_MAKE_VERSION(0, 1, 999));
    CHECK(RIALTO_VERSION == RIALTO_MAKE_VERSION(RIALTO_VERSION_MAJOR, RIALTO_VERSION_MINOR,
                                                RIALTO_VERSION_PATCH));
    CHECK(RIALTO_VERSION_MAJOR == 0 && RIALTO_VERSION_MINOR == 1 && RIALTO_VERSION_PATCH == 0);
    CHECK(RIALTO_LAYOUT_VERSION == 1);

    uint64_t forever = RIALTO_WAIT_FOREVER;
    CHECK(forever == UINT64_MAX && sizeof RIALTO_WAIT_FOREVER == 8 && forever + 1 == 0);
    CHECK(RIALTO_RECOVER_MARKED == 0 && RIALTO_RECOVER_TICK == 1 && RIALTO_RECOVER_THOROUGH == 2);
    CHECK(RIALTO_QUEUE_KILL_ONLY == 1);

    rialto_lock_t on_the_stack = RIALTO_LOCK_INIT;
    EXPECT(rialto_lock_acquire(&on_the_stack), RIALTO_OK);
    EXPECT(rialto_lock_acquire(&at_file_scope), RIALTO_OK);
    EXPECT(rialto_lock_release(&on_the_stack), RIALTO_OK);
    EXPECT(rialto_lock_release(&at_file_scope), RIALTO_OK);

    uint32_t number;
    int calls = 0;
    rialto_semaphore_t changing = RIALTO_SEMAPHORE_INIT(++calls); /* evaluated once */
    EXPECT(rialto_semaphore_value(&changing, &number), RIALTO_OK);
    CHECK(calls == 1 && number == 1);
    EXPECT(rialto_rlock_attach(&family.rlock), RIALTO_OK);
    EXPECT(rialto_event_attach(&family.event), RIALTO_OK);
    EXPECT(rialto_condition_attach(&family.condition), RIALTO_OK);
    EXPECT(rialto_semaphore_value(&family.semaphores[0], &number), RIALTO_OK);
    CHECK(number == 1);
    EXPECT(rialto_semaphore_value(&family.semaphores[1], &number), RIALTO_OK);
    CHECK(number == 2);
    EXPECT(rialto_semaphore_bound(&family.semaphores[1], &number), RIALTO_OK);
    CHECK(number == INT32_MAX);
    EXPECT(rialto_semaphore_value(&family.bounded, &number), RIALTO_OK);
    CHECK(number == 3);
    EXPECT(rialto_semaphore_bound(&family.bounded, &number), RIALTO_OK);
    CHECK(number == 3);
    puts("macros: every one: ok");
    return 0;
}
