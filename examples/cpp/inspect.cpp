/* What is in a region: its objects and its room.
 *
 *   g++ -std=c++17 inspect.cpp $(pkg-config --cflags --libs rialto) -o inspect
 */
#include <rialto.hpp>

#include <cstdio>

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 18);
    rialto::Queue::create(region, "jobs", rialto::QueueConfig(8, 64));
    rialto::Value<int>::create(region, "hits", 0);
    for (const rialto_object_info_t& info : region.objects())
        std::printf("%s: %s\n", reinterpret_cast<const char*>(info.name),
                    info.kind == RIALTO_KIND_QUEUE ? "queue" : "something else");
    region.remove("hits");
    const auto gone = rialto::Value<int>::open(region, "hits", rialto::nothrow); // by status, not by exception
    std::printf("hits: %s\n", gone ? "still there" : gone.status().message());
    std::printf("%u member, room left: %s\n", static_cast<unsigned>(region.member_count()),
                region.space().free > 0 ? "yes" : "no");
}
