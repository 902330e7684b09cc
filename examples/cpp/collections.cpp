/* A list, a dict and a namespace that two processes share.
 *
 *   g++ -std=c++17 collections.cpp $(pkg-config --cflags --libs rialto) -o collections
 */
#include <rialto.hpp>

#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 18);
    auto tasks = rialto::List::create(region, "tasks", 16, 32);
    auto owners = rialto::Dict::create(region, "owners", 16, 32, 32);
    auto settings = rialto::Namespace::create(region, "settings", 16, 32, 64);
    tasks.extend({rialto::message("a"), rialto::message("b"), rialto::message("c")});
    if (fork() == 0) {
        char task[32];
        owners.set(*tasks.pop(0, task), "child");
        settings.set("level", 3);
        settings.set("mode", "fast");
        _exit(0);
    }
    wait(nullptr);

    std::string buffer(tasks.max_item_bytes(), '\0');
    std::printf("tasks:");
    (void)tasks.for_each(buffer, [](std::size_t, rialto::bytes_view item) {
        std::printf(" %.*s", static_cast<int>(item.size()), item.text().data());
    });
    char text[65];
    const auto owner = owners.get("a", buffer);
    std::printf("\na: %.*s\n", static_cast<int>(owner->size()), owner->text().data());
    std::printf("level %d, mode %s", static_cast<int>(*settings.get<std::int64_t>("level")),
                settings.get_str("mode", text)->data());
    std::printf("%s\n", settings.contains("colour") ? ", a colour" : ", no colour");
}
