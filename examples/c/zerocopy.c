/* Large frames between two processes without a copy: written where they are read.
 *
 *   gcc -O2 zerocopy.c $(pkg-config --cflags --libs rialto) -o zerocopy
 *   ./zerocopy
 *
 * The queue is an indexed one (RIALTO_QUEUE_INDEXED): its frames lie in blocks that are lent in any order and
 * for as long as you like. Here the display keeps its first frame to the end, and nobody waits for it. In a
 * ring, a loan that others overtake is copied when it is committed. */
#define _POSIX_C_SOURCE 200809L
#include <rialto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAME_BYTES = 4 << 20, SLOTS = 4, FRAMES = 100 };

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "zerocopy: %s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

/* A camera. If it dies in here, a frame that it had not committed was never sent, and its room is free. */
static void camera(const rialto_queue_t *frames)
{
    for (int i = 0; i < FRAMES; i++) {
        rialto_reserved_t frame;
        void *pixels;
        must(rialto_queue_reserve(frames, FRAME_BYTES, &frame), "reserve");
        must(rialto_reserved_bytes(&frame, &pixels, NULL), "bytes");
        memset(pixels, i, FRAME_BYTES);
        if (i % 10 == 9) { /* out of focus: not sent */
            must(rialto_reserved_abort(&frame), "abort");
            continue;
        }
        must(rialto_reserved_commit(&frame), "commit");
    }
    must(rialto_queue_close(frames), "close");
}

/* The number that all bytes of a frame are. */
static int look(const rialto_peeked_t *frame)
{
    const void *bytes;
    size_t length;
    must(rialto_peeked_bytes(frame, &bytes, &length), "bytes");
    const unsigned char *pixels = bytes;
    if (length != FRAME_BYTES || memcmp(pixels, pixels + 1, length - 1) != 0)
        return -1;
    return pixels[0];
}

int main(void)
{
    rialto_region_t region;
    rialto_region_config_t region_config;
    rialto_queue_t frames;
    rialto_queue_config_t config;
    rialto_peeked_t first, frame;
    uint64_t start, end;

    must(rialto_region_config_default(&region_config), "region config");
    must(rialto_queue_config_default(SLOTS, FRAME_BYTES, &config), "queue config");
    config.kind = RIALTO_QUEUE_INDEXED;
    /* A little more than the frames: headers, the directory, the members. */
    must(rialto_region_create_memfd(&region, SLOTS * (size_t)FRAME_BYTES + (1 << 16), &region_config), "region");
    must(rialto_queue_create(&region, "frames", &config, &frames), "queue");

    pid_t child = fork(); /* it has our mapping and our views; another program would attach and open */
    if (child == 0) {
        camera(&frames);
        _exit(0);
    }
    if (child < 0)
        return 1;

    must(rialto_now_ns(&start), "clock");
    must(rialto_queue_peek(&frames, &first), "first frame");
    int status, shown = 1, wrong = look(&first) != 0, expected = 1;
    while ((status = rialto_queue_peek(&frames, &frame)) >= 0) {
        expected += expected % 10 == 9;
        wrong += look(&frame) != expected++;
        shown++;
        must(rialto_peeked_release(&frame), "release");
    }
    if (status != RIALTO_EPIPE)
        must(status, "peek");
    wrong += look(&first) != 0; /* in our hand all the time */
    must(rialto_peeked_release(&first), "release");
    must(rialto_now_ns(&end), "clock");

    int how;
    if (waitpid(child, &how, 0) != child || how != 0)
        return 1;
    printf("%d frames of %d bytes, %d wrong, %.1f GB/s written and read in place\n", shown, FRAME_BYTES, wrong,
           (double)shown * FRAME_BYTES / (double)(end - start));
    must(rialto_region_detach(&region), "detach");
    return wrong != 0 || shown != FRAMES - FRAMES / 10;
}
