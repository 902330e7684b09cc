/* A queue of jobs: one worker is killed with a job in hand, the other one gets it.
 *
 *   g++ -std=c++17 queue.cpp $(pkg-config --cflags --libs rialto) -o queue
 */
#include <rialto.hpp>

#include <csignal>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

struct Job {
    int number;
    bool is_deadly;
};

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 18);
    auto jobs = rialto::Queue::create(region, "jobs", rialto::QueueConfig(16, sizeof(Job)));
    for (int i = 0; i < 5; i++)
        jobs.push(rialto::bytes_of(Job{i, i == 0}));
    jobs.close();

    if (fork() == 0) {
        while (rialto::Peeked job = jobs.peek()) {
            if (job.bytes().as<Job>().is_deadly)
                kill(getpid(), SIGKILL);
            job.release();
        }
        _exit(0);
    }
    wait(nullptr); // it has died of the first one

    int done = 0, redelivered = 0;
    for (rialto::Peeked& job : jobs.messages()) {
        done++;
        redelivered += job.attempt() > 0;
        job.release(); // else somebody gets it again
    }
    std::printf("%d jobs done, %s of them twice\n", done, redelivered == 1 ? "one" : "not one");
}
