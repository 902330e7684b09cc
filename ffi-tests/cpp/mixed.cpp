/* Two translation units of one program, one of them (mixed_without.cpp) without exceptions: each gets what it asked
 * for, whichever the linker saw first. */
#include "kit.hpp"

/** A Guard of what is no lock: -1 if that threw, else whether it is held. */
int with_exceptions(rialto_lock_t* none);
int without_exceptions(rialto_lock_t* none);

#ifdef RIALTO_NO_EXCEPTIONS
int without_exceptions(rialto_lock_t* none)
{
    rialto::Guard guard(*reinterpret_cast<rialto::Lock*>(none));
    return bool(guard);
}
#else
int with_exceptions(rialto_lock_t* none)
{
    try {
        rialto::Guard guard(*reinterpret_cast<rialto::Lock*>(none));
        return bool(guard);
    } catch (const rialto::error&) {
        return -1;
    }
}

int main()
{
    watchdog();
    rialto_lock_t none{};
    CHECK(with_exceptions(&none) == -1 && without_exceptions(&none) == 0);
    std::puts("ok");
}
#endif
