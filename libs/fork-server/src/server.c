/*
 * The life of a fork server, told in order: mappings are made to be copied, orders come in, children are made, their
 * ends are told, and when the other end of `control` is closed, however that came, everybody dies.
 *
 * The process that calls serve() must have nothing that a copy would lack: fork() copies the calling thread alone.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptor of a child on which it hears from its pool. */
enum { CHANNEL = 3 };

/* Written to by the signal handler, which can be given no argument. */
static int child_ended = -1;

/* Who lives, in no order: the last one takes the place of whoever goes. */
static struct {
  pid_t *pids;
  size_t count;
  size_t room;
} living;

/* What was read for all copies, as it was then. */
static struct {
  struct watched {
    char *path;
    int error; /* of stat(): what is not there is watched too */
    struct stat was;
  } *files;
  size_t count;
  size_t room;
} watching;

/* Before a child is made, so that it can be remembered. Returns 0, or -1 with errno. */
static int make_room(void) {
  if (living.count < living.room) return 0;
  size_t room = living.room == 0 ? 64 : 2 * living.room;
  pid_t *pids = realloc(living.pids, room * sizeof *pids);
  if (pids == NULL) return -1;
  living.pids = pids;
  living.room = room;
  return 0;
}

static void forget(pid_t pid) {
  for (size_t i = 0; i < living.count; i++) {
    if (living.pids[i] != pid) continue;
    living.pids[i] = living.pids[--living.count];
    return;
  }
}

/*
 * The children would die with us (PR_SET_PDEATHSIG), but not what they have started. And they are gone before we are: who
 * waits for our end has waited for theirs, also of one that nobody has been told of.
 */
static _Noreturn void end_all(void) {
  for (size_t i = 0; i < living.count; i++) {
    /* A moment after it was made it leads no group yet. */
    (void)kill(living.pids[i], SIGKILL);
    (void)kill(-living.pids[i], SIGKILL);
  }
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
  }
  _exit(0);
}

int make_pair(int pair[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair); }

int send_order(int control, uint32_t id, const int *fds, size_t count) {
  struct order order = {.id = id};
  struct iovec data = {.iov_base = &order, .iov_len = sizeof order};
  union {
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct cmsghdr align;
  } rights;
  if (count > FDS_MAX) {
    errno = EINVAL;
    return -1;
  }
  memset(&rights, 0, sizeof rights);
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = rights.bytes;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(control, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  /* Four bytes are never sent in part. */
  return sent < 0 ? -1 : 0;
}

/*
 * V8 marks its private mappings MADV_DONTFORK, so that starting a program is cheap. A copy that goes on running
 * JavaScript would die at its first touch of the heap.
 */
static int let_mappings_fork(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return -1;
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, maps) > 0) {
    unsigned long from, to;
    /* [vvar], [vdso] and [vsyscall] are the kernel's, and are copied in any case. */
    if (sscanf(line, "%lx-%lx", &from, &to) != 2 || strstr(line, "[v") != NULL) continue;
    /* What has been unmapped meanwhile, or may not be marked, has no need to be. */
    (void)madvise((void *)from, to - from, MADV_DOFORK);
  }
  free(line);
  fclose(maps);
  return 0;
}

int watch_file(const char *path) {
  if (watching.count == watching.room) {
    size_t room = watching.room == 0 ? 64 : 2 * watching.room;
    struct watched *files = realloc(watching.files, room * sizeof *files);
    if (files == NULL) return -1;
    watching.files = files;
    watching.room = room;
  }
  struct watched *file = &watching.files[watching.count];
  file->path = strdup(path);
  if (file->path == NULL) return -1;
  file->error = stat(path, &file->was) < 0 ? errno : 0;
  watching.count++;
  return 0;
}

static int is_same_time(struct timespec a, struct timespec b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static int has_changed(const struct watched *file) {
  const struct stat *was = &file->was;
  struct stat is;
  int error = stat(file->path, &is) < 0 ? errno : 0;
  if (error != file->error) return 1;
  if (error != 0) return 0;
  if (is.st_dev != was->st_dev || is.st_ino != was->st_ino) return 1;
  /* What else lies in a folder is nobody's concern. */
  if (S_ISDIR(is.st_mode)) return 0;
  return is.st_size != was->st_size || !is_same_time(is.st_mtim, was->st_mtim) ||
         !is_same_time(is.st_ctim, was->st_ctim);
}

static int is_outdated(void) {
  for (size_t i = 0; i < watching.count; i++) {
    if (has_changed(&watching.files[i])) return 1;
  }
  return 0;
}

int try_in_copy(unsigned seconds) {
  if (let_mappings_fork() < 0) return -1;
  pid_t server = getpid();
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != server) _exit(125);
    /* What it hangs in ends with it. */
    alarm(seconds);
    return 0;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 2;
}

/* Any thread may be given the signal, hence a handler and no signalfd: that would wait for a thread that blocks it. */
static void on_child_ended(int signal_number) {
  (void)signal_number;
  int before = errno;
  uint64_t one = 1;
  if (write(child_ended, &one, sizeof one) < 0) { /* The counter is full: the server will look in any case. */
  }
  errno = before;
}

static void tell(int control, struct news news) {
  const char *rest = (const char *)&news;
  size_t left = sizeof news;
  while (left > 0) {
    ssize_t written = send(control, rest, left, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) end_all();
    rest += written;
    left -= (size_t)written;
  }
}

/*
 * Tells the end of each child that is gone. Its group is killed while its number is still taken: a moment later both
 * may be somebody else's.
 */
static void reap(int control) {
  for (;;) {
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
      if (errno == EINTR) continue;
      return; /* ECHILD: there is none. */
    }
    if (info.si_pid == 0) return;
    (void)kill(-info.si_pid, SIGKILL);
    int status = 0;
    if (waitpid(info.si_pid, &status, 0) != info.si_pid) continue;
    forget(info.si_pid);
    tell(control, (struct news){.kind = NEWS_EXITED, .pid = (uint32_t)info.si_pid, .status = (uint32_t)status});
  }
}

/* Takes one order. Returns how many descriptors came with it, or -1 where there will be no further order. */
static int take_order(int control, struct order *order, int fds[FDS_MAX]) {
  struct iovec data = {.iov_base = order, .iov_len = sizeof *order};
  union {
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct cmsghdr align;
  } rights;
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes};
  ssize_t got;
  do {
    got = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got != (ssize_t)sizeof *order) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return 0;
  size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(fds, CMSG_DATA(header), count * sizeof(int));
  return (int)count;
}

/* What the copy of the server has to do before it is a child. It has no way to tell of an error but its exit code. */
static void become_child(pid_t server, const int *fds, int count, const struct sigaction *before) {
  /* It dies with the server. One that was gone before this line has left it to somebody else. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != server) _exit(125);
  /* A group and session of its own, as a spawned child has: a kill reaches what its task has started. */
  if (setsid() < 0) _exit(125);
  sigaction(SIGCHLD, before, NULL);
  close(child_ended);
  if (count > FD_STDOUT && dup2(fds[FD_STDOUT], STDOUT_FILENO) < 0) _exit(125);
  if (dup2(fds[FD_STDERR], STDERR_FILENO) < 0) _exit(125);
  /* In the place of the control socket, which no child may have. */
  if (dup3(fds[FD_CHANNEL], CHANNEL, O_CLOEXEC) < 0) _exit(125);
  /* As whoever has opened it before the copy was made wants it. */
  int flags = fcntl(CHANNEL, F_GETFL);
  if (flags < 0 || fcntl(CHANNEL, F_SETFL, flags | O_NONBLOCK) < 0) _exit(125);
  for (int i = 0; i < count; i++) close(fds[i]);
}

/* Carries out one order. Returns true in the child that it made. */
static int carry_out(int control, const struct sigaction *before, struct copy *copy) {
  struct order order;
  int fds[FDS_MAX];
  pid_t server = getpid();
  int count = take_order(control, &order, fds);
  if (count < 0) end_all();
  int error = count > FD_STDERR ? 0 : EBADF;
  if (error == 0 && make_room() < 0) error = errno;
  if (error == 0 && is_outdated()) error = ESTALE;
  pid_t pid = error == 0 ? fork() : -1;
  if (pid < 0 && error == 0) error = errno;
  if (pid == 0) {
    become_child(server, fds, count, before);
    copy->id = order.id;
    copy->pid = getpid();
    return 1;
  }
  for (int i = 0; i < count; i++) close(fds[i]);
  if (pid > 0) living.pids[living.count++] = pid;
  tell(control, pid < 0 ? (struct news){.kind = NEWS_FAILED, .id = order.id, .status = (uint32_t)error}
                        : (struct news){.kind = NEWS_FORKED, .id = order.id, .pid = (uint32_t)pid});
  return 0;
}

struct copy serve(int control) {
  struct copy copy = {.id = 0};
  struct sigaction action = {.sa_handler = on_child_ended, .sa_flags = SA_RESTART | SA_NOCLDSTOP}, before;
  sigemptyset(&action.sa_mask);
  child_ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  /* Node has made it non-blocking; here is nothing else to wait for. */
  int flags = fcntl(control, F_GETFL);
  if (child_ended < 0 || flags < 0 || control != CHANNEL || fcntl(control, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
      let_mappings_fork() < 0 || sigaction(SIGCHLD, &action, &before) < 0) {
    copy.error = errno == 0 ? EINVAL : errno;
    return copy;
  }
  for (;;) {
    struct pollfd sources[] = {{.fd = control, .events = POLLIN}, {.fd = child_ended, .events = POLLIN}};
    if (poll(sources, 2, -1) < 0) {
      if (errno == EINTR) continue;
      _exit(1);
    }
    if (sources[1].revents != 0) {
      uint64_t ended;
      if (read(child_ended, &ended, sizeof ended) > 0) reap(control);
    }
    if (sources[0].revents != 0 && carry_out(control, &before, &copy)) return copy;
  }
}
