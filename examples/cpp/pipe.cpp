/* A pipe between two processes: a question and an answer.
 *
 *   g++ -std=c++17 pipe.cpp $(pkg-config --cflags --libs rialto) -o pipe
 */
#include <rialto.hpp>

#include <cctype>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 16);
    auto pipe = rialto::Pipe::create(region, "pipe", rialto::PipeConfig(4096));
    if (fork() == 0) {
        {
            auto end = pipe.connect(1);
            char buffer[64];
            while (rialto::Popped question = end.recv(buffer)) {
                std::string answer(question.text());
                for (char& letter : answer)
                    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
                end.send(answer);
            }
        }
        _exit(0);
    }
    {
        auto end = pipe.connect(0);
        end.send("hello");
        char buffer[64];
        const auto answer = end.recv(buffer);
        std::printf("hello -> %.*s\n", static_cast<int>(answer.size()), answer.text().data());
    } // closed: the child's recv says so
    wait(nullptr);
}
