/* Processes from C: each way to start one, with all that is done to one; what a child is told and has; daemons;
 * every status. It starts itself, so rialto_process_main comes first. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <dirent.h>

static rialto_forkserver_t server;
static uint32_t method; /* of the round */

static const char *const methods[] = {"spawn", "fork", "fork server"};

static void tell(const rialto_child_t *child, const char *text)
{
    CHECK(child->fd_count > 0);
    CHECK(write(child->fds[0], text, strlen(text)) == (ssize_t)strlen(text));
}

static int run_exit(const rialto_child_t *child, void *context)
{
    (void)context;
    watchdog();
    return atoi(child->args);
}

static int run_sleep(const rialto_child_t *child, void *context)
{
    watchdog();
    for (int number = 1; context && number < 32; number++)
        if (number != SIGALRM)
            signal(number, SIG_IGN);
    tell(child, "!");
    for (;;)
        pause();
    return 0;
}

static int run_about(const rialto_child_t *child, void *context)
{
    char text[400];
    rialto_current_t me;
    int32_t parent;
    bool is_alive = false;
    CHECK(context == NULL);
    EXPECT(rialto_process_current(&me), RIALTO_OK);
    EXPECT(rialto_parent_pid(&parent), RIALTO_OK);
    EXPECT(rialto_parent_is_alive(&is_alive), RIALTO_OK);
    EXPECT(rialto_parent_join_timeout(0), RIALTO_EAGAIN);
    EXPECT(rialto_parent_join_timeout(20 * MS), RIALTO_ETIMEDOUT);
    CHECK(is_alive && me.pid == getpid() && strcmp(me.name, child->name) == 0 && me.flags == child->flags);
    snprintf(text, sizeof text, "%s|%s|%.*s|%zu|%u|%u|%d", child->entry, child->name, (int)child->args_bytes,
             child->args ? (const char *)child->args : "", child->args_bytes, child->fd_count, child->flags, parent);
    tell(child, text);
    return 0;
}

/* The numbers of all descriptors. */
static int run_descriptors(const rialto_child_t *child, void *context)
{
    char text[400] = "";
    DIR *folder = opendir("/proc/self/fd");
    (void)context;
    CHECK(folder);
    for (int fd = 0; fd < 100; fd++)
        if (fd != dirfd(folder) && fcntl(fd, F_GETFD) != -1)
            sprintf(text + strlen(text), "%d ", fd);
    closedir(folder);
    tell(child, text);
    return 0;
}

/* Says when its parent has ended. */
static int run_orphan(const rialto_child_t *child, void *context)
{
    bool is_alive = true;
    int fd;
    (void)context;
    watchdog();
    EXPECT(rialto_parent_sentinel(&fd), RIALTO_OK);
    tell(child, "!");
    struct pollfd asked = {fd, 0, 0};
    CHECK(poll(&asked, 1, 50000) == 1 && (asked.revents & POLLHUP));
    EXPECT(rialto_parent_join(), RIALTO_OK);
    EXPECT(rialto_parent_is_alive(&is_alive), RIALTO_OK);
    CHECK(!is_alive);
    tell(child, "?");
    return 0;
}

static int run_print(const rialto_child_t *child, void *context)
{
    struct sigaction action;
    (void)context;
    /* What main has ignored: only a forked child is as its parent. */
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0);
    if (action.sa_handler != (atoi(child->args) == RIALTO_PROCESS_FORK ? SIG_IGN : SIG_DFL))
        return 1;
    dup2(child->fds[0], 1);
    printf("printed"); /* in a buffer */
    return 0;
}

/* Starts the entry that it is told of by the method that it is told of, and waits to be killed. */
static int run_parent(const rialto_child_t *child, void *context);

static int stubborn;
static const rialto_entry_t entries[] = {
    {"exit", run_exit, NULL},
    {"sleep", run_sleep, NULL},
    {"stubborn", run_sleep, &stubborn},
    {"about", run_about, NULL},
    {"descriptors", run_descriptors, NULL},
    {"orphan", run_orphan, NULL},
    {"print", run_print, NULL},
    {"parent", run_parent, NULL},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static rialto_process_config_t usual(const char *args, const int *fds, uint32_t fd_count)
{
    rialto_process_config_t config;
    EXPECT(rialto_process_config_default(&config), RIALTO_OK);
    config.args = args;
    config.args_bytes = strlen(args) + 1;
    config.fds = fds;
    config.fd_count = fd_count;
    config.method = method;
    if (method == RIALTO_PROCESS_FORKSERVER)
        config.server = &server;
    return config;
}

static void start(const char *entry, const char *args, struct gate *gate, rialto_process_t *process)
{
    rialto_process_config_t config = usual(args, gate ? &gate->ends[1] : NULL, gate != NULL);
    EXPECT(rialto_process_start(entry, &config, process), RIALTO_OK);
}

static int run_parent(const rialto_child_t *child, void *context)
{
    rialto_process_t process;
    const char *args = child->args;
    (void)context;
    watchdog();
    method = (uint32_t)(args[0] - '0');
    if (method == RIALTO_PROCESS_FORKSERVER)
        EXPECT(rialto_forkserver_start(NULL, NULL, &server), RIALTO_OK);
    rialto_process_config_t config = usual("", child->fds, 1);
    config.flags = args[1] == 'd' ? RIALTO_PROCESS_DAEMON : 0;
    EXPECT(rialto_process_start(args + 2, &config, &process), RIALTO_OK);
    for (;;)
        pause();
    return 0;
}

static void gate_make_private(struct gate *gate)
{
    CHECK(pipe2(gate->ends, O_CLOEXEC) == 0);
}

static void gate_shut(struct gate *gate)
{
    close(gate->ends[0]);
    close(gate->ends[1]);
}

/* All that is said until nobody has the other end. */
static void gate_read(struct gate *gate, char *text, size_t size)
{
    size_t length = 0;
    ssize_t n;
    close(gate->ends[1]);
    while ((n = read(gate->ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    CHECK(n == 0);
    text[length] = 0;
    close(gate->ends[0]);
}

static void end(rialto_process_t *process, int32_t wanted)
{
    int32_t code = 12345, again = 0;
    bool is_alive = true;
    EXPECT(rialto_process_join(process, &code), RIALTO_OK);
    if (code != wanted)
        fprintf(stderr, "%s: code %d, wanted %d\n", methods[method], code, wanted);
    CHECK(code == wanted);
    EXPECT(rialto_process_join(process, NULL), RIALTO_OK);
    EXPECT(rialto_process_exit_code(process, &again), RIALTO_OK);
    EXPECT(rialto_process_is_alive(process, &is_alive), RIALTO_OK);
    CHECK(again == wanted && !is_alive);
    EXPECT(rialto_process_kill(process), RIALTO_OK); /* fine */
    EXPECT(rialto_process_close(process), RIALTO_OK);
    EXPECT(rialto_process_close(process), RIALTO_EINVAL);
    EXPECT(rialto_process_join(process, &code), RIALTO_EINVAL);
}

static void join_and_exit_code(void)
{
    rialto_process_t process;
    const struct {
        const char *args;
        int32_t code;
    } codes[] = {{"0", 0}, {"7", 7}, {"255", 255}, {"256", 0}, {"-1", 255}};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        start("exit", codes[i].args, NULL, &process);
        end(&process, codes[i].code);
    }
}

static void timeout_signals_and_sentinel(void)
{
    rialto_process_t process;
    struct gate gate;
    int32_t code = 77, pid;
    int fd;
    bool is_alive = false;
    gate_make_private(&gate);
    start("sleep", "", &gate, &process);
    gate_pass(&gate);
    uint64_t before, after;
    EXPECT(rialto_now_ns(&before), RIALTO_OK);
    EXPECT(rialto_process_join_timeout(&process, 80 * MS, &code), RIALTO_ETIMEDOUT);
    EXPECT(rialto_now_ns(&after), RIALTO_OK);
    CHECK(after - before >= 80 * MS);
    EXPECT(rialto_process_join_timeout(&process, 0, &code), RIALTO_EAGAIN);
    EXPECT(rialto_process_exit_code(&process, &code), RIALTO_EAGAIN);
    CHECK(code == 77); /* written only on success */
    EXPECT(rialto_process_is_alive(&process, &is_alive), RIALTO_OK);
    EXPECT(rialto_process_pid(&process, &pid), RIALTO_OK);
    CHECK(is_alive && pid > 0 && kill(pid, 0) == 0);
    EXPECT(rialto_process_close(&process), RIALTO_EBUSY);
    EXPECT(rialto_process_sentinel(&process, &fd), RIALTO_OK);
    struct pollfd asked = {fd, POLLIN, 0};
    CHECK(poll(&asked, 1, 50) == 0);
    EXPECT(rialto_process_terminate(&process), RIALTO_OK);
    CHECK(poll(&asked, 1, 50000) == 1 && (asked.revents & POLLIN));
    end(&process, -SIGTERM);

    start("stubborn", "", &gate, &process);
    gate_pass(&gate);
    EXPECT(rialto_process_terminate(&process), RIALTO_OK);
    EXPECT(rialto_process_join_timeout(&process, 80 * MS, NULL), RIALTO_ETIMEDOUT);
    EXPECT(rialto_process_signal(&process, 1000), RIALTO_EINVAL);
    EXPECT(rialto_process_signal(&process, SIGSTOP), RIALTO_OK);
    EXPECT(rialto_process_join_timeout(&process, 80 * MS, NULL), RIALTO_ETIMEDOUT);
    EXPECT(rialto_process_kill(&process), RIALTO_OK);
    end(&process, -SIGKILL);
    gate_shut(&gate);
}

static void what_a_child_is_told(void)
{
    rialto_process_t process;
    struct gate gate;
    char text[400], wanted[400];
    gate_make_private(&gate);
    start("about", "some args", &gate, &process);
    end(&process, 0);
    gate_read(&gate, text, sizeof text);
    snprintf(wanted, sizeof wanted, "about|about|some args|10|1|0|%d", getpid());
    CHECK(strlen(text) == strlen(wanted) && strcmp(text, wanted) == 0);

    gate_make_private(&gate);
    rialto_process_config_t config = usual("", &gate.ends[1], 1);
    config.args_bytes = 0;
    config.name = "a name of thirty-one bytes .. .";
    config.flags = RIALTO_PROCESS_DAEMON;
    EXPECT(rialto_process_start("about", &config, &process), RIALTO_OK);
    end(&process, 0);
    gate_read(&gate, text, sizeof text);
    snprintf(wanted, sizeof wanted, "about|%s||0|1|1|%d", config.name, getpid());
    CHECK(strcmp(text, wanted) == 0);
}

static void what_a_child_has(void)
{
    rialto_process_t process;
    struct gate gate;
    char text[400];
    int stray = dup(2); /* which every program inherits by default */
    gate_make_private(&gate);
    int fds[] = {gate.ends[1], 0, 2};
    rialto_process_config_t config = usual("", fds, 3);
    config.flags = RIALTO_PROCESS_ONLY_FDS;
    EXPECT(rialto_process_start("descriptors", &config, &process), RIALTO_OK);
    end(&process, 0);
    gate_read(&gate, text, sizeof text);
    CHECK(strcmp(text, "0 1 2 3 4 5 6 ") == 0); /* the last one is ours */
    close(stray);

    gate_make_private(&gate);
    start("print", method == RIALTO_PROCESS_FORK ? "1" : "0", &gate, &process);
    end(&process, 0);
    gate_read(&gate, text, sizeof text);
    CHECK(strcmp(text, method == RIALTO_PROCESS_FORK ? "" : "printed") == 0);
}

/* The parent is killed. */
static void daemons(void)
{
    const char *const entry[] = {"dsleep", "dstubborn", "-orphan"};
    for (int i = 0; i < 3; i++) {
        rialto_process_t parent;
        struct gate gate;
        char args[40], text[40];
        gate_make_private(&gate);
        snprintf(args, sizeof args, "%u%s", method, entry[i]);
        uint32_t was = method;
        method = RIALTO_PROCESS_SPAWN;
        start("parent", args, &gate, &parent);
        gate_pass(&gate);
        struct pollfd asked = {gate.ends[0], POLLIN, 0};
        CHECK(poll(&asked, 1, 50) == 0);
        EXPECT(rialto_process_kill(&parent), RIALTO_OK);
        end(&parent, -SIGKILL);
        method = was;
        gate_read(&gate, text, sizeof text); /* until it is gone as well */
        CHECK(strcmp(text, i == 2 ? "?" : "") == 0);
    }
}

static void refusals(void)
{
    rialto_process_t process;
    rialto_process_config_t config;
    static const char long_name[] = "a name of thirty-two bytes .. ..";
    int fds[65] = {0};
    CHECK(strlen(long_name) == 32);
    config = usual("0", NULL, 0);
    EXPECT(rialto_process_start("", &config, &process), RIALTO_EINVAL);
    EXPECT(rialto_process_start(long_name, &config, &process), RIALTO_EINVAL);
    config.name = long_name;
    EXPECT(rialto_process_start("exit", &config, &process), RIALTO_EINVAL);
    config = usual("0", fds, 65);
    EXPECT(rialto_process_start("exit", &config, &process), RIALTO_EINVAL);
    fds[1] = -1;
    config = usual("0", fds, 2);
    EXPECT(rialto_process_start("exit", &config, &process), RIALTO_EINVAL);
    for (int i = 0; i < 5; i++) {
        config = usual("0", NULL, 0);
        switch (i) {
        case 0: config.flags = 4; break;
        case 1: config.method = 3; break;
        case 2: config._reserved_word = 1; break;
        case 3: config._reserved[1] = 1; break;
        case 4: config.fd_count = 1; break;
        }
        EXPECT(rialto_process_start("exit", &config, &process), RIALTO_EINVAL);
    }
    config = usual("0", NULL, 0);
    if (method == RIALTO_PROCESS_SPAWN) {
        EXPECT(rialto_process_start("nobody", &config, &process), RIALTO_OK);
        end(&process, RIALTO_EXIT_NO_ENTRY);
        config.program = "/nowhere/at/all";
        EXPECT(rialto_process_start("exit", &config, &process), RIALTO_ENOENT);
        config.program = "/etc/passwd";
        EXPECT(rialto_process_start("exit", &config, &process), -EACCES);
        const char *const argv[] = {"-c", "exit 9", NULL};
        config.program = "/bin/sh";
        config.argv = argv;
        EXPECT(rialto_process_start("anything", &config, &process), RIALTO_OK);
        end(&process, 9);
    } else {
        EXPECT(rialto_process_start("nobody", &config, &process), RIALTO_ENOENT);
    }
    CHECK(waitpid(-1, NULL, WNOHANG) == (method == RIALTO_PROCESS_FORKSERVER ? 0 : -1));
}

static int forked(const rialto_child_t *child, void *context)
{
    int *seen = context;
    int32_t code;
    rialto_process_t process;
    rialto_process_config_t config;
    CHECK(strcmp(child->entry, "") == 0 && strcmp(child->name, "forked") == 0);
    /* It can start others. */
    config = usual("3", NULL, 0);
    EXPECT(rialto_process_start("exit", &config, &process), RIALTO_OK);
    EXPECT(rialto_process_join(&process, &code), RIALTO_OK);
    EXPECT(rialto_process_close(&process), RIALTO_OK);
    return *seen + code;
}

static void forked_functions(void)
{
    int number = 40;
    rialto_process_t process, other;
    struct gate gate;
    rialto_process_config_t config = usual("", NULL, 0);
    method = RIALTO_PROCESS_SPAWN;
    config.name = "forked";
    EXPECT(rialto_process_fork(forked, &number, &config, &process), RIALTO_OK);
    end(&process, 43);

    /* In a forked child the parent's processes are not its own. */
    gate_make_private(&gate);
    start("sleep", "", &gate, &other);
    gate_pass(&gate);
    pid_t child = spawn();
    if (child == 0) {
        EXPECT(rialto_process_join(&other, NULL), RIALTO_EPERM);
        EXPECT(rialto_process_kill(&other), RIALTO_EPERM);
        EXPECT(rialto_process_close(&other), RIALTO_EPERM);
        EXPECT(rialto_parent_join(), RIALTO_ENOENT); /* started by fork itself */
        exit(0);
    }
    reap(child);
    EXPECT(rialto_process_kill(&other), RIALTO_OK);
    end(&other, -SIGKILL);
    gate_shut(&gate);
}

static void servers(void)
{
    rialto_process_t process;
    rialto_forkserver_t other;
    struct gate gate;
    int32_t pid, code;
    method = RIALTO_PROCESS_FORKSERVER;
    gate_make_private(&gate);
    EXPECT(rialto_forkserver_pid(&server, &pid), RIALTO_OK);
    CHECK(pid > 0 && pid != getpid());
    start("sleep", "", &gate, &process);
    gate_pass(&gate);
    EXPECT(rialto_forkserver_stop(&server), RIALTO_EBUSY);
    EXPECT(rialto_process_kill(&process), RIALTO_OK);
    end(&process, -SIGKILL);
    EXPECT(rialto_forkserver_stop(&server), RIALTO_OK);
    EXPECT(rialto_forkserver_stop(&server), RIALTO_EINVAL);

    EXPECT(rialto_forkserver_start("/nowhere/at/all", NULL, &other), RIALTO_ENOENT);
    EXPECT(rialto_forkserver_start("/bin/true", NULL, &other), RIALTO_ECONNRESET);

    EXPECT(rialto_forkserver_start(NULL, NULL, &server), RIALTO_OK);
    start("sleep", "", &gate, &process);
    gate_pass(&gate);
    EXPECT(rialto_forkserver_pid(&server, &pid), RIALTO_OK);
    CHECK(kill(pid, SIGKILL) == 0);
    rialto_process_config_t config = usual("", NULL, 0);
    rialto_process_t none;
    EXPECT(rialto_process_start("exit", &config, &none), RIALTO_ECONNRESET);
    EXPECT(rialto_process_kill(&process), RIALTO_OK);
    EXPECT(rialto_process_join(&process, &code), RIALTO_OK);
    CHECK(code == RIALTO_EXIT_UNKNOWN);
    EXPECT(rialto_process_close(&process), RIALTO_OK);
    EXPECT(rialto_forkserver_stop(&server), RIALTO_ECONNRESET);
    EXPECT(rialto_forkserver_kill(&server), RIALTO_OK);
    EXPECT(rialto_forkserver_kill(&server), RIALTO_EINVAL);
    gate_shut(&gate);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* Who has not called rialto_process_main would start himself, who has not, and so on. */
static void too_early(void)
{
    rialto_process_config_t config;
    rialto_process_t process;
    EXPECT(rialto_process_config_default(&config), RIALTO_OK);
    EXPECT(rialto_process_start("exit", &config, &process), RIALTO_ENOENT);
    config.method = RIALTO_PROCESS_FORK;
    EXPECT(rialto_process_start("exit", &config, &process), RIALTO_ENOENT);
    EXPECT(rialto_forkserver_start(NULL, NULL, &server), RIALTO_ENOENT);
}

int main(void)
{
    if (getenv("RIALTO_CHILD") == NULL)
        too_early();
    EXPECT(rialto_process_main(entries, ENTRIES), RIALTO_OK);
    signal(SIGPIPE, SIG_IGN);
    watchdog();
    EXPECT(rialto_process_main(entries, ENTRIES), RIALTO_OK); /* again, with the same */
    EXPECT(rialto_process_main(entries, 1), RIALTO_EEXIST);
    static const rialto_entry_t bad[] = {{"", run_exit, NULL}, {"x", NULL, NULL}, {NULL, run_exit, NULL}};
    for (int i = 0; i < 3; i++)
        EXPECT(rialto_process_main(bad + i, 1), RIALTO_EINVAL);
    rialto_current_t me;
    int32_t parent;
    EXPECT(rialto_process_current(&me), RIALTO_OK);
    CHECK(strcmp(me.name, "MainProcess") == 0 && me.pid == getpid() && me.flags == 0);
    EXPECT(rialto_parent_pid(&parent), RIALTO_ENOENT);

    for (method = 0; method < 3; method++) {
        if (method == RIALTO_PROCESS_FORKSERVER)
            EXPECT(rialto_forkserver_start(NULL, NULL, &server), RIALTO_OK);
        join_and_exit_code();
        timeout_signals_and_sentinel();
        what_a_child_is_told();
        what_a_child_has();
        daemons();
        refusals();
    }
    method = RIALTO_PROCESS_SPAWN;
    forked_functions();
    servers();
    puts("process: spawn, fork, fork server, daemons, every status: ok");
    return 0;
}
