/* A fork server: it waits, and copies its process for whoever asks. Plain C, so that it can be tried without Node. */
#ifndef SHOAL_FORK_SERVER_H
#define SHOAL_FORK_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a child is given, in this order. Without a third one its stdout is the server's own. */
enum { FD_CHANNEL, FD_STDERR, FD_STDOUT, FDS_MAX };

/* An order on the control socket; the descriptors travel beside it. Without any it is a question: whether the server lives. */
struct order {
  uint32_t id;
};

/* News on the control socket. Every field has 32 bits, so that its reader needs to know no layout but this list. */
enum { NEWS_FORKED = 1, NEWS_FAILED = 2, NEWS_EXITED = 3 };
struct news {
  uint32_t kind;
  uint32_t id;     /* of the order; 0 in NEWS_EXITED */
  uint32_t pid;    /* 0 in NEWS_FAILED */
  uint32_t status; /* NEWS_EXITED: as waitpid has it; NEWS_FAILED: errno, EBADF in the answer to a question,
                      ESTALE where a watched file has changed */
};

/* Where serve() has returned: a child, or the server itself if it could not begin. */
struct copy {
  uint32_t id;
  pid_t pid;
  int error; /* errno of what failed; 0 in a child */
};

/* A connected pair of stream sockets, closed on exec. Returns 0, or -1 with errno. */
int make_pair(int pair[2]);

/*
 * Asks for a child, or without descriptors for an answer alone. Returns 0, or -1 with errno: EAGAIN where the server is
 * behind with its orders.
 */
int send_order(int control, uint32_t id, const int *fds, size_t count);

/*
 * From now on no copy is made once what lies at this path is another file, another state of it, or gone or there where it
 * was not: the server has read it for its copies. Of a folder, only which one it is. Returns 0, or -1 with errno.
 */
int watch_file(const char *path);

/*
 * A copy that tries something and ends: returns 0 in it, and in the caller, which waits for it, 1 where it has ended with
 * exit code 0, 2 where not, or within `seconds` not at all; -1 with errno where there is none.
 */
int try_in_copy(unsigned seconds);

/* Serves orders until `control` is closed; ends its children then, and the process after them. Returns in each child. */
struct copy serve(int control);

#endif
