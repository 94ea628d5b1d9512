/* What JavaScript sees of the fork server. Node-API and one function of libuv: the same file serves every Node. */
#define _GNU_SOURCE
#include <node_api.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "server.h"

/* libuv's, exported by Node: makes the event loop of a copied process its own. */
struct uv_loop_s;
extern int uv_loop_fork(struct uv_loop_s *);

static napi_value fail(napi_env env, const char *what, int error) {
  napi_value code, message, thrown;
  napi_create_string_utf8(env, what, NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, strerror(error), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &thrown);
  napi_throw(env, thrown);
  return NULL;
}

/* Objects with names would cost each copy, which begins with this, as much as the rest of it. */
static napi_value list_of(napi_env env, const int64_t *numbers, uint32_t count) {
  napi_value list;
  napi_create_array_with_length(env, count, &list);
  for (uint32_t i = 0; i < count; i++) {
    napi_value number;
    napi_create_int64(env, numbers[i], &number);
    napi_set_element(env, list, i, number);
  }
  return list;
}

/* makePair(): [number, number] */
static napi_value make_pair_js(napi_env env, napi_callback_info info) {
  (void)info;
  int pair[2];
  if (make_pair(pair) < 0) return fail(env, "socketpair", errno);
  return list_of(env, (const int64_t[]){pair[0], pair[1]}, 2);
}

/* closeEnds(fds): in a worker thread Node complains where fs closes what it has not opened */
static napi_value close_ends_js(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  uint32_t count;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_array_length(env, argv[0], &count) != napi_ok) {
    return fail(env, "closeEnds", EINVAL);
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    int32_t fd;
    napi_get_element(env, argv[0], i, &element);
    if (napi_get_value_int32(env, element, &fd) != napi_ok) return fail(env, "closeEnds", EINVAL);
    if (close(fd) < 0 && errno != EINTR) return fail(env, "closeEnds", errno);
  }
  return NULL;
}

/*
 * sendOrder(control, id, fds): false where the server is behind with its orders, to be tried again later. Without
 * descriptors it is a question, which is answered as an order that failed.
 */
static napi_value send_order_js(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3], sent;
  int32_t control;
  uint32_t id, count;
  int fds[FDS_MAX];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 3 ||
      napi_get_value_int32(env, argv[0], &control) != napi_ok || napi_get_value_uint32(env, argv[1], &id) != napi_ok ||
      napi_get_array_length(env, argv[2], &count) != napi_ok || count > FDS_MAX) {
    return fail(env, "sendOrder", EINVAL);
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, argv[2], i, &element);
    if (napi_get_value_int32(env, element, &fds[i]) != napi_ok) return fail(env, "sendOrder", EINVAL);
  }
  int result = send_order(control, id, fds, count);
  /* ETOOMANYREFS: too many descriptors are on their way at once. */
  if (result < 0 && errno != EAGAIN && errno != ETOOMANYREFS) return fail(env, "sendOrder", errno);
  napi_get_boolean(env, result == 0, &sent);
  return sent;
}

/* Whether this process is a child, which ends in another way than its server. */
static int is_copy = 0;

/* Of a child whose event loop has run empty. */
static int exit_code = 0;

/*
 * The way in which Node ends takes its threads down, and a copy has none: it would wait for ever for threads that were
 * waiting when it was made (pthread_cond_destroy).
 */
static _Noreturn void exit_now(int code) {
  /* What native code has printed and not written yet. */
  fflush(NULL);
  _exit(code);
}

static void on_environment_end(void *unused) {
  (void)unused;
  if (is_copy) exit_now(exit_code);
}

#ifdef __GLIBC__
/* Others wait for no thread in exit(). */
static void on_native_exit(int code, void *unused) {
  (void)unused;
  if (is_copy) exit_now(code);
}
#endif

/* endCopies(): to be called before everybody else's code is loaded, for what is registered last is called first */
static napi_value end_copies_js(napi_env env, napi_callback_info info) {
  (void)info;
  if (napi_add_env_cleanup_hook(env, on_environment_end, NULL) != napi_ok) return fail(env, "endCopies", EINVAL);
#ifdef __GLIBC__
  if (on_exit(on_native_exit, NULL) != 0) return fail(env, "endCopies", ENOMEM);
#endif
  return NULL;
}

/* setExitCode(code) */
static napi_value set_exit_code_js(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_value_int32(env, argv[0], &exit_code) != napi_ok) {
    return fail(env, "setExitCode", EINVAL);
  }
  return NULL;
}

/* Makes the event loop of a copy its own. Returns 0, or an error as errno has it. */
static int go_on_as_copy(struct uv_loop_s *loop) {
  is_copy = 1;
  /* Only now, with its descriptors in place: it opens new ones. */
  return -uv_loop_fork(loop);
}

/* watchFile(path): from now on no copy is made where it has changed */
static napi_value watch_file_js(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value argv[1];
  char path[4096];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_value_string_utf8(env, argv[0], path, sizeof path, &length) != napi_ok) {
    return fail(env, "watchFile", EINVAL);
  }
  if (length + 1 == sizeof path) return fail(env, "watchFile", ENAMETOOLONG);
  if (watch_file(path) < 0) return fail(env, "watchFile", errno);
  return NULL;
}

/* tryInCopy(seconds): undefined in a copy; in this process, once that has ended, whether it has done so with exit code 0 */
static napi_value try_in_copy_js(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1], is_done;
  uint32_t seconds;
  struct uv_loop_s *loop;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_value_uint32(env, argv[0], &seconds) != napi_ok || napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return fail(env, "tryInCopy", EINVAL);
  }
  fflush(NULL);
  int result = try_in_copy(seconds);
  if (result < 0) return fail(env, "tryInCopy", errno);
  if (result == 0) {
    if (go_on_as_copy(loop) != 0) exit_now(125);
    return NULL;
  }
  napi_get_boolean(env, result == 1, &is_done);
  return is_done;
}

/* serve(control): [id, pid, and four words of a seed], in each child; in the server it never returns */
static napi_value serve_js(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  int32_t control;
  struct uv_loop_s *loop;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_value_int32(env, argv[0], &control) != napi_ok || napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return fail(env, "serve", EINVAL);
  }
  /* What native code has printed in the server, each copy would print again. */
  fflush(NULL);
  struct copy copy = serve(control);
  if (copy.error != 0) return fail(env, "serve", copy.error);
  int error = go_on_as_copy(loop);
  if (error != 0) return fail(env, "uv_loop_fork", error);
  /* Copies would all draw the same numbers: each is to begin with a seed of its own. */
  uint32_t seed[4];
  if (getrandom(seed, sizeof seed, 0) != sizeof seed) return fail(env, "getrandom", errno);
  return list_of(env, (const int64_t[]){copy.id, copy.pid, seed[0], seed[1], seed[2], seed[3]}, 6);
}

/* exitNow(code): ends a child. */
static napi_value exit_now_js(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  int32_t code = 1;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == napi_ok && argc == 1) {
    napi_get_value_int32(env, argv[0], &code);
  }
  exit_now(code);
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "makePair", .method = make_pair_js, .attributes = napi_enumerable},
      {.utf8name = "closeEnds", .method = close_ends_js, .attributes = napi_enumerable},
      {.utf8name = "sendOrder", .method = send_order_js, .attributes = napi_enumerable},
      {.utf8name = "endCopies", .method = end_copies_js, .attributes = napi_enumerable},
      {.utf8name = "setExitCode", .method = set_exit_code_js, .attributes = napi_enumerable},
      {.utf8name = "exitNow", .method = exit_now_js, .attributes = napi_enumerable},
      {.utf8name = "serve", .method = serve_js, .attributes = napi_enumerable},
      {.utf8name = "watchFile", .method = watch_file_js, .attributes = napi_enumerable},
      {.utf8name = "tryInCopy", .method = try_in_copy_js, .attributes = napi_enumerable},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
