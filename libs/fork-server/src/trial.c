/*
 * A pool in plain C, for the tools that find what a reader overlooks: `cc -fsanitize=address server.c trial.c`, valgrind.
 * It asks a server for children that answer on their channel and end by themselves, by a signal or not at all, and
 * checks what it is told of each. Prints a line and ends with 0, or says what was wrong and ends with 1.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server.h"

enum { CHILDREN = 40 };

static void check(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "trial: %s (errno %d)\n", what, errno);
  exit(1);
}

/* A child: says its number on its channel, its stdout and its stderr, and ends as the number says. */
static _Noreturn void be_child(uint32_t id) {
  pid_t pid = getpid();
  check(write(3, &pid, sizeof pid) == sizeof pid, "a child cannot write to its channel");
  check(write(1, "o", 1) == 1 && write(2, "e", 1) == 1, "a child cannot print");
  check(fcntl(3, F_GETFD) == FD_CLOEXEC, "what a child starts would inherit its channel");
  check(getsid(0) == pid && getpgid(0) == pid, "a child leads no session");
  if (id % 3 == 0) _exit((int)id);
  if (id % 3 == 1) raise(SIGKILL);
  for (;;) pause();
}

static int descriptors_of(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  DIR *folder = opendir(path);
  check(folder != NULL, "the server is gone");
  int count = 0;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static struct news next_news(int control) {
  struct news news;
  check(recv(control, &news, sizeof news, MSG_WAITALL) == (ssize_t)sizeof news, "the server says nothing more");
  return news;
}

static void order_child(int control, uint32_t id, int ends[FDS_MAX]) {
  int theirs[FDS_MAX];
  for (int i = 0; i < FDS_MAX; i++) {
    int pair[2];
    check(make_pair(pair) == 0, "no pair");
    ends[i] = pair[0];
    theirs[i] = pair[1];
  }
  check(send_order(control, id, theirs, FDS_MAX) == 0, "an order is not taken");
  for (int i = 0; i < FDS_MAX; i++) close(theirs[i]);
}

static void try_child(int control, uint32_t id) {
  int ends[FDS_MAX];
  order_child(control, id, ends);
  struct news forked = next_news(control);
  check(forked.kind == NEWS_FORKED && forked.id == id, "it was not forked");
  pid_t said;
  char letter;
  check(recv(ends[FD_CHANNEL], &said, sizeof said, MSG_WAITALL) == sizeof said, "it says nothing");
  check((uint32_t)said == forked.pid, "it is somebody else");
  check(read(ends[FD_STDOUT], &letter, 1) == 1 && letter == 'o', "its stdout is elsewhere");
  check(read(ends[FD_STDERR], &letter, 1) == 1 && letter == 'e', "its stderr is elsewhere");
  if (id % 3 == 2) check(kill(-said, SIGTERM) == 0, "it leads no group");
  struct news exited = next_news(control);
  int status = (int)exited.status;
  check(exited.kind == NEWS_EXITED && exited.pid == forked.pid, "its end is not told");
  if (id % 3 == 0) check(WIFEXITED(status) && WEXITSTATUS(status) == (int)id, "its exit code is another");
  if (id % 3 == 1) check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "its signal is another");
  if (id % 3 == 2) check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "its signal is another");
  for (int i = 0; i < FDS_MAX; i++) close(ends[i]);
}

/* A watched file that is not there any more: no child, and the same for one that is there again but another. */
static void try_outdated(void) {
  char path[] = "/tmp/shoal-trial-XXXXXX";
  int fd = mkstemp(path), control[2], ends[FDS_MAX];
  check(fd >= 0 && close(fd) == 0 && make_pair(control) == 0, "nothing to be watched");
  pid_t server = fork();
  if (server == 0) {
    check(dup2(control[1], 3) == 3 || control[1] == 3, "no control");
    if (control[0] != 3) close(control[0]);
    if (control[1] != 3) close(control[1]);
    check(watch_file(path) == 0 && watch_file("/tmp") == 0 && watch_file("/nowhere/at/all") == 0, "it is not watched");
    struct copy copy = serve(3);
    check(copy.error == 0, "the server does not begin");
    _exit(0);
  }
  close(control[1]);
  for (uint32_t id = 1; id <= 3; id++) {
    if (id == 2) check(unlink(path) == 0, "it cannot be removed");
    if (id == 3) check((fd = open(path, O_CREAT | O_WRONLY, 0600)) >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "it cannot be made");
    order_child(control[0], id, ends);
    struct news news = next_news(control[0]);
    if (id == 1) check(news.kind == NEWS_FORKED && next_news(control[0]).kind == NEWS_EXITED, "it was not forked");
    else check(news.kind == NEWS_FAILED && news.id == id && news.status == ESTALE, "a child has what is not there any more");
    for (int i = 0; i < FDS_MAX; i++) close(ends[i]);
  }
  close(control[0]);
  check(waitpid(server, NULL, 0) == server && unlink(path) == 0, "the server is left");
}

/* What a copy tries has no consequences but its exit code, and it ends in any case. */
static void try_trying(void) {
  for (int code = 0; code < 2; code++) {
    int result = try_in_copy(100);
    if (result == 0) _exit(code);
    check(result == (code == 0 ? 1 : 2), "how it ended is another way");
  }
  int result = try_in_copy(1);
  if (result == 0) for (;;) pause();
  check(result == 2, "what hangs is as good as what ends");
}

int main(void) {
  try_outdated();
  try_trying();
  int control[2];
  check(make_pair(control) == 0, "no pair");
  pid_t server = fork();
  if (server == 0) {
    check(dup2(control[1], 3) == 3 || control[1] == 3, "no control");
    if (control[0] != 3) close(control[0]);
    if (control[1] != 3) close(control[1]);
    struct copy copy = serve(3);
    check(copy.error == 0, "the server does not begin");
    check(copy.pid == getpid(), "a child does not know itself");
    be_child(copy.id);
  }
  close(control[1]);
  int none = -1;
  check(send_order(control[0], 7, NULL, 0) == 0, "a question is not taken");
  struct news answer = next_news(control[0]);
  check(answer.kind == NEWS_FAILED && answer.id == 7 && answer.status == EBADF, "a question is not answered");
  check(send_order(control[0], 1, &none, 1) < 0 && errno == EBADF, "an order with a closed descriptor is taken");
  try_child(control[0], 1);
  int descriptors = descriptors_of(server);
  for (uint32_t id = 2; id <= CHILDREN; id++) try_child(control[0], id);
  check(descriptors_of(server) == descriptors, "the server keeps descriptors of its children");

  /* Too few descriptors: no child, and the server lives on. */
  int pair[2];
  check(make_pair(pair) == 0 && send_order(control[0], 99, pair, 1) == 0, "no order");
  check(next_news(control[0]).kind == NEWS_FAILED, "a child was made of one descriptor");
  close(pair[0]);
  close(pair[1]);

  /* When the control socket is closed, server and children die: their ends are read to the end. */
  int ends[FDS_MAX];
  order_child(control[0], 2, ends);
  check(next_news(control[0]).kind == NEWS_FORKED, "it was not forked");
  pid_t said;
  check(recv(ends[FD_CHANNEL], &said, sizeof said, MSG_WAITALL) == sizeof said, "it says nothing");
  close(control[0]);
  check(recv(ends[FD_CHANNEL], &said, sizeof said, MSG_WAITALL) == 0, "a child outlives its server");
  int status;
  check(waitpid(server, &status, 0) == server && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server is left");
  for (int i = 0; i < FDS_MAX; i++) close(ends[i]);
  printf("%d children, each as it should be\n", CHILDREN);
  return 0;
}
