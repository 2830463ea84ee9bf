// Readiness of descriptors, and the socket calls that go with it, for one JavaScript thread.
//
// A set of descriptors (epoll, or kqueue on macOS) is itself watched by libuv through one uv_poll_t. When the set is
// ready, at most 64 events are fetched, and enter JavaScript through napi_make_callback: one by one, or a few at a time
// where their sinks would begin with a read, which has been done for them by then. Either way ticks, promises and
// exceptions of one sink have come before the next one is called. What is not fetched stays ready in the set.
//
//     kernel ──> set ──> uv_poll_t ──> on_ready ─┬─────────────> dispatch(slot << 6 | events) ──> sinks[slot].onEvents()
//                                                └─ read ahead ──> dispatch(-count) ──> src/read-ahead.ts ──┘
//
// All state hangs off one Poller, which is per environment (a worker has its own); there is no file-level variable.
// A registration is a slot of 16 bytes; its name, the handle, is generation * 2^24 + slot. The same number is the
// kernel's user data, so an event of a closed descriptor is recognised even when its number was given out again.
//
// Every call returns a count or -errno. It throws TypeError or RangeError for arguments of the wrong type or range.
// No pointer into memory that users of the poller can reach is kept after a call has returned.
#if defined(__linux__)
#define _GNU_SOURCE
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif
#define NAPI_VERSION 8

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <uchar.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#else
#error "poller.c knows Linux and macOS"
#endif

// ── libuv, declared by hand: one binary serves every Node ──

typedef struct uv_loop_s uv_loop_t;
typedef struct uv_handle_s uv_handle_t;
typedef void (*uv_poll_cb)(uv_handle_t *handle, int status, int events);
typedef void (*uv_close_cb)(uv_handle_t *handle);
extern size_t uv_handle_size(int type);
extern const char *uv_handle_type_name(int type);
extern void *uv_handle_get_data(const uv_handle_t *handle);
extern void uv_handle_set_data(uv_handle_t *handle, void *data);
extern int uv_poll_init(uv_loop_t *loop, uv_handle_t *handle, int fd);
extern int uv_poll_start(uv_handle_t *handle, int events, uv_poll_cb cb);
extern int uv_poll_stop(uv_handle_t *handle);
extern void uv_close(uv_handle_t *handle, uv_close_cb cb);
extern void uv_ref(uv_handle_t *handle);
extern void uv_unref(uv_handle_t *handle);
enum { UV_POLL_TYPE = 8, UV_READABLE_EVENT = 1 };

// ── Constants and state ──

enum { READ = 1, WRITE = 4, ERROR = 0x18, HANGUP = 0x20 }; // as in src/types.ts
enum { BATCH = 64 };                                       // events per turn: neighbours on net must not wait longer
enum { SCRATCH = 65536 };                                  // strings of one writev are copied here, latin1
enum { WIDE = 16384 + 2 };                                 // one string, with one character too many and a terminator
enum { DIRECT = 4 };                                       // chunks passed as arguments of their own
enum { IOV = 64 };                                         // chunks of one sendmsg
enum { SENDFILE_MAX = 256 * 1024 };                        // a cold page blocks the thread
enum { EVENT_BITS = 6 };                                   // room for the four above, beside a slot in 30 bits
enum { SLOT_BITS = 24 };
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)
#define GENERATIONS (UINT32_C(1) << 29) // handles stay below 2^53
#define NO_SLOT UINT32_MAX
#define WAKE_DATA UINT64_MAX

// What is shared with src/read-ahead.ts, in an Int32Array: which of the events that are delivered together is next, and
// for each of them where to read to, its slot and events, and what came of the read.
enum { LANES = 8, AHEAD_NEXT = 0, AHEAD_AT = 1, AHEAD_PACKED = AHEAD_AT + LANES, AHEAD_RECEIVED = AHEAD_PACKED + LANES,
       AHEAD_WORDS = AHEAD_RECEIVED + LANES };
#define NOT_READ INT32_MIN

enum { F_EDGE = 1, F_REF = 2, F_QUEUED = 4, F_ORPHAN = 8, F_LIVE = 16 };

typedef struct {
  int32_t fd;          // -1 once the descriptor is known to be somebody else's
  uint32_t generation; // counts up when the slot is given back
  uint32_t next;       // free list
  uint8_t mask;        // what is in the kernel's set; 0: not in the set
  uint8_t flags;
} Slot;

_Static_assert(sizeof(Slot) == 16, "an idle connection costs 16 bytes here");

// Who has a descriptor number: slot + 1, and whether it was made here (and thus dies with the environment).
typedef uint32_t Owner;
#define OWNER_MADE (UINT32_C(1) << 31)
#define OWNER_SLOT (OWNER_MADE - 1)

typedef struct {
  uint64_t data;
  uint32_t events;
} Ready;

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un un;
  struct sockaddr_storage room;
} Address;

// Private to src/read-ahead.ts and to us, so that these two pointers may be kept; a buffer is looked up at each read.
typedef struct {
  napi_ref owners[2]; // what the pointers point into
  int32_t *words;     // NULL until somebody reads ahead
  const uint32_t *allowed; // by slot: the generation + 1 of the registration
  size_t slots;
  size_t size; // of one read
  uint32_t lanes; // in use
  napi_ref buffers[LANES];
} Ahead;

typedef struct {
  napi_env env;
  uv_loop_t *loop;
  uv_handle_t *poll;
  napi_async_cleanup_hook_handle hook;
  napi_ref dispatch;
  napi_ref resource;
  napi_async_context context;
  Slot *slots;
  uint32_t capacity, used, free, size, refs;
  Owner *owners;
  uint32_t owner_capacity;
  uint64_t *queue; // ring of handles to be woken; capacity is a power of two
  uint32_t queue_capacity, queue_head, queue_size;
  int set;
  int wake_fd;
  int stale_turns;
  bool armed; // a wake-up is under way
  bool failed; // what is thrown has been told already
  Ahead ahead;
  Address peer; // of the connection that was accepted last
  char *scratch;
  char16_t *wide;
  napi_ref page_owner; // what the page is the memory of
  char *page;          // private to src/write-page.ts and to us, as is what is read ahead with
  size_t page_size;
} Poller;

// ── Arguments and results ──

#define ARGS(n)                                                                            \
  napi_value argv[n];                                                                      \
  size_t argc = n;                                                                         \
  void *data_;                                                                             \
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data_) != napi_ok) return NULL;      \
  Poller *p = data_;                                                                       \
  (void)p

static napi_value number(napi_env env, int64_t value) {
  napi_value result = NULL;
  if (value >= INT32_MIN && value <= INT32_MAX) napi_create_int32(env, (int32_t)value, &result);
  else napi_create_double(env, (double)value, &result);
  return result;
}

static napi_value type_error(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static napi_value range_error(napi_env env, const char *message) {
  napi_throw_range_error(env, NULL, message);
  return NULL;
}

// A conversion that accepted undefined or NaN as 0 would mean stdin.
static bool arg_fd(napi_env env, napi_value value, int *out) {
  double d;
  if (napi_get_value_double(env, value, &d) != napi_ok || !(d >= 0 && d <= INT_MAX) || d != (int)d) {
    type_error(env, "A descriptor must be a non-negative integer");
    return false;
  }
  *out = (int)d;
  return true;
}

static bool arg_int(napi_env env, napi_value value, double low, double high, const char *name, int64_t *out) {
  double d;
  char message[96];
  if (napi_get_value_double(env, value, &d) != napi_ok) {
    snprintf(message, sizeof message, "%s must be a number", name);
    type_error(env, message);
    return false;
  }
  if (!(d >= low && d <= high) || d != (double)(int64_t)d) {
    snprintf(message, sizeof message, "%s must be an integer from %.0f to %.0f", name, low, high);
    range_error(env, message);
    return false;
  }
  *out = (int64_t)d;
  return true;
}

static bool arg_bool(napi_env env, napi_value value, const char *name, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  char message[64];
  snprintf(message, sizeof message, "%s must be a boolean", name);
  type_error(env, message);
  return false;
}

static bool arg_mask(napi_env env, napi_value value, uint8_t *out) {
  double d;
  if (napi_get_value_double(env, value, &d) != napi_ok || !(d >= 0 && d < 256) || d != (int)d ||
      ((int)d & ~(READ | WRITE | ERROR)) != 0) {
    type_error(env, "Events must be a combination of READ, WRITE and ERROR");
    return false;
  }
  *out = (uint8_t)((int)d & (READ | WRITE));
  return true;
}

static bool arg_handle(napi_env env, napi_value value, uint64_t *out) {
  double d;
  if (napi_get_value_double(env, value, &d) != napi_ok || !(d >= 0 && d <= 9007199254740991.0) ||
      d != (double)(uint64_t)d) {
    type_error(env, "A poll handle must be a number that watch() returned");
    return false;
  }
  *out = (uint64_t)d;
  return true;
}

// ── The kernel's set ──

#if defined(__linux__)

static uint32_t wanted(uint8_t mask, uint8_t flags) {
  uint32_t events = 0;
  if (mask & READ) events |= EPOLLIN | EPOLLRDHUP;
  if (mask & WRITE) events |= EPOLLOUT;
  // Level-triggered PRI would fire for ever on one urgent byte that nobody reads.
  if (flags & F_EDGE) events |= EPOLLET | (mask & READ ? (uint32_t)EPOLLPRI : 0);
  return events;
}

static int set_open(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static int set_change(int set, int fd, uint64_t data, uint8_t flags, uint8_t from, uint8_t to) {
  struct epoll_event event = {.events = wanted(to, flags), .data.u64 = data};
  int op = from == 0 ? EPOLL_CTL_ADD : to == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  return epoll_ctl(set, op, fd, &event) < 0 ? -errno : 0;
}

static int set_wait(int set, Ready *out, int max) {
  struct epoll_event events[BATCH];
  int n = epoll_wait(set, events, max, 0);
  if (n < 0) return 0; // EINTR: the set is still ready in the next turn
  for (int i = 0; i < n; i++) {
    uint32_t e = events[i].events;
    uint32_t to = 0;
    if (e & EPOLLIN) to |= READ;
    if (e & EPOLLOUT) to |= WRITE;
    if (e & EPOLLERR) to |= ERROR | READ | WRITE;
    if (e & EPOLLHUP) to |= ERROR | HANGUP | READ | WRITE;
    if (e & EPOLLRDHUP) to |= HANGUP | READ;
    if (e & EPOLLPRI) to |= HANGUP | READ;
    out[i] = (Ready){.data = events[i].data.u64, .events = to};
  }
  return n;
}

// Edge-triggered and never read: each write is a new edge.
static int wake_open(int set, int *fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_DATA};
  *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return *fd < 0 || epoll_ctl(set, EPOLL_CTL_ADD, *fd, &event) < 0 ? -errno : 0;
}

static void wake_raise(Poller *p) {
  uint64_t one = 1;
  while (write(p->wake_fd, &one, sizeof one) < 0 && errno == EINTR) continue;
}

#else // kqueue: a knote belongs to the descriptor number, so closing removes it and nothing can become stale

static int set_open(void) {
  int fd = kqueue();
  if (fd < 0) return -errno;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

static int set_filter(int set, int fd, uint64_t data, uint8_t flags, int filter, bool add) {
  struct kevent change;
  int how = add ? EV_ADD | EV_ENABLE | (flags & F_EDGE ? EV_CLEAR : 0) : EV_DELETE;
  EV_SET(&change, (uintptr_t)fd, (int16_t)filter, (uint16_t)how, 0, 0, (void *)(uintptr_t)data);
  return kevent(set, &change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

static int set_change(int set, int fd, uint64_t data, uint8_t flags, uint8_t from, uint8_t to) {
  int result = 0;
  if ((from | to) & READ) {
    result = set_filter(set, fd, data, flags, EVFILT_READ, (to & READ) != 0);
    if (result < 0 && to & READ) return result;
  }
  if ((from | to) & WRITE) {
    int second = set_filter(set, fd, data, flags, EVFILT_WRITE, (to & WRITE) != 0);
    if (second < 0 && to & WRITE) {
      if (to & READ && !(from & READ)) set_filter(set, fd, data, flags, EVFILT_READ, false);
      return second;
    }
  }
  return result;
}

static int set_wait(int set, Ready *out, int max) {
  struct kevent events[BATCH];
  struct timespec now = {0, 0};
  int n = kevent(set, NULL, 0, events, max, &now);
  if (n < 0) return 0;
  for (int i = 0; i < n; i++) {
    uint32_t to = events[i].filter == EVFILT_WRITE ? WRITE : READ;
    if (events[i].flags & EV_EOF) {
      to |= HANGUP;
      if (events[i].filter == EVFILT_WRITE || events[i].fflags != 0) to |= ERROR;
    }
    if (events[i].flags & EV_ERROR) to |= ERROR;
    uint64_t data = events[i].filter == EVFILT_USER ? WAKE_DATA : (uint64_t)(uintptr_t)events[i].udata;
    out[i] = (Ready){.data = data, .events = to};
  }
  return n;
}

static int wake_open(int set, int *fd) {
  struct kevent change;
  EV_SET(&change, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, NULL);
  *fd = -1; // it needs none
  return kevent(set, &change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

static void wake_raise(Poller *p) {
  struct kevent change;
  EV_SET(&change, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
  while (kevent(p->set, &change, 1, NULL, 0, NULL) < 0 && errno == EINTR) continue;
}

#endif

// ── Slots ──

static uint64_t name_of(const Poller *p, uint32_t slot) {
  return (uint64_t)p->slots[slot].generation << SLOT_BITS | slot;
}

// The slot that a handle names, or NULL for a stale one.
static Slot *find(const Poller *p, uint64_t handle) {
  uint64_t slot = handle & SLOT_MASK;
  if (slot >= p->used) return NULL;
  Slot *s = &p->slots[slot];
  return (s->flags & F_LIVE) && s->generation == handle >> SLOT_BITS ? s : NULL;
}

static uint32_t slot_take(Poller *p) {
  if (p->free != NO_SLOT) {
    uint32_t slot = p->free;
    p->free = p->slots[slot].next;
    return slot;
  }
  if (p->used == p->capacity) {
    uint32_t capacity = p->capacity == 0 ? 64 : p->capacity * 2;
    if (capacity > SLOT_MASK + 1) return NO_SLOT;
    Slot *slots = realloc(p->slots, capacity * sizeof *slots);
    if (slots == NULL) return NO_SLOT;
    p->slots = slots;
    p->capacity = capacity;
  }
  p->slots[p->used] = (Slot){.fd = -1};
  return p->used++;
}

// A slot whose generations are used up is never given out again.
static void slot_give(Poller *p, uint32_t slot) {
  Slot *s = &p->slots[slot];
  *s = (Slot){.fd = -1, .generation = s->generation + 1, .next = NO_SLOT};
  if (s->generation >= GENERATIONS) return;
  s->next = p->free;
  p->free = slot;
}

static bool owner_room(Poller *p, int fd) {
  if ((uint32_t)fd < p->owner_capacity) return true;
  uint32_t capacity = p->owner_capacity == 0 ? 256 : p->owner_capacity;
  while (capacity <= (uint32_t)fd) capacity *= 2;
  Owner *owners = realloc(p->owners, capacity * sizeof *owners);
  if (owners == NULL) return false;
  memset(owners + p->owner_capacity, 0, (capacity - p->owner_capacity) * sizeof *owners);
  p->owners = owners;
  p->owner_capacity = capacity;
  return true;
}

static Slot *owner_of(const Poller *p, int fd) {
  if ((uint32_t)fd >= p->owner_capacity) return NULL;
  uint32_t slot = p->owners[fd] & OWNER_SLOT;
  return slot == 0 ? NULL : &p->slots[slot - 1];
}

// The number now means another descriptor: the registration must not touch it any more.
static void orphan(Slot *s) {
  s->fd = -1;
  s->mask = 0;
  s->flags |= F_ORPHAN;
}

// Who still has a number that the kernel has just given out was closed behind our back.
static void owner_made(Poller *p, int fd) {
  Slot *before = owner_of(p, fd);
  if (before != NULL) orphan(before);
  if (owner_room(p, fd)) p->owners[fd] = OWNER_MADE;
}

static void keep_alive(Poller *p, int by) {
  uint32_t before = p->refs;
  p->refs = (uint32_t)((int64_t)p->refs + by);
  if (before == 0 && p->refs > 0) uv_ref(p->poll);
  if (before > 0 && p->refs == 0) uv_unref(p->poll);
}

static int64_t slot_watch(Poller *p, int fd, uint8_t mask, bool edge) {
  uint32_t index = slot_take(p);
  if (index == NO_SLOT) return -ENOMEM;
  Slot *s = &p->slots[index];
  uint64_t handle = name_of(p, index);
  s->flags = edge ? F_EDGE : 0;
  // With mask 0 the descriptor is put in and taken out again: the kernel's judgement on it is the same.
  uint8_t first = mask == 0 ? READ : mask;
  int result = set_change(p->set, fd, handle, s->flags, 0, first);
  if (result == 0 && !owner_room(p, fd)) {
    set_change(p->set, fd, handle, s->flags, first, 0);
    result = -ENOMEM;
  }
  if (result < 0) {
    slot_give(p, index);
    return result;
  }
  if (mask == 0) set_change(p->set, fd, handle, s->flags, first, 0);
  Slot *before = owner_of(p, fd);
  if (before != NULL) orphan(before);
  p->owners[fd] = (p->owners[fd] & OWNER_MADE) | (index + 1);
  s->fd = fd;
  s->mask = mask;
  s->flags |= F_LIVE | F_REF;
  p->size++;
  keep_alive(p, 1);
  return (int64_t)handle;
}

static int slot_modify(Poller *p, Slot *s, uint8_t mask) {
  if (s->flags & F_ORPHAN) return -EBADF;
  if (s->mask == 0 && mask == 0) return 0;
  int result = set_change(p->set, s->fd, name_of(p, (uint32_t)(s - p->slots)), s->flags, s->mask, mask);
  if (result == 0) s->mask = mask;
  return result == -ENOENT ? -EBADF : result;
}

// Takes the registration out; returns its descriptor, or -1 when that is not ours any more.
static int slot_release(Poller *p, Slot *s) {
  int fd = s->fd;
  if (fd >= 0) {
    if (s->mask != 0) set_change(p->set, fd, 0, s->flags, s->mask, 0);
    p->owners[fd] &= OWNER_MADE;
  }
  if (s->flags & F_REF) keep_alive(p, -1);
  p->size--;
  slot_give(p, (uint32_t)(s - p->slots));
  return fd;
}

// close() is never repeated: on Linux the number is free even when it says EINTR.
static int close_number(Poller *p, int fd) {
  Slot *s = owner_of(p, fd);
  if (s != NULL) {
    if (s->mask != 0) set_change(p->set, fd, 0, s->flags, s->mask, 0);
    orphan(s);
  }
  if ((uint32_t)fd < p->owner_capacity) p->owners[fd] = 0;
  if (close(fd) == 0 || errno == EINTR || errno == EINPROGRESS) return 0;
  return -errno;
}

// ── Bytes ──

static bool arg_bytes(napi_env env, napi_value value, char **data, size_t *size) {
  napi_typedarray_type type;
  void *start;
  if (napi_get_typedarray_info(env, value, &type, size, &start, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    return false;
  }
  *data = start;
  return true;
}

// In a process of several threads, as Node's is, libc guards each of these calls by two locked instructions, in case
// another thread cancels this one. Nobody does, and they are a tenth of what a call costs outside of the kernel.
#if defined(__linux__) && defined(SYS_recvfrom) && defined(SYS_sendto)
static ssize_t receive_bytes(int fd, char *data, size_t size) {
  return syscall(SYS_recvfrom, fd, data, size, MSG_DONTWAIT, NULL, NULL);
}
static ssize_t send_bytes(int fd, const char *data, size_t size, int flags) {
  return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}
#else
static ssize_t receive_bytes(int fd, char *data, size_t size) { return recv(fd, data, size, MSG_DONTWAIT); }
static ssize_t send_bytes(int fd, const char *data, size_t size, int flags) { return send(fd, data, size, flags); }
#endif

// Count, 0 at the end, or -errno.
static int64_t receive(int fd, char *data, size_t size) {
  ssize_t got;
  do got = receive_bytes(fd, data, size);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == ENOTSOCK) {
    do got = read(fd, data, size);
    while (got < 0 && errno == EINTR);
  }
  return got < 0 ? -errno : got;
}

// ── Reading ahead ──

static napi_value poller_read_ahead(napi_env env, napi_callback_info info) {
  ARGS(3);
  napi_typedarray_type types[2];
  size_t words, slots;
  void *memory[2];
  int64_t size;
  napi_ref owners[2];
  if (napi_get_typedarray_info(env, argv[0], &types[0], &words, &memory[0], NULL, NULL) != napi_ok ||
      types[0] != napi_int32_array || words < AHEAD_WORDS ||
      napi_get_typedarray_info(env, argv[1], &types[1], &slots, &memory[1], NULL, NULL) != napi_ok ||
      types[1] != napi_uint32_array) {
    return type_error(env, "Reading ahead needs an Int32Array of 25 words and a Uint32Array by slot");
  }
  if (!arg_int(env, argv[2], 1, INT32_MAX, "size", &size)) return NULL;
  if (napi_create_reference(env, argv[0], 1, &owners[0]) != napi_ok ||
      napi_create_reference(env, argv[1], 1, &owners[1]) != napi_ok) {
    return NULL;
  }
  Ahead *ahead = &p->ahead;
  for (int i = 0; i < 2; i++) {
    if (ahead->words != NULL) napi_delete_reference(env, ahead->owners[i]);
    ahead->owners[i] = owners[i];
  }
  ahead->words = memory[0];
  ahead->allowed = memory[1];
  ahead->slots = slots;
  ahead->size = (size_t)size;
  return NULL;
}

// readAheadInto(lane, buffer): lanes are taken into use in their order.
static napi_value poller_read_ahead_into(napi_env env, napi_callback_info info) {
  ARGS(2);
  Ahead *ahead = &p->ahead;
  int64_t lane;
  bool is_buffer = false;
  napi_ref buffer;
  if (!arg_int(env, argv[0], 0, ahead->lanes < LANES ? ahead->lanes : LANES - 1, "lane", &lane)) return NULL;
  if (napi_is_arraybuffer(env, argv[1], &is_buffer) != napi_ok || !is_buffer) {
    return type_error(env, "Reading ahead needs an ArrayBuffer");
  }
  if (napi_create_reference(env, argv[1], 1, &buffer) != napi_ok) return NULL;
  if (lane == ahead->lanes) ahead->lanes++;
  else napi_delete_reference(env, ahead->buffers[lane]);
  ahead->buffers[lane] = buffer;
  return NULL;
}

// Whoever has the buffer may have transferred it away, so it is looked up each time; then, and when there is no room,
// the sink reads for itself.
static int32_t read_into_lane(const Poller *p, uint32_t lane, int fd) {
  const Ahead *ahead = &p->ahead;
  napi_value buffer;
  void *data;
  size_t room;
  int32_t at = ahead->words[AHEAD_AT + lane];
  if (napi_get_reference_value(p->env, ahead->buffers[lane], &buffer) != napi_ok ||
      napi_get_arraybuffer_info(p->env, buffer, &data, &room) != napi_ok || at < 0 || room < ahead->size ||
      (size_t)at > room - ahead->size) {
    return NOT_READ;
  }
  return (int32_t)receive(fd, (char *)data + at, ahead->size);
}

// What of an event concerns its registration. Looked up right before it is delivered: a handler of the same batch may
// have closed this one.
static uint32_t live_events(const Poller *p, const Ready *ready) {
  const Slot *s = ready->data == WAKE_DATA ? NULL : find(p, ready->data);
  return s == NULL || s->mask == 0 ? 0 : ready->events & ((uint32_t)s->mask | ERROR | HANGUP);
}

static bool is_read_ahead(const Poller *p, uint32_t slot, uint32_t events) {
  const Slot *s = &p->slots[slot];
  return (events & READ) && slot < p->ahead.slots && p->ahead.allowed[slot] == s->generation + 1 && s->fd >= 0;
}

// Reads for the next sinks in a row that would do so first, each into a lane of its own. Returns how many lanes the last
// of them is behind; 0: the next sink is none of them. A lane whose buffer somebody holds a part of is left out, because
// it may be given back while a sink waits for what was read behind it. The first sink waits for nobody.
static uint32_t read_ahead(const Poller *p, const Ready *ready, int count, int *next) {
  uint32_t lane = 0;
  int32_t *words = p->ahead.words;
  if (words == NULL) return 0;
  for (; *next < count && lane < p->ahead.lanes; ++*next) {
    uint32_t events = live_events(p, &ready[*next]);
    if (events == 0) continue;
    uint32_t slot = (uint32_t)(ready[*next].data & SLOT_MASK);
    if (!is_read_ahead(p, slot, events)) break;
    uint32_t found = lane;
    while (found > 0 && found < p->ahead.lanes && words[AHEAD_AT + found] != 0) words[AHEAD_PACKED + found++] = 0;
    if (found == p->ahead.lanes) break;
    words[AHEAD_PACKED + found] = (int32_t)(slot << EVENT_BITS | events);
    words[AHEAD_RECEIVED + found] = read_into_lane(p, found, p->slots[slot].fd);
    lane = found + 1;
  }
  return lane;
}

// ── Events into JavaScript ──

static void on_ready(uv_handle_t *handle, int status, int events);

static void on_rebuilt(uv_handle_t *handle) { free(handle); }

static uv_handle_t *poll_open(Poller *p, int set) {
  uv_handle_t *handle = calloc(1, uv_handle_size(UV_POLL_TYPE));
  if (handle == NULL) return NULL;
  if (uv_poll_init(p->loop, handle, set) != 0) {
    free(handle); // never registered with the loop
    return NULL;
  }
  uv_handle_set_data(handle, p);
  uv_unref(handle);
  return handle;
}

#if defined(__linux__)

// A descriptor that was closed while a duplicate of it lives can no longer be named, and so not be removed: it would
// fire for ever. A new set with everything that has an owner gets rid of it.
static void rebuild(Poller *p) {
  int set = set_open();
  if (set < 0) return; // tried again in the next turn
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_DATA};
  uv_handle_t *poll = epoll_ctl(set, EPOLL_CTL_ADD, p->wake_fd, &event) == 0 ? poll_open(p, set) : NULL;
  if (poll == NULL) {
    close(set);
    return;
  }
  for (uint32_t i = 0; i < p->used; i++) {
    Slot *s = &p->slots[i];
    if (s->fd < 0 || s->mask == 0) continue;
    int result = set_change(set, s->fd, name_of(p, i), s->flags, 0, s->mask);
    if (result == -EBADF || result == -EPERM) {
      p->owners[s->fd] = 0;
      orphan(s);
    }
  }
  uv_poll_stop(p->poll);
  uv_close(p->poll, on_rebuilt);
  close(p->set);
  p->set = set;
  p->poll = poll;
  p->stale_turns = 0;
  uv_poll_start(poll, UV_READABLE_EVENT, on_ready);
  if (p->refs > 0) uv_ref(poll);
}

#else

static void rebuild(Poller *p) { p->stale_turns = 0; }

#endif

static bool context_open(Poller *p, napi_value resource) {
  if (p->context != NULL) return true;
  // Made here, below the first event, because nobody's asynchronous context is current here.
  napi_value name;
  if (napi_create_string_utf8(p->env, "tw.Poller", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  return napi_async_init(p->env, resource, name, &p->context) == napi_ok;
}

// False when JavaScript cannot be entered any more.
static bool enter(Poller *p, napi_value resource, napi_value dispatch, int32_t what) {
  napi_value argument, error;
  napi_create_int32(p->env, what, &argument);
  if (napi_make_callback(p->env, p->context, resource, dispatch, 1, &argument, NULL) == napi_ok) return true;
  bool pending = false;
  napi_is_exception_pending(p->env, &pending);
  if (!pending || napi_get_and_clear_last_exception(p->env, &error) != napi_ok) return false;
  bool told = p->failed;
  p->failed = false;
  if (told) return true;
  return napi_fatal_exception(p->env, error) == napi_ok; // 'uncaughtException'; if it is handled, life goes on
}

static bool deliver(Poller *p, napi_value resource, napi_value dispatch, uint32_t slot, uint32_t events) {
  return enter(p, resource, dispatch, (int32_t)(slot << EVENT_BITS | events));
}

// What throws ends the call, but not the others: they are delivered by another one.
static bool deliver_read(Poller *p, napi_value resource, napi_value dispatch, uint32_t lanes) {
  p->ahead.words[AHEAD_NEXT] = 0;
  while (p->ahead.words[AHEAD_NEXT] < (int32_t)lanes) {
    if (!enter(p, resource, dispatch, -(int32_t)lanes)) return false;
  }
  return true;
}

// failed(error): what a tick threw reaches 'uncaughtException' as if no JavaScript were below. Node clears the stack of
// asynchronous contexts for it, ours too, so the caller throws on: only a callback that failed does not leave its own.
static napi_value poller_failed(napi_env env, napi_callback_info info) {
  ARGS(1);
  p->failed = true;
  napi_fatal_exception(env, argv[0]);
  return NULL;
}

static bool deliver_ready(Poller *p, napi_value resource, napi_value dispatch, const Ready *ready) {
  uint32_t events = live_events(p, ready);
  return events == 0 || deliver(p, resource, dispatch, (uint32_t)(ready->data & SLOT_MASK), events);
}

static bool deliver_queued(Poller *p, napi_value resource, napi_value dispatch) {
  uint64_t handle = p->queue[p->queue_head];
  p->queue_head = (p->queue_head + 1) & (p->queue_capacity - 1);
  p->queue_size--;
  Slot *s = find(p, handle);
  if (s == NULL) return true;
  s->flags &= (uint8_t)~F_QUEUED;
  return deliver(p, resource, dispatch, (uint32_t)(handle & SLOT_MASK), 0);
}

static void arm(Poller *p) {
  if (p->armed) return;
  p->armed = true;
  wake_raise(p);
}

static void on_ready(uv_handle_t *handle, int status, int events) {
  (void)status, (void)events;
  Poller *p = uv_handle_get_data(handle);
  Ready ready[BATCH];
  uint32_t queued = p->queue_size;
  p->armed = false;
  int count = set_wait(p->set, ready, queued > 0 ? BATCH / 2 : BATCH);
  bool stale = false;
  for (int i = 0; i < count && !stale; i++) {
    if (ready[i].data == WAKE_DATA) continue;
    const Slot *s = find(p, ready[i].data);
    stale = s == NULL || (s->flags & F_ORPHAN);
  }
  p->stale_turns = stale ? p->stale_turns + 1 : 0;

  napi_handle_scope scope;
  napi_value dispatch, resource;
  if (napi_open_handle_scope(p->env, &scope) != napi_ok) return;
  bool going = napi_get_reference_value(p->env, p->dispatch, &dispatch) == napi_ok &&
               napi_get_reference_value(p->env, p->resource, &resource) == napi_ok && context_open(p, resource);
  for (int next = 0; next < count && going;) {
    uint32_t lanes = read_ahead(p, ready, count, &next);
    if (lanes > 0) going = deliver_read(p, resource, dispatch, lanes);
    else if (next < count) going = deliver_ready(p, resource, dispatch, &ready[next++]);
  }
  uint32_t room = (uint32_t)(BATCH - count);
  if (queued > room) queued = room;
  while (queued-- > 0 && going && p->queue_size > 0) going = deliver_queued(p, resource, dispatch);
  napi_close_handle_scope(p->env, scope);
  if (going && p->queue_size > 0) arm(p);
  if (going && p->stale_turns >= 2) rebuild(p);
}

// ── Calls: the set ──

static napi_value poller_watch(napi_env env, napi_callback_info info) {
  ARGS(3);
  int fd;
  uint8_t mask;
  bool edge;
  if (!arg_fd(env, argv[0], &fd) || !arg_mask(env, argv[1], &mask) || !arg_bool(env, argv[2], "edge", &edge)) return NULL;
  return number(env, slot_watch(p, fd, mask, edge));
}

static napi_value poller_modify(napi_env env, napi_callback_info info) {
  ARGS(2);
  uint64_t handle;
  uint8_t mask;
  if (!arg_handle(env, argv[0], &handle) || !arg_mask(env, argv[1], &mask)) return NULL;
  Slot *s = find(p, handle);
  return number(env, s == NULL ? -EBADF : slot_modify(p, s, mask));
}

static napi_value poller_unwatch(napi_env env, napi_callback_info info) {
  ARGS(1);
  uint64_t handle;
  if (!arg_handle(env, argv[0], &handle)) return NULL;
  Slot *s = find(p, handle);
  if (s == NULL) return number(env, -EBADF);
  slot_release(p, s);
  return number(env, 0);
}

static napi_value poller_close(napi_env env, napi_callback_info info) {
  ARGS(1);
  uint64_t handle;
  if (!arg_handle(env, argv[0], &handle)) return NULL;
  Slot *s = find(p, handle);
  if (s == NULL) return NULL; // undefined: a stale handle, where -EBADF may be the kernel's word
  int fd = slot_release(p, s);
  return number(env, fd < 0 ? -EBADF : close_number(p, fd));
}

static napi_value poller_size(napi_env env, napi_callback_info info) {
  ARGS(1);
  return number(env, p->size);
}

static napi_value poller_set_ref(napi_env env, napi_callback_info info) {
  ARGS(2);
  uint64_t handle;
  bool ref;
  if (!arg_handle(env, argv[0], &handle) || !arg_bool(env, argv[1], "ref", &ref)) return NULL;
  Slot *s = find(p, handle);
  if (s != NULL && ref != ((s->flags & F_REF) != 0)) {
    s->flags ^= F_REF;
    keep_alive(p, ref ? 1 : -1);
  }
  return NULL;
}

static bool queue_room(Poller *p) {
  if (p->queue_size < p->queue_capacity) return true;
  uint32_t capacity = p->queue_capacity == 0 ? 64 : p->queue_capacity * 2;
  uint64_t *queue = malloc(capacity * sizeof *queue);
  if (queue == NULL) return false;
  for (uint32_t i = 0; i < p->queue_size; i++) {
    queue[i] = p->queue[(p->queue_head + i) & (p->queue_capacity - 1)];
  }
  free(p->queue);
  p->queue = queue;
  p->queue_capacity = capacity;
  p->queue_head = 0;
  return true;
}

static napi_value poller_wake(napi_env env, napi_callback_info info) {
  ARGS(1);
  uint64_t handle;
  if (!arg_handle(env, argv[0], &handle)) return NULL;
  Slot *s = find(p, handle);
  if (s == NULL || (s->flags & F_QUEUED)) return NULL;
  if (!queue_room(p)) {
    napi_throw_error(env, NULL, "Out of memory: cannot queue a wake-up");
    return NULL;
  }
  s->flags |= F_QUEUED;
  p->queue[(p->queue_head + p->queue_size++) & (p->queue_capacity - 1)] = handle;
  arm(p);
  return NULL;
}

// ── Calls: bytes ──

static napi_value poller_read(napi_env env, napi_callback_info info) {
  ARGS(4);
  int fd;
  char *data;
  size_t size;
  double offset, length;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  if (!arg_bytes(env, argv[1], &data, &size)) return type_error(env, "buffer must be a Uint8Array");
  if (napi_get_value_double(env, argv[2], &offset) != napi_ok || napi_get_value_double(env, argv[3], &length) != napi_ok) {
    return type_error(env, "offset and length must be numbers");
  }
  // A detached buffer has size 0 and ends here too: reading 0 bytes would look like the end of the stream.
  if (!(offset >= 0 && length >= 1 && offset + length <= (double)size) || offset != (double)(size_t)offset ||
      length != (double)(size_t)length) {
    return range_error(env, "offset and length must name at least one byte within the buffer");
  }
  data += (size_t)offset;
  size = (size_t)length;
  return number(env, receive(fd, data, size));
}

// write() and sendfile() have no MSG_NOSIGNAL: unless SIGPIPE is ignored (as Node does), it is held back here.
typedef struct {
  sigset_t before;
  bool active;
  bool pending;
} Quiet;

#if defined(__linux__)
#define thread_sigmask sigprocmask // per thread on Linux, and without a symbol that needs a young libc
#else
#define thread_sigmask pthread_sigmask
#endif

static Quiet quiet_begin(void) {
  Quiet quiet = {.active = false};
  struct sigaction action;
  sigset_t set;
  if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN) return quiet;
  sigpending(&set);
  quiet.pending = sigismember(&set, SIGPIPE) == 1;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  quiet.active = thread_sigmask(SIG_BLOCK, &set, &quiet.before) == 0;
  return quiet;
}

static void quiet_end(const Quiet *quiet) {
  if (!quiet->active) return;
  int saved = errno;
  sigset_t set;
  sigpending(&set);
  if (!quiet->pending && sigismember(&set, SIGPIPE) == 1) {
    int signal;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigwait(&set, &signal);
  }
  thread_sigmask(SIG_SETMASK, &quiet->before, NULL);
  errno = saved;
}

static ssize_t write_plain(int fd, const struct iovec *iov, int count) {
  Quiet quiet = quiet_begin();
  ssize_t sent;
  do sent = writev(fd, iov, count);
  while (sent < 0 && errno == EINTR);
  quiet_end(&quiet);
  return sent;
}

#if defined(MSG_NOSIGNAL)
#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
#else
#define SEND_FLAGS MSG_DONTWAIT // SO_NOSIGPIPE is set on every socket made or adopted here
#endif

#if !defined(MSG_MORE)
#define MSG_MORE 0 // macOS sends the shorter segment
#endif

// Count, or -errno.
static int64_t send_list(int fd, struct iovec *iov, int count, int more) {
  ssize_t sent;
  if (count == 1) {
    do sent = send_bytes(fd, iov[0].iov_base, iov[0].iov_len, SEND_FLAGS | more);
    while (sent < 0 && errno == EINTR);
  } else {
    struct msghdr message = {.msg_iov = iov};
    message.msg_iovlen = (__typeof__(message.msg_iovlen))count;
    do sent = sendmsg(fd, &message, SEND_FLAGS | more);
    while (sent < 0 && errno == EINTR);
  }
  if (sent < 0 && errno == ENOTSOCK) sent = write_plain(fd, iov, count);
  return sent < 0 ? -errno : sent;
}

static bool detached(napi_env env, napi_value value) {
  napi_value buffer;
  bool is = false;
  if (napi_get_typedarray_info(env, value, NULL, NULL, NULL, &buffer, NULL) != napi_ok) return true;
  return napi_is_detached_arraybuffer(env, buffer, &is) != napi_ok || is;
}

enum { CHUNK_OK, CHUNK_FULL, CHUNK_BAD };

// Whether all characters are bytes; cut down to its low byte, U+010A would become a line feed. In blocks, because
// compilers make a few instructions of each.
static bool narrow(const char16_t *restrict from, size_t size, char *restrict to) {
  enum { BLOCK = 16 };
  char16_t all = 0;
  size_t i = 0;
  for (; i + BLOCK <= size; i += BLOCK) {
    for (size_t j = i; j < i + BLOCK; j++) {
      all |= from[j];
      to[j] = (char)from[j];
    }
  }
  for (; i < size; i++) {
    all |= from[i];
    to[i] = (char)from[i];
  }
  return all <= 0xff;
}

static void not_latin1(napi_env env, const char16_t *text) {
  char message[100];
  size_t at = 0;
  while (text[at] <= 0xff) at++;
  snprintf(message, sizeof message, "Cannot write U+%04X at index %zu: a string chunk is latin1 bytes", text[at], at);
  range_error(env, message);
}

// Makes one chunk into a piece; a string is copied behind what `used` bytes of the scratch hold already.
static int piece(Poller *p, napi_env env, napi_value value, size_t skip, struct iovec *out, size_t *used) {
  char *data;
  size_t size;
  if (arg_bytes(env, value, &data, &size)) {
    if (size == 0 && detached(env, value)) { // the bytes that were meant are gone
      type_error(env, "A chunk's buffer has been detached");
      return CHUNK_BAD;
    }
  } else {
    if (p->scratch == NULL) p->scratch = malloc(SCRATCH);
    if (p->wide == NULL) p->wide = malloc(WIDE * sizeof *p->wide);
    size_t room = SCRATCH - *used < WIDE ? SCRATCH - *used : WIDE;
    data = p->scratch + *used;
    if (p->scratch == NULL || p->wide == NULL || napi_get_value_string_utf16(env, value, p->wide, room, &size) != napi_ok) {
      type_error(env, "A chunk must be a Uint8Array or a string");
      return CHUNK_BAD;
    }
    if (size == room - 1) { // it may have been cut
      if (*used > 0) return CHUNK_FULL;
      range_error(env, "A string chunk is too long for one call");
      return CHUNK_BAD;
    }
    if (!narrow(p->wide, size, data)) {
      not_latin1(env, p->wide);
      return CHUNK_BAD;
    }
    *used += size;
  }
  if (skip > size) {
    range_error(env, "skip lies behind the first chunk");
    return CHUNK_BAD;
  }
  *out = (struct iovec){.iov_base = data + skip, .iov_len = size - skip};
  return CHUNK_OK;
}

typedef struct {
  int64_t total; // bytes taken so far
  int64_t error; // -errno, or 0
  bool thrown;   // a chunk was no good; an exception is pending
  bool full;     // the kernel took less than it was offered
  int more;      // MSG_MORE, or 0
} Sending;

// Goes on while the kernel takes everything it is offered: fewer bytes than asked for means that it is full.
static void send_values(Poller *p, napi_env env, int fd, const napi_value *values, uint32_t length, size_t skip, Sending *out) {
  for (uint32_t next = 0; next < length;) {
    struct iovec iov[IOV];
    size_t used = 0, offered = 0;
    int count = 0;
    for (; next < length; next++, skip = 0) {
      int made = piece(p, env, values[next], skip, &iov[count], &used);
      if (made == CHUNK_FULL) break;
      if (made == CHUNK_BAD) {
        out->thrown = true;
        return;
      }
      if (iov[count].iov_len > 0) offered += iov[count++].iov_len;
    }
    if (count == 0) continue;
    int64_t sent = send_list(fd, iov, count, out->more);
    if (sent < 0) {
      out->error = sent;
      return;
    }
    out->total += sent;
    if ((size_t)sent < offered) {
      out->full = true;
      return;
    }
  }
}

static napi_value sending_result(napi_env env, const Sending *sending) {
  if (sending->total == 0 && sending->thrown) return NULL;
  if (sending->thrown) { // bytes went: say so; the next call begins with the bad chunk and throws
    napi_value ignored;
    napi_get_and_clear_last_exception(env, &ignored);
  }
  return number(env, sending->total > 0 ? sending->total : sending->error);
}

// write(fd, skip, chunk, …): a few chunks as arguments, which cost less to fetch than elements of an array.
static napi_value poller_write(napi_env env, napi_callback_info info) {
  ARGS(2 + DIRECT);
  int fd;
  int64_t skip;
  Sending sending = {.total = 0};
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], 0, 9007199254740991.0, "skip", &skip)) return NULL;
  uint32_t length = argc <= 2 ? 0 : argc - 2 < DIRECT ? (uint32_t)argc - 2 : DIRECT;
  send_values(p, env, fd, argv + 2, length, (size_t)skip, &sending);
  return sending_result(env, &sending);
}

// page(bytes): the memory of src/write-page.ts, once.
static napi_value poller_page(napi_env env, napi_callback_info info) {
  ARGS(1);
  char *data;
  size_t size;
  if (p->page_owner != NULL || !arg_bytes(env, argv[0], &data, &size)) return type_error(env, "The page must be a Uint8Array, given once");
  if (napi_create_reference(env, argv[0], 1, &p->page_owner) != napi_ok) return NULL;
  p->page = data;
  p->page_size = size;
  return NULL;
}

// writePage(fd, from, to): bytes of the page, of which nothing has to be looked up.
static napi_value poller_write_page(napi_env env, napi_callback_info info) {
  ARGS(3);
  int fd;
  int64_t from, to;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], 0, (double)p->page_size, "from", &from) ||
      !arg_int(env, argv[2], (double)from, (double)p->page_size, "to", &to)) {
    return NULL;
  }
  struct iovec range = {.iov_base = p->page + from, .iov_len = (size_t)(to - from)};
  return number(env, send_list(fd, &range, 1, 0));
}

// writev(fd, skip, chunks, more): any number of them.
static napi_value poller_writev(napi_env env, napi_callback_info info) {
  ARGS(4);
  int fd;
  int64_t skip;
  uint32_t length;
  bool more;
  napi_value values[IOV];
  Sending sending = {.total = 0};
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], 0, 9007199254740991.0, "skip", &skip) ||
      !arg_bool(env, argv[3], "more", &more)) {
    return NULL;
  }
  if (more) sending.more = MSG_MORE;
  if (napi_get_array_length(env, argv[2], &length) != napi_ok) return type_error(env, "chunks must be an array");
  for (uint32_t from = 0; from < length; from += IOV) {
    uint32_t count = length - from < IOV ? length - from : IOV;
    // Fetching may run a getter, which may detach a buffer: all are fetched before the first address is taken.
    for (uint32_t i = 0; i < count; i++) {
      if (napi_get_element(env, argv[2], from + i, &values[i]) != napi_ok) return NULL;
    }
    send_values(p, env, fd, values, count, (size_t)(from == 0 ? skip : 0), &sending);
    if (sending.full || sending.thrown || sending.error != 0) break;
  }
  return sending_result(env, &sending);
}

static napi_value poller_sendfile(napi_env env, napi_callback_info info) {
  ARGS(4);
  int fd, file;
  int64_t offset, length;
  if (!arg_fd(env, argv[0], &fd) || !arg_fd(env, argv[1], &file) ||
      !arg_int(env, argv[2], 0, 9007199254740991.0, "offset", &offset) ||
      !arg_int(env, argv[3], 1, 9007199254740991.0, "length", &length)) {
    return NULL;
  }
  if (length > SENDFILE_MAX) length = SENDFILE_MAX;
  Quiet quiet = quiet_begin();
#if defined(__linux__)
  off_t from = (off_t)offset;
  ssize_t sent;
  do sent = sendfile(fd, file, &from, (size_t)length);
  while (sent < 0 && errno == EINTR);
#else
  ssize_t sent;
  do {
    off_t amount = (off_t)length;
    sent = sendfile(file, fd, (off_t)offset, &amount, NULL, 0);
    // These two may come after something went out; then that counts.
    if (sent == 0 || ((errno == EAGAIN || errno == EINTR) && amount > 0)) sent = (ssize_t)amount;
  } while (sent < 0 && errno == EINTR);
#endif
  quiet_end(&quiet);
  return number(env, sent < 0 ? -errno : sent);
}

// Whether a range of a file can be sent without waiting for a disk: 1 or 0, or -errno where the kernel does not tell.
#if defined(__linux__)

enum { NOWAIT = 8 }; // RWF_NOWAIT
#if !defined(SYS_cachestat)
#define SYS_cachestat 451
#endif

// A byte that is there is read at once: 1, or 0 behind the end of the file.
static int probe(int file, int64_t at) {
  char byte;
  struct iovec iov = {.iov_base = &byte, .iov_len = 1};
  // Not by preadv2(), a symbol that needs a young libc. Where a long has 64 bits the second half is not looked at.
  long got = syscall(SYS_preadv2, file, &iov, 1L, (long)at, (long)(at >> 32), (long)NOWAIT);
  return got < 0 ? -errno : (int)got;
}

static int cached(int file, int64_t offset, int64_t length) {
  // What is read ahead is read in order: the last byte is the last to come, and the first the first to be given up.
  int there = probe(file, offset + length - 1);
  if (there >= 0) there = probe(file, offset);
  if (there >= 0) return 1;
  if (there == -EAGAIN) return 0;
  if (there != -EOPNOTSUPP && there != -EINVAL) return there;
  // Some file systems do not read without waiting. The kernel may still count what it has, if the file is ours.
  uint64_t range[2] = {(uint64_t)offset, (uint64_t)length};
  uint64_t counts[5];
  if (syscall(SYS_cachestat, file, range, counts, 0L) < 0) return -errno;
  int64_t page = sysconf(_SC_PAGESIZE);
  return counts[0] >= (uint64_t)((offset + length - 1) / page - offset / page + 1);
}

#else

static int cached(int file, int64_t offset, int64_t length) {
  (void)file, (void)offset, (void)length;
  return -ENOTSUP;
}

#endif

static napi_value poller_cached(napi_env env, napi_callback_info info) {
  ARGS(3);
  int file;
  int64_t offset, length;
  if (!arg_fd(env, argv[0], &file) || !arg_int(env, argv[1], 0, 9007199254740991.0, "offset", &offset) ||
      !arg_int(env, argv[2], 1, 9007199254740991.0, "length", &length)) {
    return NULL;
  }
  return number(env, cached(file, offset, length));
}

// ── Calls: addresses ──

static int parse_v6(char *text, struct sockaddr_in6 *out) {
  char *scope = strchr(text, '%');
  if (scope != NULL) {
    *scope++ = '\0';
    out->sin6_scope_id = if_nametoindex(scope);
    char *end = scope;
    if (out->sin6_scope_id == 0) out->sin6_scope_id = (uint32_t)strtoul(scope, &end, 10);
    if (out->sin6_scope_id == 0 || (end != scope && *end != '\0')) return -EINVAL;
  }
  return inet_pton(AF_INET6, text, &out->sin6_addr) == 1 ? 0 : -EINVAL;
}

// Reads an address of the socket's own family. Returns its size, or -errno.
static int parse_address(int fd, char *text, size_t length, int port, Address *out) {
  socklen_t size = sizeof *out;
  if (getsockname(fd, &out->any, &size) < 0) return -errno;
  sa_family_t family = out->any.sa_family;
  memset(out, 0, sizeof *out);
  out->any.sa_family = family;
  if (family == AF_UNIX) {
    if (length == 0 || (length > 1 && memchr(text + 1, '\0', length - 1) != NULL && text[0] != '\0')) return -EINVAL;
    if (length >= sizeof out->un.sun_path) return -ENAMETOOLONG;
    memcpy(out->un.sun_path, text, length);
    return (int)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '\0' ? 0 : 1));
  }
  if (strlen(text) != length) return -EINVAL; // "127.0.0.1\0something" is not an address
  if (family == AF_INET) {
    out->v4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, text, &out->v4.sin_addr) == 1 ? (int)sizeof out->v4 : -EINVAL;
  }
  if (family != AF_INET6) return -EAFNOSUPPORT;
  out->v6.sin6_port = htons((uint16_t)port);
  int result = parse_v6(text, &out->v6);
  return result < 0 ? result : (int)sizeof out->v6;
}

typedef int (*AddressCall)(int fd, const struct sockaddr *address, socklen_t size);

static napi_value with_address(napi_env env, napi_value *argv, AddressCall call) {
  int fd;
  int64_t port;
  char text[256];
  size_t length;
  Address address;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[2], 0, 65535, "port", &port)) return NULL;
  if (napi_get_value_string_utf8(env, argv[1], text, sizeof text, &length) != napi_ok) {
    return type_error(env, "address must be a string");
  }
  if (length >= sizeof text - 1) return number(env, -ENAMETOOLONG);
  int size = parse_address(fd, text, length, (int)port, &address);
  if (size < 0) return number(env, size);
  return number(env, call(fd, &address.any, (socklen_t)size) < 0 ? -errno : 0);
}

static size_t format_ip(const Address *address, char *text, size_t room, int *port) {
  *port = 0;
  text[0] = '\0';
  if (address->any.sa_family == AF_INET) {
    *port = ntohs(address->v4.sin_port);
    inet_ntop(AF_INET, &address->v4.sin_addr, text, (socklen_t)room);
  } else if (address->any.sa_family == AF_INET6) {
    *port = ntohs(address->v6.sin6_port);
    inet_ntop(AF_INET6, &address->v6.sin6_addr, text, (socklen_t)room);
    char name[IF_NAMESIZE];
    if (IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr) && if_indextoname(address->v6.sin6_scope_id, name) != NULL) {
      size_t at = strlen(text);
      snprintf(text + at, room - at, "%%%s", name);
    }
  }
  return strlen(text);
}

static napi_value result_object(napi_env env, const char *first, int first_value, const char *text, size_t length, int port) {
  napi_value object, value;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  napi_create_int32(env, first_value, &value);
  napi_set_named_property(env, object, first, value);
  napi_create_string_utf8(env, text, length, &value);
  napi_set_named_property(env, object, "address", value);
  napi_create_int32(env, port, &value);
  napi_set_named_property(env, object, "port", value);
  return object;
}

static napi_value name_result(napi_env env, const Address *address, socklen_t size) {
  char text[sizeof(struct sockaddr_un) + IF_NAMESIZE];
  int port;
  size_t length = format_ip(address, text, sizeof text, &port);
  int family = address->any.sa_family == AF_INET ? 4 : address->any.sa_family == AF_INET6 ? 6 : 0;
  if (address->any.sa_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path)) {
    length = size - offsetof(struct sockaddr_un, sun_path);
    if (length > sizeof address->un.sun_path) length = sizeof address->un.sun_path;
    if (address->un.sun_path[0] != '\0') length = strnlen(address->un.sun_path, length);
    memcpy(text, address->un.sun_path, length);
  }
  return result_object(env, "family", family, text, length, port);
}

// ── Calls: sockets ──

static int set_flags(int fd) {
  int flags = fcntl(fd, F_GETFD);
  if (flags < 0 || (!(flags & FD_CLOEXEC) && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)) return -errno;
  flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) return -errno;
#if defined(SO_NOSIGPIPE)
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on); // ENOTSOCK is fine
#endif
  return 0;
}

static napi_value poller_socket(napi_env env, napi_callback_info info) {
  ARGS(1);
  int64_t family;
  if (!arg_int(env, argv[0], 0, 6, "family", &family)) return NULL;
  if (family != 0 && family != 4 && family != 6) return range_error(env, "family must be 4, 6 or 0");
  int domain = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNIX;
#if defined(__linux__)
  int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return number(env, -errno);
#else
  int fd = socket(domain, SOCK_STREAM, 0);
  if (fd < 0) return number(env, -errno);
  set_flags(fd);
#endif
  owner_made(p, fd);
  return number(env, fd);
}

static napi_value poller_bind(napi_env env, napi_callback_info info) {
  ARGS(3);
  return with_address(env, argv, bind);
}

// An interrupted connect() goes on in the kernel; calling it again would say EALREADY.
static int connect_once(int fd, const struct sockaddr *address, socklen_t size) {
  int result = connect(fd, address, size);
  if (result < 0 && errno == EINTR) errno = EINPROGRESS;
  return result;
}

static napi_value poller_connect(napi_env env, napi_callback_info info) {
  ARGS(3);
  return with_address(env, argv, connect_once);
}

static napi_value poller_listen(napi_env env, napi_callback_info info) {
  ARGS(2);
  int fd;
  int64_t backlog;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], 0, INT_MAX, "backlog", &backlog)) return NULL;
  return number(env, listen(fd, (int)backlog) < 0 ? -errno : 0);
}

static napi_value poller_accept_fd(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd, peer;
  socklen_t size;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  do {
    size = sizeof p->peer;
#if defined(__linux__)
    peer = accept4(fd, &p->peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    peer = accept(fd, &p->peer.any, &size);
#endif
  } while (peer < 0 && errno == EINTR);
  if (peer < 0) return number(env, -errno);
#if !defined(__linux__)
  set_flags(peer);
#endif
  owner_made(p, peer);
  return number(env, peer);
}

// Where the connection comes from that accept() returned last: of IPv4 its address and port in one number, because
// making the text and an object costs a tenth of what accepting does, and few ask.
static napi_value poller_accepted_from(napi_env env, napi_callback_info info) {
  ARGS(1);
  const struct sockaddr_in *v4 = &p->peer.v4;
  if (v4->sin_family == AF_INET) {
    return number(env, (int64_t)((uint64_t)ntohl(v4->sin_addr.s_addr) << 16 | ntohs(v4->sin_port)));
  }
  return name_result(env, &p->peer, 0);
}

static napi_value poller_socket_error(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd, error = 0;
  socklen_t size = sizeof error;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  return number(env, getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : error);
}

static napi_value poller_shutdown(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  return number(env, shutdown(fd, SHUT_WR) < 0 ? -errno : 0);
}

static napi_value poller_close_fd(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  return number(env, close_number(p, fd));
}

static napi_value poller_getsockname(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd;
  Address address;
  socklen_t size = sizeof address;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  if (getsockname(fd, &address.any, &size) < 0) return number(env, -errno);
  return name_result(env, &address, size);
}

static napi_value poller_getpeername(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd;
  Address address;
  socklen_t size = sizeof address;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  if (getpeername(fd, &address.any, &size) < 0) return number(env, -errno);
  return name_result(env, &address, size);
}

static int set_int(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int set_keep_alive(int fd, int seconds) {
  int result = set_int(fd, SOL_SOCKET, SO_KEEPALIVE, seconds > 0);
  if (result < 0 || seconds == 0) return result;
#if defined(__APPLE__)
  return set_int(fd, IPPROTO_TCP, TCP_KEEPALIVE, seconds);
#else
  return set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
#endif
}

// The numbers are those of OPTIONS in src/options.ts.
static napi_value poller_setsockopt(napi_env env, napi_callback_info info) {
  ARGS(3);
  int fd;
  int64_t option, value;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], 0, 7, "option", &option) ||
      !arg_int(env, argv[2], 0, INT_MAX, "value", &value)) {
    return NULL;
  }
  int v = (int)value;
  struct linger linger = {.l_onoff = v != 0, .l_linger = 0};
  switch (option) {
    case 0: return number(env, set_int(fd, SOL_SOCKET, SO_REUSEADDR, v != 0));
    case 1: return number(env, set_int(fd, SOL_SOCKET, SO_REUSEPORT, v != 0));
    case 2: return number(env, set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, v != 0));
    case 3: return number(env, set_int(fd, IPPROTO_TCP, TCP_NODELAY, v != 0));
    case 4: return number(env, set_keep_alive(fd, v));
    case 5: return number(env, setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0 ? -errno : 0);
    case 6: return number(env, set_int(fd, SOL_SOCKET, SO_SNDBUF, v));
    default: return number(env, set_int(fd, SOL_SOCKET, SO_RCVBUF, v));
  }
}

static napi_value poller_adopt(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  return number(env, set_flags(fd));
}

static napi_value pair_result(napi_env env, Poller *p, int result, const int *fds) {
  napi_value array, value;
  if (result < 0) return number(env, -errno);
  if (napi_create_array_with_length(env, 2, &array) != napi_ok) return NULL;
  for (uint32_t i = 0; i < 2; i++) {
#if !defined(__linux__)
    set_flags(fds[i]);
#endif
    owner_made(p, fds[i]);
    napi_create_int32(env, fds[i], &value);
    napi_set_element(env, array, i, value);
  }
  return array;
}

static napi_value poller_pipe(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fds[2];
#if defined(__linux__)
  return pair_result(env, p, pipe2(fds, O_NONBLOCK | O_CLOEXEC), fds);
#else
  return pair_result(env, p, pipe(fds), fds);
#endif
}

static napi_value poller_socketpair(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fds[2];
#if defined(__linux__)
  return pair_result(env, p, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), fds);
#else
  return pair_result(env, p, socketpair(AF_UNIX, SOCK_STREAM, 0, fds), fds);
#endif
}

// ── Life ──

static void poller_free(Poller *p) {
  if (p->set >= 0) close(p->set);
  if (p->wake_fd >= 0) close(p->wake_fd);
  free(p->slots);
  free(p->owners);
  free(p->queue);
  free(p->scratch);
  free(p->wide);
  free(p);
}

// libuv calls this when it is done with the handle, which may be long after the hook has returned: only now may the
// memory go and the environment end.
static void on_closed(uv_handle_t *handle) {
  Poller *p = uv_handle_get_data(handle);
  napi_async_cleanup_hook_handle hook = p->hook;
  free(handle);
  poller_free(p);
  napi_remove_async_cleanup_hook(hook);
}

// What was made here and is still watched would outlive its worker for ever. That the kernel finds it in our set
// proves that the number still means the descriptor that was put there.
static void close_made(Poller *p) {
  for (uint32_t i = 0; i < p->used; i++) {
    const Slot *s = &p->slots[i];
    if (s->fd < 0 || s->mask == 0 || !(p->owners[s->fd] & OWNER_MADE)) continue;
    if (set_change(p->set, s->fd, 0, s->flags, s->mask, 0) == 0) close(s->fd);
  }
}

static void on_cleanup(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  Poller *p = data;
  close_made(p);
  uv_poll_stop(p->poll);
  uv_close(p->poll, on_closed);
}

typedef struct {
  const char *name;
  napi_callback call;
} Method;

static const Method METHODS[] = {
    {"watch", poller_watch},
    {"modify", poller_modify},
    {"unwatch", poller_unwatch},
    {"close", poller_close},
    {"size", poller_size},
    {"setRef", poller_set_ref},
    {"wake", poller_wake},
    {"read", poller_read},
    {"readAhead", poller_read_ahead},
    {"readAheadInto", poller_read_ahead_into},
    {"failed", poller_failed},
    {"write", poller_write},
    {"writev", poller_writev},
    {"page", poller_page},
    {"writePage", poller_write_page},
    {"sendfile", poller_sendfile},
    {"cached", poller_cached},
    {"socket", poller_socket},
    {"bind", poller_bind},
    {"listen", poller_listen},
    {"acceptFd", poller_accept_fd},
    {"acceptedFrom", poller_accepted_from},
    {"connect", poller_connect},
    {"socketError", poller_socket_error},
    {"shutdown", poller_shutdown},
    {"closeFd", poller_close_fd},
    {"getsockname", poller_getsockname},
    {"getpeername", poller_getpeername},
    {"setsockopt", poller_setsockopt},
    {"adopt", poller_adopt},
    {"pipe", poller_pipe},
    {"socketpair", poller_socketpair},
};

static const char *poller_open(Poller *p) {
  const char *type = uv_handle_type_name(UV_POLL_TYPE);
  if (type == NULL || strcmp(type, "poll") != 0) return "This libuv numbers its handles differently";
  if (napi_get_uv_event_loop(p->env, (struct uv_loop_s **)&p->loop) != napi_ok) return "No event loop";
  p->set = set_open();
  if (p->set < 0) return "Cannot open a poll set";
  if (wake_open(p->set, &p->wake_fd) < 0) return "Cannot open a wake-up descriptor";
  p->poll = poll_open(p, p->set);
  return p->poll == NULL ? "libuv cannot watch the poll set" : NULL;
}

// create(dispatch): a poller of this environment, as an object of functions.
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[1], object, resource, function;
  size_t argc = 1;
  napi_valuetype type;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  if (napi_typeof(env, argv[0], &type) != napi_ok || type != napi_function) return type_error(env, "dispatch must be a function");
  Poller *p = calloc(1, sizeof *p);
  if (p == NULL) return NULL;
  *p = (Poller){.env = env, .set = -1, .wake_fd = -1, .free = NO_SLOT};
  const char *problem = poller_open(p);
  if (problem != NULL) {
    poller_free(p);
    napi_throw_error(env, NULL, problem);
    return NULL;
  }
  if (napi_add_async_cleanup_hook(env, on_cleanup, p, &p->hook) != napi_ok) {
    napi_throw_error(env, NULL, "Cannot register the teardown");
    return NULL;
  }
  if (napi_create_object(env, &resource) != napi_ok || napi_create_reference(env, resource, 1, &p->resource) != napi_ok ||
      napi_create_reference(env, argv[0], 1, &p->dispatch) != napi_ok || napi_create_object(env, &object) != napi_ok) {
    return NULL;
  }
  for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
    if (napi_create_function(env, METHODS[i].name, NAPI_AUTO_LENGTH, METHODS[i].call, p, &function) != napi_ok ||
        napi_set_named_property(env, object, METHODS[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  uv_poll_start(p->poll, UV_READABLE_EVENT, on_ready);
  uv_unref(p->poll);
  return object;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "create", NAPI_AUTO_LENGTH, create, NULL, &function) != napi_ok ||
      napi_set_named_property(env, exports, "create", function) != napi_ok) {
    return NULL;
  }
  return exports;
}
