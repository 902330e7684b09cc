/* The C++ header's tests: each file is a translation unit that includes it. */
#include "kit.hpp"

int main()
{
    watchdog();
    CHECK(rialto::version() == RIALTO_VERSION && rialto::layout_version() == RIALTO_LAYOUT_VERSION);
    test_sync();
    test_queues();
    test_state();
    test_moves();
    std::puts("ok");
}
