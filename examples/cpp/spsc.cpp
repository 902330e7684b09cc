/* A queue from one producer to one consumer, written and read in place.
 *
 *   g++ -std=c++17 spsc.cpp $(pkg-config --cflags --libs rialto) -o spsc
 */
#include <rialto.hpp>

#include <cstdio>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

struct Sample {
    int number;
    double values[31];
};

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 18);
    auto samples = rialto::Spsc::create(region, "samples", rialto::SpscConfig(32, sizeof(Sample)));
    if (fork() == 0) {
        {
            auto producer = samples.producer();
            for (int i = 0; i < 1000; i++) {
                auto room = producer.reserve(sizeof(Sample));
                std::memcpy(room.bytes().data(), &i, sizeof i);
                room.commit();
            }
        }
        samples.close();
        _exit(0);
    }
    int next = 0;
    {
        auto consumer = samples.consumer();
        while (auto sample = consumer.peek()) {
            next += sample.bytes().as<int>() == next;
            sample.release();
        }
    }
    wait(nullptr);
    std::printf("%d samples in order\n", next);
}
