/* The header alone, and a second time: compiled as C99, C11 and C++17, see tests/header.rs. */
#include <rialto.h>
#ifdef TWICE
#include <rialto.h>
#endif

static rialto_lock_t lock = RIALTO_LOCK_INIT;

int main(void)
{
    rialto_region_t region = {{0}};
    size_t size = 0;
    if (rialto_lock_acquire(&lock) != RIALTO_OK || rialto_lock_release(&lock) != RIALTO_OK)
        return 1;
    return rialto_region_size(&region, &size) == RIALTO_EINVAL ? 0 : 1;
}
