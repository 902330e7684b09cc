/* Values and arrays that several processes change, each update all or nothing.
 *
 *   g++ -std=c++17 value.cpp $(pkg-config --cflags --libs rialto) -o value
 */
#include <rialto.hpp>

#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 16);
    auto hits = rialto::Value<std::uint64_t>::create(region, "hits", 0);
    auto histogram = rialto::Array<int>::create(region, "histogram", 4);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (std::uint32_t n = 0; n < 1000; n++) {
                hits.fetch_add(1);
                (void)histogram.edit([&](auto& edit) { edit.set(n % 4, edit.get(n % 4) + 1); });
            }
            _exit(0);
        }
    while (wait(nullptr) > 0) {
    }
    int counts[4];
    histogram.read(0, counts);
    std::printf("%llu hits, histogram %d %d %d %d\n", static_cast<unsigned long long>(hits.load()), counts[0],
                counts[1], counts[2], counts[3]);
}
